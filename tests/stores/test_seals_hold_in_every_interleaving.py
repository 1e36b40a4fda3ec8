"""A journal's seal is right wherever writer and sealers stall or die: each interleaving of their file operations."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from attrs import define, field
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.adapters import directory_journal, directory_store
from pipeline.adapters.directory_files import put_if_absent, read_behind, read_whole, write_at
from pipeline.adapters.directory_store import DirectoryStore
from pipeline.errors import Fenced
from tests.fakes.turns import Turn, step, stepping

WRITER, PARTIES = 0, 3
FLUSHES = 4

schedules = st.lists(st.tuples(st.integers(0, PARTIES - 1), st.integers(0, 19)), max_size=60)
"""(party that goes on, its luck: at 0 it crashes instead)."""


def _torn_write(descriptor: int, data: bytes, offset: int) -> None:
    """A write during which others see the first half, cut within a frame."""
    step()
    write_at(descriptor, data[: len(data) // 2], offset)
    step()
    write_at(descriptor, data, offset)


@contextmanager
def _steps() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "listdir", stepping(os.listdir))
        patch.setattr(directory_journal, "write_at", _torn_write)
        patch.setattr(directory_journal, "read_whole", stepping(read_whole))
        patch.setattr(directory_journal, "read_behind", stepping(read_behind))
        patch.setattr(directory_store, "put_if_absent", stepping(put_if_absent))
        yield


@define
class Race:
    """What happened in one race."""

    store: DirectoryStore
    flushed: list[bytes] = field(factory=list)
    begun: int = 0
    sealed: list[str] = field(factory=list)
    broken: list[str] = field(factory=list)

    def write(self) -> None:
        """Flush again and again until fenced."""
        journal = self.store.journal("j/w")
        for number in range(FLUSHES):
            records = [b"%d.%d" % (number, n) for n in range(3)]
            late = bool(self.sealed)
            for record in records:
                journal.append(record)
            self.begun = number + 1
            try:
                asyncio.run(journal.flush())
            except Fenced:
                return
            if late:
                self.broken.append("a flush begun after a seal was answered went through")
            self.flushed += records

    def seal(self) -> None:
        """Seal, as another party."""
        self.sealed.append(asyncio.run(self.store.journal("j/w").seal()))

    def counted(self) -> list[bytes]:
        """What the seals say."""
        journal = self.store.journal("j/w")
        position = asyncio.run(journal.seal())
        assert {position, *self.sealed} == {position}
        return list(asyncio.run(journal.read(position)))


def _race(folder: str, schedule: list[tuple[int, int]]) -> Race:
    race = Race(DirectoryStore(folder, fsync=False))
    asyncio.run(race.store.create("other", b""))
    with _steps():
        turns = [Turn(race.write), Turn(race.seal), Turn(race.seal)]
        for party, luck in schedule:
            turns[party].on(crash=luck == 0)
        for turn in turns:
            turn.finish()
    return race


@settings(max_examples=80, deadline=None)
@given(schedule=schedules)
def test_flushed_records_count_and_late_ones_never(schedule: list[tuple[int, int]]) -> None:
    """Whatever the order of steps and crashes: successful flushes count, the rest at most in part and in order."""
    with tempfile.TemporaryDirectory() as folder:
        race = _race(os.path.join(folder, "store"), schedule)
        everything = [b"%d.%d" % (number, n) for number in range(race.begun) for n in range(3)]
        counted = race.counted()

        assert not race.broken
        assert counted[: len(race.flushed)] == race.flushed
        assert counted == everything[: len(counted)]
        assert race.counted() == counted


def test_a_writer_stalled_before_its_write_is_fenced_and_its_record_reported_late() -> None:
    """The case that a check before the write alone would miss: sealed between check and write."""
    with tempfile.TemporaryDirectory() as folder, _steps():
        race = Race(DirectoryStore(os.path.join(folder, "store"), fsync=False))
        asyncio.run(race.store.create("other", b""))
        writer = Turn(race.write)
        while not os.path.exists(os.path.join(folder, "store/j/w/records")):
            writer.on()
        race.seal()
        writer.finish()

        assert (race.flushed, race.begun, race.counted()) == ([], 1, [])
        assert asyncio.run(race.store.journal("j/w").late()) == 3
