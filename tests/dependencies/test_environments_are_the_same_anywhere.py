"""The layers of an environment: equal inputs give equal bytes, in any folder, and nothing of the agent is in them."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from attrs import evolve

from pipeline.adapters.dependency_layers import Surroundings, Wish, dependency_layers
from pipeline.adapters.environment_layers import Making, copied_layer, lock_layer, packages_layer
from pipeline.adapters.installations import installation_of
from pipeline.adapters.layer_writer import write_archive
from pipeline.errors import UsageError
from pipeline.model.dependencies import Lock
from pipeline.model.environments import DependencyLayer
from pipeline.model.layer_entries import LayerEntry, Symlink
from tests.dependencies.index import Index
from tests.dependencies.wheels import lock_line, make_wheel

SHORT = f"{sys.version_info[0]}.{sys.version_info[1]}"
PREFIX = f"opt/project/{SHORT}"
PACKAGES = f"{PREFIX}/lib/python{SHORT}/site-packages"


def archive(layer: DependencyLayer, folder: Path) -> bytes:
    """The layer's archive."""
    folder.mkdir(parents=True)
    target = io.BytesIO()
    write_archive(layer.make(folder), target)
    return target.getvalue()


def contents(entries: Sequence[LayerEntry]) -> dict[str, bytes]:
    """Content by path; of links, where they lead."""
    told = {}
    for entry in entries:
        if isinstance(entry.content, Symlink):
            told[entry.path] = entry.content.target.encode()
        elif isinstance(entry.content, Path):
            told[entry.path] = entry.content.read_bytes()
    return told


@pytest.fixture
def two(shelf: Path) -> str:
    """A lock of two wheels, one with a script."""
    alpha = make_wheel(shelf, "alpha", scripts="alpha = alpha:main", files={"alpha_data/table.txt": "1 2 3\n"})
    beta = make_wheel(
        shelf, "beta", files={"beta_set.py": "NAMES = {'x', 'y', 'z'} & {'x'}\ndef f(a): return a in {'p', 'q', 'r'}\n"}
    )
    return lock_line(alpha, "alpha") + lock_line(beta, "beta")


def environment(folder: Path, *wheels: Path) -> str:
    """A virtual environment with those wheels installed; its interpreter."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    python = str(folder / "bin" / "python")
    command = [sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-index", "--no-deps"]
    if wheels:
        subprocess.run([*command, *wheels], check=True, capture_output=True)
    return python


def test_a_locks_environment_is_whole_and_runs(
    making: Making, two: str, lock_of: Callable[[str], Lock], tmp_path: Path
) -> None:
    """Skeleton, packages, scripts and byte-code are there; a script names the interpreter of the image."""
    found = contents(lock_layer(lock_of(two), making).make(tmp_path))

    assert found[f"{PREFIX}/bin/python"] == f"/usr/bin/python{SHORT}".encode()
    assert found[f"{PREFIX}/bin/alpha"].startswith(f"#!/opt/project/{SHORT}/bin/python\n".encode())
    assert b"home = /usr/bin\n" in found[f"{PREFIX}/pyvenv.cfg"]
    assert f"{PACKAGES}/alpha_data/table.txt" in found
    assert f"{PACKAGES}/__pycache__/alpha.{sys.implementation.cache_tag}.pyc" in found
    assert not [path for path, data in found.items() if str(tmp_path).encode() in data]


def test_equal_locks_give_equal_bytes_in_other_folders(
    making: Making, two: str, lock_of: Callable[[str], Lock], tmp_path: Path
) -> None:
    """Other folders, another number of processes, another order of the lock: the same archive under the same key."""
    turned = "".join(f"{part}\n" for part in reversed(two.replace("\\\n", "").splitlines()))
    one = lock_layer(lock_of(two), making)
    other = lock_layer(lock_of(turned), evolve(making, processes=2, root=tmp_path / "elsewhere"))

    assert one.key == other.key
    assert archive(one, tmp_path / "a") == archive(other, tmp_path / "much" / "longer" / "b")


def test_another_release_gives_another_key(making: Making, shelf: Path, lock_of: Callable[[str], Lock]) -> None:
    """The key follows versions, and so nothing is made anew without need."""
    old, new = make_wheel(shelf, "alpha", "1.0"), make_wheel(shelf, "alpha", "1.1")
    keys = [lock_layer(lock_of(lock_line(old, "alpha", "1.0")), making).key for _ in range(2)]

    assert keys[0] == keys[1] != lock_layer(lock_of(lock_line(new, "alpha", "1.1")), making).key


def test_copies_of_two_environments_are_equal(making: Making, shelf: Path, tmp_path: Path) -> None:
    """What is installed in two folders gives one archive, in which neither folder's name is left."""
    wheels = [make_wheel(shelf, "alpha", scripts="alpha = alpha:main"), make_wheel(shelf, "beta")]
    layers = []
    for place in (tmp_path / "one", tmp_path / "another" / "deeper"):
        installation = evolve(installation_of(environment(place, *wheels)), machine=making.target.machine)
        layers.append(copied_layer(evolve(making, installation=installation)))
    first, second = (archive(layer, tmp_path / "made" / str(number)) for number, layer in enumerate(layers))

    assert layers[0].key == layers[1].key
    assert first == second
    assert b"/bin/alpha" in first
    assert bytes(tmp_path) not in first


def test_the_project_in_place_is_found_at_its_place_in_the_image(making: Making, shelf: Path, tmp_path: Path) -> None:
    """An editable installation is a layer of its own, in which the agent's folder has become `/project`."""
    python = environment(tmp_path / "env", make_wheel(shelf, "alpha"))
    site = next((tmp_path / "env").glob("lib/python*/site-packages"))
    (site / "__editable__.own-1.0.pth").write_text(f"{making.root}/src\n")
    (site / "loose.pth").write_text(f"{making.root}\n")
    info = site / "own-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: own\nVersion: 1.0\n")
    (info / "direct_url.json").write_text(json.dumps({"url": making.root.as_uri(), "dir_info": {"editable": True}}))
    (info / "RECORD").write_text(
        "__editable__.own-1.0.pth,,\nown-1.0.dist-info/METADATA,,\nown-1.0.dist-info/direct_url.json,,\n"
    )
    making = evolve(making, installation=evolve(installation_of(python), machine=making.target.machine))
    kept, layer = copied_layer(making), packages_layer([], making)

    assert layer is not None
    (tmp_path / "kept").mkdir()
    (tmp_path / "fresh").mkdir()
    found = contents(layer.make(tmp_path / "fresh"))
    assert found[f"{PACKAGES}/__editable__.own-1.0.pth"] == b"/project/src\n"
    assert found[f"{PACKAGES}/loose.pth"] == b"/project\n"
    assert json.loads(found[f"{PACKAGES}/own-1.0.dist-info/direct_url.json"])["url"] == "file:///project"
    assert not [path for path in contents(kept.make(tmp_path / "kept")) if "own" in path]


def test_a_project_in_place_elsewhere_is_told(making: Making, tmp_path: Path) -> None:
    """What is developed outside the project is left out of the images, and somebody is told."""
    python = environment(tmp_path / "env")
    info = next((tmp_path / "env").glob("lib/python*/site-packages")) / "sibling-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: sibling\nVersion: 1.0\n")
    (info / "direct_url.json").write_text(json.dumps({"url": "file:///somewhere/else", "dir_info": {"editable": True}}))

    said: list[str] = []

    assert packages_layer([], evolve(making, installation=installation_of(python), progress=said.append)) is None
    assert "'sibling' is installed in place in '/somewhere/else', outside the project" in said[0]


def test_fresh_packages_are_built_each_time_and_never_kept(
    making: Making, index: Index, lock_of: Callable[[str], Lock], tmp_path: Path
) -> None:
    """What only a lock names and may change is built for each layer, and its key follows its content."""
    from tests.dependencies.wheels import make_sdist

    keys = []
    for version in ("1.0.dev1", "1.0.dev2"):
        sdist = make_sdist(making.root, "moving", version)
        lock = lock_of(f"moving @ file://{sdist}\n")
        layer = packages_layer(lock.pins, making)
        assert layer is not None
        keys.append(layer.key)
        (tmp_path / version).mkdir()
        assert f"VERSION = {version!r}".encode() in contents(layer.make(tmp_path / version))[f"{PACKAGES}/moving.py"]

    assert keys[0] != keys[1]
    assert not list((tmp_path / "cache").rglob("*.json"))


def test_unlike_interpreters_ask_for_a_lock(making: Making) -> None:
    """What is installed for another machine or version is not copied, and the error names the way out."""
    with pytest.raises(UsageError, match="does not run on the other") as caught:
        copied_layer(evolve(making, target=evolve(making.target, machine="s390x")))
    assert "lock file" in caught.value.hint


def test_a_lock_without_what_tests_need_is_passed_over(making: Making, tmp_path: Path) -> None:
    """By convention a lock counts if it holds the framework; a named one that does not is an error."""
    (making.root / "requirements.txt").write_text(f"alpha==1.0 --hash=sha256:{'a' * 64}\n")
    said: list[str] = []
    around = Surroundings(
        root=making.root, cache=making.cache, environment={}, home=tmp_path, scratch=tmp_path, progress=said.append
    )
    wish = Wish(python=sys.executable, base=f"/usr/bin/python{SHORT}", needed=("pytest",), platform=_platform())

    assert dependency_layers(wish, around).lock is None
    assert any("has no 'pytest'" in line for line in said)
    with pytest.raises(UsageError, match="has no 'pytest'"):
        dependency_layers(evolve(wish, source="lock"), around)
    assert dependency_layers(evolve(wish, needed=()), around).lock is not None
    assert dependency_layers(evolve(wish, source="none"), around).layers == ()


def _platform() -> str:
    import platform

    return {"aarch64": "linux/arm64"}.get(platform.machine(), "linux/amd64")
