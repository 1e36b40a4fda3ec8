"""Programs built from pinned Go modules (`modules/NAME`: go.mod, go.sum, and tools.go or a small main.go), once, kept by digest of module, sums and Go version."""

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


def find(name: str) -> Path | None:
    """The program, if it has been built from the module as it is now."""
    go = _go()
    built = _place(name, go) / name if go else None
    return built if built and built.exists() else None


def build(name: str) -> Path:
    """The program, built when it is not there. Two builders at once are harmless: the first one's is used by both."""
    go = _go()
    if go is None:
        raise EngineTrouble(f"no Go to build {name} with", "install Go 1.26 or newer into PATH or /usr/local/go")
    place = _place(name, go)
    if not (place / name).exists():
        with places.locked(place):
            if not (place / name).exists():
                _compile(go, name, place)
    return place / name


def _compile(go: str, name: str, place: Path) -> None:
    with tempfile.TemporaryDirectory(dir=place) as fresh:
        out = Path(fresh) / name
        argv = [
            go,
            "build",
            "-mod=readonly",
            "-buildvcs=false",
            "-trimpath",
            "-ldflags=-s -w",
            "-o",
            str(out),
            _package(name),
        ]
        env = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "", "GOWORK": "off"}
        done = subprocess.run(
            argv, cwd=MODULES / name, env=env, capture_output=True, text=True, check=False, timeout=BUILD_SECONDS
        )
        if done.returncode:
            said = "\n".join(done.stderr.splitlines()[-15:])
            raise EngineTrouble(
                f"cannot build {name}:\n{said}", "is a Go module proxy reachable? (GOPROXY names another)"
            )
        out.replace(place / name)


def _package(name: str) -> str:
    if (MODULES / name / "main.go").exists():
        return "."
    found = re.search(r'^import _ "(.+)"$', (MODULES / name / "tools.go").read_text("utf-8"), re.MULTILINE)
    assert found, f"tools.go of {name} imports the program to build"
    return found[1]


def _go() -> str | None:
    return shutil.which("go") or (str(USUAL_GO) if USUAL_GO.exists() else None)


def _place(name: str, go: str) -> Path:
    said = subprocess.run(
        [go, "env", "GOVERSION", "GOOS", "GOARCH"], capture_output=True, text=True, check=True, cwd="/"
    )
    digest = hashlib.sha256(said.stdout.encode())
    for file in ("go.mod", "go.sum", *sorted(path.name for path in (MODULES / name).glob("*.go"))):
        digest.update((MODULES / name / file).read_bytes())
    return places.home() / "built" / f"{name}-{digest.hexdigest()[:16]}"
