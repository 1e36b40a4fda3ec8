"""Byte-code of packages comes out of the artifact cache while sources, places and interpreter are the same."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from attrs import evolve

from pipeline.adapters.artifact_cache import TieredCache
from pipeline.adapters.byte_code import Compiler, compile_packages, packed, unpacked

PLACE = "/opt/project/3.11/lib/python3.11/site-packages"
COMPILER = Compiler(
    python=sys.executable,
    version=(sys.version_info[0], sys.version_info[1], sys.version_info[2]),
    cache_tag=str(sys.implementation.cache_tag),
)
SOURCES = {
    "shop/__init__.py": "PRICE = 3\n",
    "shop/till/cash.py": "def pay():\n    return 3\n",
    "shop/broken.py": "def (\n",
    "single.py": "X = 1\n",
    "other/__init__.py": "Y = 2\n",
}


@pytest.fixture
def cache(tmp_path: Path) -> TieredCache:
    """An empty one."""
    return TieredCache(tmp_path / "cache", sync=False)


def laid(folder: Path, **changes: str) -> Path:
    """Sources without byte-code; `changes` by the first word of a file's name."""
    for name, text in SOURCES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(changes.get(name.partition("/")[0].partition(".")[0], text), encoding="utf-8")
    return folder


def compiled(folder: Path) -> dict[str, bytes]:
    """All byte-code below it."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.pyc")}


def test_equal_sources_are_compiled_once(tmp_path: Path, cache: TieredCache) -> None:
    """Elsewhere on this machine the same bytes come out of the cache, and no interpreter is started."""
    one, two = laid(tmp_path / "one"), laid(tmp_path / "two")
    assert compile_packages(one, PLACE, COMPILER, cache) == 4
    nobody = evolve(COMPILER, python="/nowhere/python")

    assert compile_packages(two, PLACE, nobody, cache) == 0

    assert compiled(one) == compiled(two)
    assert len(compiled(one)) == 4
    assert PLACE.encode() in compiled(two)[f"shop/till/__pycache__/cash.{COMPILER.cache_tag}.pyc"]


def test_only_what_changed_is_compiled_again(tmp_path: Path, cache: TieredCache) -> None:
    """Another content of one package: its files alone."""
    compile_packages(laid(tmp_path / "one"), PLACE, COMPILER, cache)

    assert compile_packages(laid(tmp_path / "two", other="Y = 4\n"), PLACE, COMPILER, cache) == 1

    assert compiled(tmp_path / "one").keys() == compiled(tmp_path / "two").keys()
    assert compiled(tmp_path / "one") != compiled(tmp_path / "two")


@pytest.mark.parametrize("what", ["place", "version", "tag"])
def test_another_place_or_interpreter_is_another_artifact(tmp_path: Path, cache: TieredCache, what: str) -> None:
    """Nothing is taken that was made for somewhere else."""
    compile_packages(laid(tmp_path / "one"), PLACE, COMPILER, cache)
    changed = {"version": evolve(COMPILER, version=(3, 11, 99)), "tag": evolve(COMPILER, cache_tag="other-1")}

    place = "/elsewhere" if what == "place" else PLACE
    assert compile_packages(laid(tmp_path / "two"), place, changed.get(what, COMPILER), cache) == 4


def test_damaged_byte_code_is_made_anew(tmp_path: Path, cache: TieredCache) -> None:
    """What the cache lost or cannot read is compiled."""
    compile_packages(laid(tmp_path / "one"), PLACE, COMPILER, cache)
    for path in (tmp_path / "cache" / "cas").rglob("*"):
        if path.is_file():
            path.chmod(0o644)
            path.write_bytes(path.read_bytes()[:-1] + b"?")

    assert compile_packages(laid(tmp_path / "two"), PLACE, COMPILER, cache) == 4

    assert compiled(tmp_path / "one") == compiled(tmp_path / "two")


def test_without_a_cache_nothing_is_kept(tmp_path: Path) -> None:
    """Each time is the first."""
    for name in ("one", "two"):
        assert compile_packages(laid(tmp_path / name), PLACE, COMPILER, None) == 4


@pytest.mark.parametrize("count", [1, 3])
def test_a_pack_of_other_files_is_refused(count: int) -> None:
    """Too few files, or too many."""
    pack = packed([b"one", None])

    assert unpacked(pack, 2) == [b"one", None]
    with pytest.raises(Exception, match=r"byte-code|unpack_from"):
        unpacked(pack, count)
