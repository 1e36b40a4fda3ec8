"""The contents of the in-memory store: what each operation does when it takes effect, all at once and in order.

It knows no time, no parties and no faults; those are `memory_store`'s.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from attrs import define, field

from pipeline.errors import Fenced, UsageError
from pipeline.model.keys import check_key, check_prefix
from pipeline.ports import Entry


@define
class JournalData:
    """One journal: segments in order, each the records of one flush; `sealed` counts the records that count."""

    segments: list[tuple[bytes, ...]] = field(factory=list)
    sealed: int | None = None
    late: int = 0

    def records(self) -> list[bytes]:
        """All records written before any seal."""
        return [record for segment in self.segments for record in segment]

    def put(self, number: int, segment: tuple[bytes, ...]) -> None:
        """Write a segment at its number; a repetition overwrites, a gap is ignored. Raises `Fenced`."""
        if self.sealed is not None:
            self.late += len(segment)
            raise Fenced("this journal has been sealed by another party")
        if number < len(self.segments):
            self.segments[number] = max(self.segments[number], segment, key=len)
        elif number == len(self.segments):
            self.segments.append(segment)

    def seal(self) -> str:
        """End what counts, once."""
        if self.sealed is None:
            self.sealed = len(self.records())
        return str(self.sealed)

    def read(self, upto: str | None) -> Sequence[bytes]:
        """Records up to the position, or to the seal, or all."""
        return self.records()[: self.sealed if upto is None else int(upto)]

    def read_from(self, position: str) -> tuple[Sequence[bytes], str]:
        """Records behind the first so many."""
        start = int(position or 0)
        found = self.read(None)[start:]
        return found, str(start + len(found))


@define
class MemoryData:
    """Values with versions, and journals."""

    values: dict[str, bytes] = field(factory=dict)
    versions: dict[str, int] = field(factory=dict)
    journals: dict[str, JournalData] = field(factory=dict)
    writes: int = 0

    def create(self, key: str, data: bytes) -> bool:
        """Put if absent."""
        self._refuse_mixture(check_key(key))
        if key in self.values:
            return False
        self._put(key, data)
        return True

    def replace(self, key: str, data: bytes) -> None:
        """Put, whatever was there."""
        self._refuse_mixture(check_key(key))
        self._put(key, data)

    def read(self, key: str) -> bytes | None:
        """The value or None."""
        return self.values.get(check_key(key))

    def list(self, prefix: str) -> Sequence[Entry]:
        """Entries below the prefix; a journal shows as one entry."""
        check_prefix(prefix)
        shown = {**{key: f"{len(j.segments)}-{j.sealed}" for key, j in self._journal_keys()}, **self.versions}
        return [Entry(key, str(shown[key])) for key in sorted(shown) if key.startswith(prefix)]

    def delete(self, prefix: str) -> int:
        """Remove values and journals below the prefix."""
        if not check_prefix(prefix):
            raise UsageError("will not delete a whole store", hint="name a prefix")
        doomed = [entry.key for entry in self.list(prefix)]
        for key in doomed:
            self.values.pop(key, None)
            self.versions.pop(key, None)
            self.journals.pop(key.removesuffix("/records"), None)
        return len(doomed)

    def journal(self, prefix: str) -> JournalData:
        """The journal's data, made when absent."""
        return self.journals.setdefault(check_key(prefix.rstrip("/")), JournalData())

    def _journal_keys(self) -> Iterator[tuple[str, JournalData]]:
        return ((f"{name}/records", data) for name, data in self.journals.items() if data.segments)

    def _put(self, key: str, data: bytes) -> None:
        self.writes += 1
        self.values[key] = bytes(data)
        self.versions[key] = self.writes

    def _refuse_mixture(self, key: str) -> None:
        """A directory cannot hold a value and a folder of one name, so no store may."""
        parts = key.split("/")
        above = any("/".join(parts[:n]) in self.values for n in range(1, len(parts)))
        if above or any(other.startswith(key + "/") for other in self.values):
            raise UsageError(f"{key!r} would be a value and a folder at once")
