"""Programs built from pinned Go modules (`modules/NAME`: go.mod, go.sum, and tools.go or a small main.go), once, kept by digest of module, sums and Go version.

A module makes the program of its name, or several, which its tools.go names. Flags for the linker are in its file `ldflags`.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.engines import places
from tests.engines.errors import EngineTrouble

MODULES = Path(__file__).with_name("modules")
USUAL_GO = Path("/usr/local/go/bin/go")
BUILD_SECONDS = 900


def find(name: str, module: str | None = None) -> Path | None:
    """The program, if it has been built from the module (of its name, unless another is given) as it is now."""
    go = _go()
    built = _place(module or name, go) / name if go else None
    return built if built and built.exists() else None


def build(name: str, module: str | None = None) -> Path:
    """The program, built when it is not there. Two builders at once are harmless: the first one's is used by both."""
    go = _go()
    if go is None:
        raise EngineTrouble(f"no Go to build {name} with", "install Go 1.26 or newer into PATH or /usr/local/go")
    place = _place(module or name, go)
    if not (place / name).exists():
        with places.locked(place):
            if not (place / name).exists():
                _compile(go, name, module or name, place)
    return place / name


def _compile(go: str, name: str, module: str, place: Path) -> None:
    folder = MODULES / module
    with tempfile.TemporaryDirectory(dir=place) as fresh:
        out = Path(fresh) / name
        exactly = ("-mod=readonly", "-buildvcs=false", "-trimpath", f"-ldflags=-s -w {_linker_flags(folder)}".rstrip())
        env = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "", "GOWORK": "off"}
        done = subprocess.run(
            [go, "build", *exactly, "-o", str(out), _package(folder, name)],
            cwd=folder,
            env=env,
            capture_output=True,
            text=True,
            check=False,
            timeout=BUILD_SECONDS,
        )
        if done.returncode:
            said = "\n".join(done.stderr.splitlines()[-15:])
            raise EngineTrouble(
                f"cannot build {name}:\n{said}", "is a Go module proxy reachable? (GOPROXY names another)"
            )
        out.replace(place / name)


def _linker_flags(folder: Path) -> str:
    file = folder / "ldflags"
    return " ".join(file.read_text("utf-8").split()) if file.exists() else ""


def _package(folder: Path, name: str) -> str:
    """The package to build: the import whose path ends with the name, or has it as its comment."""
    if (folder / "main.go").exists():
        return "."
    found: list[tuple[str, str]] = re.findall(
        r'_ "(\S+?)"(?: // (\S+))?$', (folder / "tools.go").read_text("utf-8"), re.MULTILINE
    )
    return next(path for path, called in found if name in (called, path.rpartition("/")[2]))


def _go() -> str | None:
    return shutil.which("go") or (str(USUAL_GO) if USUAL_GO.exists() else None)


def _place(module: str, go: str) -> Path:
    said = subprocess.run(
        [go, "env", "GOVERSION", "GOOS", "GOARCH"], capture_output=True, text=True, check=True, cwd="/"
    )
    digest = hashlib.sha256(said.stdout.encode())
    folder = MODULES / module
    more = [folder / "ldflags"] if (folder / "ldflags").exists() else []
    for file in (folder / "go.mod", folder / "go.sum", *sorted(folder.glob("*.go")), *more):
        digest.update(file.read_bytes())
    return places.home() / "built" / f"{module}-{digest.hexdigest()[:16]}"
