"""What every store's journals must do; the fixture `party` is that of `store_contract`.

The claim that matters most: a record whose flush succeeded counts under every seal, and nothing flushed after a seal
ever does, whoever races whom.
"""

from __future__ import annotations

import asyncio

import pytest

from pipeline.contracts.store_contract import Party, in_threads
from pipeline.errors import Fenced
from pipeline.ports import Journal, Store


async def _write(journal: Journal, *records: bytes) -> None:
    for record in records:
        journal.append(record)
    await journal.flush()


class JournalContract:
    """Claims about records, seals and fencing."""

    @pytest.fixture
    def party(self) -> Party:
        """Override: each call gives another party's handle on one medium, fresh and empty in each test."""
        raise NotImplementedError

    def test_flushed_records_are_read_in_order(self, party: Party) -> None:
        """Any bytes come back, in order, over several flushes."""
        records = [b"", b"\n", bytes(range(256)), b"x" * 100_000, b"{}"]

        async def claim() -> list[bytes]:
            journal = party().journal("j/w")
            await _write(journal, *records[:2])
            await _write(journal, *records[2:])
            return list(await party().journal("j/w").read())

        assert asyncio.run(claim()) == records

    def test_a_journal_nobody_wrote_is_empty(self, party: Party) -> None:
        """Reading before the first flush gives no records; a flush of nothing is no error."""

        async def claim() -> list[list[bytes]]:
            journal = party().journal("j/w")
            journal.append(b"not flushed")
            fresh = party().journal("j/v")
            await fresh.flush()
            return [list(await party().journal("j/w").read()), list(await fresh.read())]

        assert asyncio.run(claim()) == [[], []]

    def test_journals_do_not_mix(self, party: Party) -> None:
        """Records stay below their own prefix, also when one prefix starts with another."""

        async def claim() -> list[list[bytes]]:
            store = party()
            await _write(store.journal("j/w1"), b"1")
            await _write(store.journal("j/w10"), b"10")
            return [list(await store.journal(name).read()) for name in ("j/w1", "j/w10")]

        assert asyncio.run(claim()) == [[b"1"], [b"10"]]

    def test_a_seal_holds_what_was_flushed_before(self, party: Party) -> None:
        """Reading up to the seal gives every flushed record."""

        async def claim() -> list[bytes]:
            await _write(party().journal("j/w"), b"1", b"2")
            journal = party().journal("j/w")
            return list(await journal.read(await journal.seal()))

        assert asyncio.run(claim()) == [b"1", b"2"]

    def test_a_seal_is_the_same_for_everybody(self, party: Party) -> None:
        """Sealing again, by anybody, gives the first position; racing sealers agree."""

        async def write() -> None:
            await _write(party().journal("j/w"), b"1")

        asyncio.run(write())
        positions = in_threads(party, lambda store, _: store.journal("j/w").seal())

        assert len(set(positions)) == 1
        assert positions[0] == asyncio.run(party().journal("j/w").seal())

    def test_a_reader_follows_a_writer(self, party: Party) -> None:
        """Each look gives what is new, in order and once, by whatever handle; a look at nothing new moves nothing."""

        async def claim() -> tuple[list[list[bytes]], bool]:
            writer, looks, position = party().journal("j/w"), [], ""
            for batch in ((), (b"1", b"2"), (), (b"", b"x" * 100_000), (b"5",)):
                await _write(writer, *batch)
                found, position = await party().journal("j/w").read_from(position)
                looks.append(list(found))
            again, same = await party().journal("j/w").read_from(position)
            return [*looks, list(again)], same == position

        assert asyncio.run(claim()) == ([[], [b"1", b"2"], [], [b"", b"x" * 100_000], [b"5"], []], True)

    def test_a_reader_sees_nothing_behind_a_seal(self, party: Party) -> None:
        """Following a journal to its seal gives what a read up to the seal gives."""

        async def claim() -> list[bytes]:
            writer, other = party().journal("j/w"), party().journal("j/w")
            await _write(writer, b"1")
            first, position = await other.read_from("")
            await _write(writer, b"2")
            await other.seal()
            with pytest.raises(Fenced):
                await _write(writer, b"late")
            rest, position = await other.read_from(position)
            none, _ = await other.read_from(position)
            return [*first, *rest, *none]

        assert asyncio.run(claim()) == [b"1", b"2"]

    def test_a_fenced_writer_is_told_and_its_records_do_not_count(self, party: Party) -> None:
        """After another party's seal each flush with records raises `Fenced`; no reader sees them."""

        async def claim() -> list[list[bytes]]:
            writer, other = party().journal("j/w"), party().journal("j/w")
            await _write(writer, b"1")
            position = await other.seal()
            for _ in range(2):
                with pytest.raises(Fenced):
                    await _write(writer, b"late")
            return [list(await other.read(position)), list(await other.read())]

        assert asyncio.run(claim()) == [[b"1"], [b"1"]]

    def test_a_journal_can_be_sealed_before_its_first_record(self, party: Party) -> None:
        """A worker that was given up before it wrote anything is fenced all the same."""

        async def claim() -> list[bytes]:
            position = await party().journal("j/w").seal()
            with pytest.raises(Fenced):
                await _write(party().journal("j/w"), b"late")
            return list(await party().journal("j/w").read(position))

        assert asyncio.run(claim()) == []

    def test_deletion_removes_journals(self, party: Party) -> None:
        """Deleting a run's prefix leaves nothing of its journals, and its listing is empty."""

        async def claim() -> tuple[list[bytes], int]:
            store = party()
            await _write(store.journal("runs/1/journal/w"), b"1")
            await store.journal("runs/1/journal/w").seal()
            await store.delete("runs/1/")
            return list(await party().journal("runs/1/journal/w").read()), len(await party().list(""))

        assert asyncio.run(claim()) == ([], 0)

    def test_what_was_flushed_in_a_race_with_a_seal_counts(self, party: Party) -> None:
        """Writer against sealers: successful flushes are under the seal, `Fenced` ones only as a prefix, none after."""
        for race in range(12):
            flushed: list[bytes] = []

            async def work(store: Store, number: int, race: int = race, flushed: list[bytes] = flushed) -> str:
                journal = store.journal(f"j/{race}")
                return await (
                    self._write_until_fenced(journal, flushed) if number == 0 else self._seal(store, race, number)
                )

            positions = set(in_threads(party, work)[1:])
            counted = list(asyncio.run(_read(party(), f"j/{race}", str(positions.pop()))))

            assert not positions
            assert counted[: len(flushed)] == flushed
            assert counted == [b"%d" % n for n in range(len(counted))]
            assert len(counted) <= len(flushed) + 1

    async def _write_until_fenced(self, journal: Journal, flushed: list[bytes]) -> str:
        while True:
            record = b"%d" % len(flushed)
            try:
                await _write(journal, record)
            except Fenced:
                return ""
            flushed.append(record)

    async def _seal(self, store: Store, race: int, number: int) -> str:
        for _ in range(race * number):
            await store.list(f"j/{race}/")
        return await store.journal(f"j/{race}").seal()


async def _read(store: Store, key: str, position: str) -> list[bytes]:
    return list(await store.journal(key).read(position))
