"""A recipe serves another ecosystem: Go modules are fetched once, packed as a layer, and build with the network cut."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from pipeline.adapters.archive_extractor import extract
from pipeline.adapters.layer_writer import write_archive
from pipeline.adapters.recipes import Kitchen, key_of, make, recipe_layer
from pipeline.model.layer_entries import LayerEntry
from pipeline.model.recipes import Recipe
from tests.engines import only_outside_pods, require

MODULE, VERSION = "example.com/greeting", "v1.2.3"
CACHE = "build/modules"
SOURCE = (
    'package main\n\nimport (\n\t"fmt"\n\n\t"example.com/greeting"\n)\n\nfunc main() { fmt.Println(greeting.Text()) }\n'
)


@pytest.fixture
def proxy(tmp_path: Path) -> Path:
    """A module proxy on disk, by https://go.dev/ref/mod#goproxy-protocol, with one module."""
    folder = tmp_path / "proxy" / MODULE / "@v"
    folder.mkdir(parents=True)
    mod = f"module {MODULE}\n\ngo 1.20\n"
    (folder / "list").write_text(f"{VERSION}\n")
    (folder / f"{VERSION}.info").write_text(json.dumps({"Version": VERSION, "Time": "2026-01-01T00:00:00Z"}))
    (folder / f"{VERSION}.mod").write_text(mod)
    with zipfile.ZipFile(folder / f"{VERSION}.zip", "w") as archive:
        archive.writestr(f"{MODULE}@{VERSION}/go.mod", mod)
        archive.writestr(
            f"{MODULE}@{VERSION}/greeting.go", 'package greeting\n\nfunc Text() string { return "hello" }\n'
        )
    return tmp_path / "proxy"


def without_network(*command: str) -> list[str]:
    """The command in a network namespace of its own, in which there is nothing, not even loopback."""
    only_outside_pods("Pod Security lets nobody make namespaces")
    unshare = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--net"]
    works = (
        shutil.which("unshare") and subprocess.run([*unshare, "true"], check=False, capture_output=True).returncode == 0
    )
    require(works or None, "no network namespace can be made here: run as root")
    return [*unshare, *command]


def test_go_builds_from_the_packed_layer_with_the_network_cut(
    kitchens: Callable[..., Kitchen], proxy: Path, tmp_path: Path
) -> None:
    """What `go mod download` fetched on the agent is all that `go build` needs elsewhere."""
    go: str = require(shutil.which("go"), "there is no Go: install it")
    kitchen = kitchens(
        GOPROXY=proxy.as_uri(),
        GOSUMDB="off",
        GOFLAGS="-mod=mod -modcacherw",
        GOMODCACHE=str(tmp_path / "project" / CACHE),
    )
    (kitchen.root / "go.mod").write_text(f"module example.com/app\n\ngo 1.20\n\nrequire {MODULE} {VERSION}\n")
    (kitchen.root / "main.go").write_text(SOURCE)
    recipe = Recipe(
        name="modules",
        command=(go, "mod", "download", "all"),
        inputs=("go.mod",),
        tools=(f"{go} version",),
        outputs=(CACHE,),
        target="/opt/doit-fleet/cache/go",
    )
    layer = recipe_layer(make(recipe, kitchen, key_of(recipe, kitchen)))
    image = unpacked(layer.make(fresh(tmp_path / "scratch")), tmp_path / "image")
    shutil.rmtree(kitchen.root / CACHE)
    shutil.rmtree(proxy)

    environment = {
        "PATH": os.environ["PATH"], "HOME": str(fresh(tmp_path / "home")), "GOMODCACHE": f"{image}/opt/doit-fleet/cache/go",
        "GOPROXY": "off", "GOSUMDB": "off", "GOFLAGS": "-mod=mod", "GOTOOLCHAIN": "local", "CGO_ENABLED": "0", "GOCACHE": go_cache(go),
    }  # fmt: skip
    done = subprocess.run(
        without_network(go, "run", "."), cwd=kitchen.root, env=environment, capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout) == (0, "hello\n"), done.stderr


def go_cache(go: str) -> str:
    """Where compiled packages of Go's own library are kept: it need not be compiled again for a test."""
    return subprocess.run([go, "env", "GOCACHE"], capture_output=True, text=True, check=True).stdout.strip()


def fresh(folder: Path) -> Path:
    """An empty folder."""
    folder.mkdir()
    return folder


def unpacked(entries: Sequence[LayerEntry], folder: Path) -> Path:
    """A layer as a container would see it."""
    archive = folder.with_suffix(".tar")
    with archive.open("wb") as target:
        write_archive(entries, target)
    extract(archive, folder)
    return folder
