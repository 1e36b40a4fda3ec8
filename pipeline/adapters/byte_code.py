"""Byte-code of an environment's packages, kept in the artifact cache: what did not change is not compiled again.

One artifact for each top-level package, under a key of its sources, their places and the interpreter. Knows no wheels and no layers.
"""

from __future__ import annotations

import hashlib
import json
import struct
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from attrs import frozen

from pipeline.adapters.environment_tree import compile_sources
from pipeline.ports.artifacts import PRODUCED, ActionRecord, ArtifactCache, ArtifactGone

FORMAT = 1
"""To be raised whenever equal sources give other byte-code than before."""
PACK = "byte-code"
COUNT = struct.Struct("<q")
"""Before each file's bytes their number; negative: it is no valid syntax, and there is none."""


@frozen(kw_only=True)
class Compiler:
    """An interpreter that compiles for one of the same version."""

    python: str
    version: tuple[int, int, int]
    cache_tag: str
    """As in the names of files in `__pycache__`, https://peps.python.org/pep-3147/."""
    processes: int = 1


@frozen(kw_only=True)
class Package:
    """Sources that are compiled and kept together, in order."""

    name: str
    key: str
    sources: tuple[Path, ...]


def compile_packages(packages: Path, place: str, compiler: Compiler, cache: ArtifactCache | None) -> int:
    """Put byte-code beside all sources below the folder `packages`, which will be at `place`; how many were compiled now.

    Without a cache nothing is kept. Raises `EngineError` when the interpreter does not do it.
    """
    wanted = _packages(packages, place, compiler)
    missing = wanted if cache is None else _missing(wanted, compiler, cache)
    sources = [source for one in missing for source in one.sources]
    if not sources:
        return 0
    made = compile_sources(sources, compiler.python, at=(packages, place), processes=compiler.processes)
    if cache is not None:
        for one in missing:
            _keep(one, compiler, cache)
    return made


def _missing(wanted: Sequence[Package], compiler: Compiler, cache: ArtifactCache) -> Sequence[Package]:
    known = cache.find_all([one.key for one in wanted])
    return [one for one in wanted if not _restored(one, known.get(one.key), compiler, cache)]


def _packages(folder: Path, place: str, compiler: Compiler) -> Sequence[Package]:
    """By the first part of their names; modules that lie directly in the folder are one."""
    by_name: dict[str, list[Path]] = defaultdict(list)
    for source in sorted(folder.rglob("*.py")):
        if source.is_file():
            parts = source.relative_to(folder).parts
            by_name[parts[0] if len(parts) > 1 else ""].append(source)
    return [
        Package(name=name, key=_key(sources, folder, place, compiler), sources=tuple(sources))
        for name, sources in sorted(by_name.items())
    ]


def _key(sources: Sequence[Path], folder: Path, place: str, compiler: Compiler) -> str:
    files = [
        [source.relative_to(folder).as_posix(), hashlib.sha256(source.read_bytes()).hexdigest()] for source in sources
    ]
    told = ["byte-code", FORMAT, compiler.version, compiler.cache_tag, place, files]
    return hashlib.sha256(json.dumps(told).encode("utf-8", "surrogateescape")).hexdigest()


def _compiled(source: Path, compiler: Compiler) -> Path:
    return source.parent / "__pycache__" / f"{source.stem}.{compiler.cache_tag}.pyc"


def _restored(one: Package, record: ActionRecord | None, compiler: Compiler, cache: ArtifactCache) -> bool:
    """Write what the cache has of it; False when that cannot be had whole."""
    if record is None or PACK not in record.outputs:
        return False
    try:
        found = unpacked(cache.file(record.outputs[PACK]).read_bytes(), len(one.sources))
    except (ArtifactGone, OSError, ValueError, struct.error):
        return False
    for source, data in zip(one.sources, found, strict=True):
        if data is not None:
            target = _compiled(source, compiler)
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(data)
    return True


def _keep(one: Package, compiler: Compiler, cache: ArtifactCache) -> None:
    with tempfile.NamedTemporaryFile(prefix="fleet-byte-code-") as pack:
        pack.write(packed([_read(_compiled(source, compiler)) for source in one.sources]))
        pack.flush()
        cache.keep(one.key, {PACK: Path(pack.name)}, kind=PRODUCED, about=f"byte-code of {one.name or 'modules'}")


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def packed(files: Sequence[bytes | None]) -> bytes:
    """Files in one piece, without names."""
    return b"".join(COUNT.pack(-1) if data is None else COUNT.pack(len(data)) + data for data in files)


def unpacked(pack: bytes, count: int) -> Sequence[bytes | None]:
    """That many files. Raises `ValueError` or `struct.error` for anything else."""
    found: list[bytes | None] = []
    at = 0
    for _ in range(count):
        (size,) = COUNT.unpack_from(pack, at)
        at += COUNT.size
        found.append(pack[at : at + size] if size >= 0 else None)
        at += max(size, 0)
    if at != len(pack):
        raise ValueError("byte-code of another number of files, or cut off")
    return found
