"""Programs built from pinned Go modules (`modules/NAME`: go.mod, go.sum, and tools.go or a small main.go), once, kept by digest of module, sums and Go version.

A module makes the program of its name, or several, which its tools.go names; all of them in one go, which share what they
compile and keep all processors busy. Flags for the linker are in its file `ldflags`.
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
BUILD_SECONDS = 1500
NOT_FOR_DEBUGGERS = "-gcflags=all=-dwarf=false"
"""What the linker would throw away (`-s -w`) is not even made."""


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
                _compile(go, module or name, place)
    return place / name


def _compile(go: str, module: str, place: Path) -> None:
    folder = MODULES / module
    packages = _packages(folder)
    with tempfile.TemporaryDirectory(dir=place) as fresh:
        linked = f"-ldflags=-s -w {_linker_flags(folder)}".rstrip()
        exactly = ("-mod=readonly", "-buildvcs=false", "-trimpath", NOT_FOR_DEBUGGERS, linked)
        env = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "", "GOWORK": "off"}
        done = subprocess.run(
            [go, "build", *exactly, "-o", f"{fresh}/", *packages.values()],
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
                f"cannot build {module}:\n{said}", "is a Go module proxy reachable? (GOPROXY names another)"
            )
        for name, package in packages.items():
            Path(fresh, _usual_name(folder, package)).replace(place / name)


def _linker_flags(folder: Path) -> str:
    file = folder / "ldflags"
    return " ".join(file.read_text("utf-8").split()) if file.exists() else ""


def _packages(folder: Path) -> dict[str, str]:
    """What is to be built, by program: the imports of tools.go, which are called as their paths end, or as their comments say."""
    if (folder / "main.go").exists():
        return {folder.name: "."}
    imports = re.findall(r'_ "(\S+?)"(?: // (\S+))?$', (folder / "tools.go").read_text("utf-8"), re.MULTILINE)
    return {called or _usual_name(folder, path): path for path, called in imports}


def _usual_name(folder: Path, package: str) -> str:
    """What `go build` calls a program: the last part of its import path that is no version."""
    if package == ".":
        module = re.search(r"^module (\S+)", (folder / "go.mod").read_text("utf-8"), re.MULTILINE)
        assert module, "go.mod begins with it"
        package = module[1]
    *_, before, last = ["", *package.split("/")]
    return before if re.fullmatch(r"v\d+", last) else last


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
