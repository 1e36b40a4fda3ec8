"""All wheels of a lock, each from the artifact cache, else from an index, else built; what was had anew is kept.

With everything in the cache no network is touched. Fresh pins are not this module's business.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from attrs import frozen

from pipeline.adapters.index_settings import IndexSettings
from pipeline.adapters.wheel_building import build_wheel
from pipeline.adapters.wheel_download import CONNECTIONS, Downloader, Found
from pipeline.errors import EngineError
from pipeline.logic.wheel_choice import choose
from pipeline.model.dependencies import Pin, Target
from pipeline.ports.artifacts import FETCHED, PRODUCED, ActionRecord, ArtifactCache, ArtifactGone

Progress = Callable[[str], None]
TOLD_EVERY_SECONDS = 2.0
SHOWN = 10


@frozen(kw_only=True)
class Wheel:
    """A wheel on this machine, and how it was had: `hit`, `fetched` or `built`."""

    name: str
    version: str
    filename: str
    path: Path
    sha256: str
    how: str


@frozen(kw_only=True)
class Source:
    """Where wheels come from, and for whom."""

    cache: ArtifactCache
    settings: IndexSettings
    target: Target
    root: Path
    """The project: relative paths of a lock start here."""
    builder: str = ""
    """An interpreter of the target's version and platform, for source distributions; empty: none may be built."""
    scratch: Path
    """A folder that stays until the wheels have been read."""
    progress: Progress


def wheel_key(pin: Pin, target: Target) -> str:
    """The cache's key of the wheel that a target installs for a pin."""
    told = [
        "wheel",
        1,
        pin.name,
        pin.version,
        sorted({one.sha256 for one in pin.artifacts}),
        list(target.python[:2]),
        target.machine,
        target.libc,
    ]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def fetch_wheels(pins: Sequence[Pin], source: Source) -> Sequence[Wheel]:
    """The wheels, in the order of the pins. Raises `EngineError` that names every pin that could not be had."""
    keys = {pin.name: wheel_key(pin, source.target) for pin in pins}
    records = source.cache.find_all(keys.values())
    wheels: dict[str, Wheel] = {}
    for pin in pins:
        wheel = _from_record(pin, records.get(keys[pin.name]), source.cache)
        if wheel is not None:
            wheels[pin.name] = wheel
    missing = [pin for pin in pins if pin.name not in wheels]
    if missing:
        wheels |= _Fetching(source, keys).all(missing)
    return [wheels[pin.name] for pin in pins]


def _from_record(pin: Pin, record: ActionRecord | None, cache: ArtifactCache, how: str = "hit") -> Wheel | None:
    """The wheel of a record, if it is one that the lock allows or one that was built here."""
    if record is None or len(record.outputs) != 1:
        return None
    filename, output = next(iter(record.outputs.items()))
    if record.kind == FETCHED and output.sha256 not in {one.sha256 for one in pin.artifacts}:
        return None
    try:
        path = cache.file(output)
    except ArtifactGone:
        return None
    return Wheel(name=pin.name, version=pin.version, filename=filename, path=path, sha256=output.sha256, how=how)


class _Fetching:
    def __init__(self, source: Source, keys: Mapping[str, str]) -> None:
        self._source, self._scratch, self._keys = source, source.scratch, keys
        self._downloader = Downloader(source.settings, source.target, source.scratch, source.root)
        self._building = threading.Lock()
        self._told = time.monotonic()

    def all(self, pins: Sequence[Pin]) -> dict[str, Wheel]:
        wheels: dict[str, Wheel] = {}
        failed: list[str] = []
        size = 0
        with ThreadPoolExecutor(max_workers=min(CONNECTIONS, len(pins))) as pool:
            tasks = {pool.submit(self._one, pin): pin for pin in pins}
            try:
                for task in as_completed(tasks):
                    try:
                        wheel = task.result()
                        wheels[wheel.name] = wheel
                        size += wheel.path.stat().st_size
                    except EngineError as error:
                        failed.append(str(error))
                    self._tell(len(wheels), len(pins), size)
            finally:
                pool.shutdown(cancel_futures=True)
                self._downloader.close()
        if failed:
            more = f"\n  and {len(failed) - SHOWN} more" if len(failed) > SHOWN else ""
            listed = "".join(f"\n  {line}" for line in sorted(failed)[:SHOWN])
            raise EngineError(
                f"{len(failed)} of {len(pins)} dependencies could not be fetched:{listed}{more}",
                hint="check the index in pip's configuration, or lock again for the image's Python and platform",
            )
        return wheels

    def _one(self, pin: Pin) -> Wheel:
        best = choose([one for one in pin.artifacts if one.filename], self._source.target)
        if best is None and all(one.filename for one in pin.artifacts):
            raise EngineError(f"{pin.name} {pin.version} ({pin.place}): no wheel for Python {self._source.target.short} on "
                              f"{self._source.target.machine} with {self._source.target.libc}, and no source")  # fmt: skip
        found = self._downloader.fetch(pin)
        wheel = self._kept(pin, found) if found.artifact.is_wheel else self._built(pin, found)
        if wheel.path != found.path:  # A cache that could not store it reads it where it is.
            found.path.unlink(missing_ok=True)
        return wheel

    def _kept(self, pin: Pin, found: Found) -> Wheel:
        name = Path(found.artifact.filename).name
        record = self._source.cache.keep(
            self._keys[pin.name], {name: found.path}, kind=FETCHED, about=f"{pin.name} {pin.version}"
        )
        return self._placed(pin, record, "fetched")

    def _placed(self, pin: Pin, record: ActionRecord, how: str) -> Wheel:
        wheel = _from_record(pin, record, self._source.cache, how)
        if wheel is None:
            raise EngineError(
                f"{pin.name} {pin.version}: another artifact stands under its key in the cache", hint="doit cache"
            )
        return wheel

    def _built(self, pin: Pin, found: Found) -> Wheel:
        if not self._source.builder:
            raise EngineError(
                f"{pin.name} {pin.version} ({pin.place}): has no wheel for Python {self._source.target.short} on "
                f"{self._source.target.machine}, and there is no interpreter like the image's to build one"
            )
        with self._building:  # Compilers use all cores by themselves.
            self._source.progress(f"building a wheel of {found.artifact.filename}")
            folder = self._scratch / f"built-{pin.name}"
            sdist = self._scratch / "sources" / pin.name / Path(found.artifact.filename).name
            sdist.parent.mkdir(parents=True)
            found.path.rename(sdist)
            wheel = build_wheel(self._source.builder, str(sdist), folder, self._scratch)
        record = self._source.cache.keep(
            self._keys[pin.name], {wheel.name: wheel}, kind=PRODUCED, about=f"{pin.name} {pin.version}, built"
        )
        return self._placed(pin, record, "built")

    def _tell(self, done: int, total: int, size: int) -> None:
        now = time.monotonic()
        if now - self._told >= TOLD_EVERY_SECONDS or done == total:
            self._told = now
            self._source.progress(f"fetched {done} of {total} wheels, {size / 2**20:.1f} MiB")
