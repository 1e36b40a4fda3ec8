"""What a store must still promise when an answer is lost, comes late, or a write is refused.

The fixture `trouble` makes faults: `with trouble(store, "answer-lost"): …` lets the store's writes take effect and then
raise `StoreUnavailable` (or succeed, where the store can find out that they did); "refused" lets them have no effect
and raise.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from pipeline.contracts.store_contract import Party
from pipeline.errors import StoreUnavailable
from pipeline.ports import Store

Trouble = Callable[[Store, str], AbstractContextManager[object]]

FAULTS = ("answer-lost", "refused")


class UnknownOutcomeContract:
    """Claims about repeating what had no definite outcome."""

    @pytest.fixture
    def party(self) -> Party:
        """Override: each call gives another party's handle on one medium, fresh and empty in each test."""
        raise NotImplementedError

    @pytest.fixture
    def trouble(self) -> Trouble:
        """Override: a context in which the writes of that store meet that fault."""
        raise NotImplementedError

    @pytest.mark.parametrize("fault", FAULTS)
    def test_a_create_repeated_with_equal_bytes_becomes_definite(
        self, party: Party, trouble: Trouble, fault: str
    ) -> None:
        """The repetition wins, or finds its own bytes there: either way the key is mine."""

        async def claim() -> tuple[bool, bytes | None]:
            store = party()
            with trouble(store, fault):
                await _unsure(store, "claims/1", b"mine")
            won = await store.create("claims/1", b"mine")
            return won or await store.read("claims/1") == b"mine", await party().read("claims/1")

        assert asyncio.run(claim()) == (True, b"mine")

    @pytest.mark.parametrize("fault", FAULTS)
    def test_a_lost_race_is_seen_after_trouble(self, party: Party, trouble: Trouble, fault: str) -> None:
        """Trouble with a create on another's key neither changes the value nor makes the repetition win."""

        async def claim() -> tuple[bool, bytes | None]:
            store = party()
            await party().create("claims/1", b"theirs")
            with trouble(store, fault):
                await _unsure(store, "claims/1", b"mine")
            return await store.create("claims/1", b"mine"), await store.read("claims/1")

        assert asyncio.run(claim()) == (False, b"theirs")

    @pytest.mark.parametrize("fault", FAULTS)
    def test_a_repeated_flush_writes_each_record_once(self, party: Party, trouble: Trouble, fault: str) -> None:
        """Records of a flush without answer stay pending; the next flush makes them durable exactly once, in order."""

        async def claim() -> list[bytes]:
            store = party()
            journal = store.journal("j/w")
            journal.append(b"1")
            await journal.flush()
            journal.append(b"2")
            with trouble(store, fault), pytest.raises(StoreUnavailable):
                await journal.flush()
            journal.append(b"3")
            await journal.flush()
            return list(await party().journal("j/w").read())

        assert asyncio.run(claim()) == [b"1", b"2", b"3"]

    @pytest.mark.parametrize("fault", FAULTS)
    def test_a_repeated_seal_gives_one_position(self, party: Party, trouble: Trouble, fault: str) -> None:
        """A seal without answer may be repeated; it holds what was flushed and nothing of what came between."""

        async def claim() -> tuple[bool, list[bytes]]:
            store, writer = party(), party().journal("j/w")
            writer.append(b"1")
            await writer.flush()
            with trouble(store, fault):
                try:
                    await store.journal("j/w").seal()
                except StoreUnavailable:
                    pass
            position = await store.journal("j/w").seal()
            return position == await party().journal("j/w").seal(), list(await writer.read(position))

        assert asyncio.run(claim()) == (True, [b"1"])


async def _unsure(store: Store, key: str, data: bytes) -> None:
    try:
        await store.create(key, data)
    except StoreUnavailable:
        pass
