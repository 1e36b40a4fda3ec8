"""Mark and sweep of an artifact cache: what was not used for long goes, then what was used longest ago until the rest
fits. Records go before content. Never what a live process needs, nor content younger than a day that nothing names.

It knows files, last uses and leases; it must not know remote tiers, whose clean-up is a rule of the bucket.
"""

from __future__ import annotations

import os
import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

from attrs import define, field, frozen

from pipeline.adapters.artifact_folder import ArtifactFolder
from pipeline.adapters.artifact_index import ArtifactIndex
from pipeline.adapters.artifact_lease import leased
from pipeline.logic.artifact_records import WrongRecord
from pipeline.model.caches import Removal
from pipeline.ports.artifacts import ActionRecord

GRACE_SECONDS: Final = 86_400.0
"""Content is written before the record that names it."""
DRAFT_SECONDS: Final = 86_400.0
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


@frozen(kw_only=True)
class Keeping:
    """What may stay: seconds unused by kind, and bytes of content in all."""

    seconds: Mapping[str, float]
    max_bytes: int


@frozen(kw_only=True)
class Entry:
    """One record as cleaning sees it: `name` is `<level>/<key>`, `used` in seconds since the epoch."""

    name: str
    record: ActionRecord
    used: float

    @property
    def size(self) -> int:
        """Bytes of its content; shared content counts for each."""
        return sum(one.size for one in dict.fromkeys(self.record.outputs.values()))


@define
class _Marks:
    """What stays so far."""

    entries: dict[str, Entry]
    sizes: dict[str, int]
    names: Counter[str] = field(factory=Counter)

    @classmethod
    def of(cls, entries: Mapping[str, Entry], sizes: Mapping[str, int]) -> _Marks:
        marks = cls(dict(entries), dict(sizes))
        for entry in entries.values():
            marks.names.update({one.sha256 for one in entry.record.outputs.values()})
        return marks

    def drop(self, name: str) -> int:
        """Take one entry's marks away; bytes that nothing names any more."""
        freed = 0
        for sha256 in {one.sha256 for one in self.entries.pop(name).record.outputs.values()}:
            self.names[sha256] -= 1
            freed += 0 if self.names[sha256] else self.sizes.get(sha256, 0)
        return freed

    def bytes(self) -> int:
        """Bytes of content that is named."""
        return sum(size for sha256, size in self.sizes.items() if self.names[sha256] > 0)


class Cleaner:
    """Cleans the cache in one folder. Several may try at once; look-ups wait meanwhile."""

    def __init__(self, folder: ArtifactFolder, index: ArtifactIndex) -> None:
        self._folder = folder
        self._index = index

    def is_due(self, every_seconds: float) -> bool:
        """Whether the last time is that long ago."""
        return os.path.isdir(self._folder.root) and time.time() - self._index.last_cleaned() >= every_seconds

    def entries(self) -> tuple[dict[str, Entry], list[str]]:
        """All sound records by name, and the paths of those that are not."""
        uses, found, broken = self._index.uses(), dict[str, Entry](), []
        for level in self._folder.levels():
            for path in _files(os.path.join(self._folder.root, "ac", level)):
                key = os.path.basename(path).removesuffix(".json")
                try:
                    record = self._folder.read(level, key) if _DIGEST.fullmatch(key) else None
                    used = max(uses.get(f"{level}/{key}", 0.0), os.stat(path).st_mtime)
                except (WrongRecord, OSError):
                    record = None
                if record is None:
                    broken.append(path)
                else:
                    found[f"{level}/{key}"] = Entry(name=f"{level}/{key}", record=record, used=used)
        return found, broken

    def content(self) -> dict[str, int]:
        """Sizes in bytes by digest."""
        sizes = {}
        for path in _files(os.path.join(self._folder.root, "cas")):
            try:
                sizes[os.path.basename(path)] = os.stat(path).st_size
            except OSError:
                continue
        return sizes

    def clean(self, keeping: Keeping, *, dry: bool = False) -> Removal:
        """Remove what may not stay, or only say what that would be."""
        if not os.path.isdir(self._folder.root):
            return Removal(records={}, content=0, size=0)
        with self._folder.locked(alone=not dry):
            needed = leased(self._folder.root, forget_dead=not dry)
            entries, broken = self.entries()
            sizes, now = self.content(), time.time()
            marks = _Marks.of(entries, sizes)
            going = _going(marks, needed, keeping, now)
            loose = [one for one in sizes if marks.names[one] <= 0 and (one in marks.names or self._is_old(one, now))]
            if not dry:
                self._remove(list(going), [*broken, *self._drafts(now)], loose)
                self._index.say_cleaned(now)
        reasons = {**going, **dict.fromkeys(broken, "unreadable")}
        return Removal(records=reasons, content=len(loose), size=sum(sizes[sha256] for sha256 in loose))

    def _is_old(self, sha256: str, now: float) -> bool:
        """Content that nothing has named may be waiting for its record."""
        try:
            return now - os.stat(self._folder.content.path(sha256)).st_mtime > GRACE_SECONDS
        except OSError:
            return False

    def _remove(self, names: list[str], paths: list[str], content: list[str]) -> None:
        for name in names:
            level, _, key = name.partition("/")
            paths.append(self._folder.record_path(level, key))
        for path in paths:
            try:
                os.unlink(path)
            except OSError:
                continue  # Gone, or not ours to remove.
        for sha256 in content:
            self._folder.content.remove(sha256)
        self._index.forget(names)

    def _drafts(self, now: float) -> Iterator[str]:
        for path in _files(os.path.join(self._folder.root, "tmp")):
            try:
                if now - os.stat(path).st_mtime > DRAFT_SECONDS:
                    yield path
            except OSError:
                continue  # Its writer has just finished.


def _going(marks: _Marks, needed: set[str], keeping: Keeping, now: float) -> dict[str, str]:
    """Names of records to remove, with reasons; their marks are taken away."""
    going: dict[str, str] = {}
    for entry in sorted(marks.entries.values(), key=lambda one: one.used):
        if entry.name not in needed and now - entry.used > keeping.seconds[entry.record.kind]:
            going[entry.name] = f"not used for {(now - entry.used) / 86_400:.0f} days"
            marks.drop(entry.name)
    left = marks.bytes()
    for entry in sorted(marks.entries.values(), key=lambda one: (one.used, one.name)):
        if left <= keeping.max_bytes:
            break
        if entry.name not in needed:
            going[entry.name] = "used longest ago, and the cache is too large"
            left -= marks.drop(entry.name)
    return going


def _files(folder: str) -> Iterator[str]:
    for place, folders, names in os.walk(folder):
        folders.sort()
        yield from (os.path.join(place, name) for name in sorted(names))
