"""What every store must do: subclass these, give the fixtures, and pytest runs the claims against your store.

    class TestMyStore(StoreContract):
        @pytest.fixture
        def party(self):
            medium = …                      # a fresh, empty one for each test
            return lambda: MyStore(medium)  # each call: another party's handle on it

`JournalContract` (in `journal_contract`) takes the same fixture. `UnknownOutcomeContract` (in
`unknown_outcome_contract`) also needs `trouble`. Nothing of our adapters is imported here.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable

import pytest

from pipeline.errors import UsageError
from pipeline.ports import Store

Party = Callable[[], Store]

PARTIES = 8


def in_threads(party: Party, work: Callable[[Store, int], Awaitable[object]]) -> list[object]:
    """Let several parties, each in a thread and event loop of its own, start `work` at the same moment."""
    gate = threading.Barrier(PARTIES)
    answers: list[object] = [None] * PARTIES

    def run(number: int) -> None:
        store = party()
        gate.wait()
        answers[number] = asyncio.run(_awaited(work(store, number)))

    threads = [threading.Thread(target=run, args=(number,)) for number in range(PARTIES)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


async def _awaited(work: Awaitable[object]) -> object:
    return await work


def _spelled(key: str) -> str:
    """In ASCII and without backslashes, which pytest doubles once for each class that inherits the test."""
    return ascii(key).replace("\\", "%")


class StoreContract:
    """Claims about values, listings, deletion and keys."""

    @pytest.fixture
    def party(self) -> Party:
        """Override: each call gives another party's handle on one medium, fresh and empty in each test."""
        raise NotImplementedError

    def test_a_created_value_is_read_back_by_everybody(self, party: Party) -> None:
        """What one party creates, another reads, byte for byte."""
        data = bytes(range(256)) * 300

        async def claim() -> bytes | None:
            assert await party().create("a/b/c", data)
            return await party().read("a/b/c")

        assert asyncio.run(claim()) == data

    def test_an_absent_value_reads_as_none(self, party: Party) -> None:
        """Neither an empty store, nor a key below or above a value, has a value."""

        async def claim() -> list[bytes | None]:
            store = party()
            before = await store.read("a/b")
            await store.create("a/b", b"1")
            return [before, await store.read("a"), await store.read("a/c"), await store.read("b")]

        assert asyncio.run(claim()) == [None, None, None, None]

    def test_the_second_create_is_refused_and_changes_nothing(self, party: Party) -> None:
        """`create` answers False for an existing key and leaves its value alone."""

        async def claim() -> tuple[bool, bool, bytes | None]:
            return await party().create("k", b"one"), await party().create("k", b"two"), await party().read("k")

        assert asyncio.run(claim()) == (True, False, b"one")

    def test_an_empty_value_is_a_value(self, party: Party) -> None:
        """No bytes are still a value: created once, listed, read as b''."""

        async def claim() -> tuple[bool, bool, bytes | None, int]:
            store = party()
            first, second = await store.create("k", b""), await store.create("k", b"")
            return first, second, await store.read("k"), len(await store.list(""))

        assert asyncio.run(claim()) == (True, False, b"", 1)

    def test_one_of_many_racing_creators_wins(self, party: Party) -> None:
        """In a race for one key exactly one party is told True, and the value is that party's, whole."""
        for race in range(10):

            def create(store: Store, number: int, key: str = f"r/{race}") -> Awaitable[object]:
                return store.create(key, b"%d" % number * 5000)

            answers = in_threads(party, create)
            value = asyncio.run(_awaited(party().read(f"r/{race}")))

            assert answers.count(True) == 1
            assert value == b"%d" % answers.index(True) * 5000

    def test_racing_creators_of_different_keys_all_win(self, party: Party) -> None:
        """Making folders at the same time disturbs nobody."""
        answers = in_threads(party, lambda store, n: store.create(f"x/y/{n}/z", b"1"))

        assert answers == [True] * PARTIES

    def test_replace_needs_no_value_before_and_takes_the_place_of_one(self, party: Party) -> None:
        """`replace` puts, whatever was there."""

        async def claim() -> tuple[bytes | None, bytes | None]:
            store = party()
            await store.replace("b/w", b"1")
            first = await store.read("b/w")
            await store.replace("b/w", b"22")
            return first, await party().read("b/w")

        assert asyncio.run(claim()) == (b"1", b"22")

    def test_a_reader_never_sees_half_a_replacement(self, party: Party) -> None:
        """While one party replaces, others read whole values only."""
        wholes = {bytes([n]) * 100_000 for n in range(PARTIES)}

        async def work(store: Store, number: int) -> bool:
            if number == 0:
                for n in range(PARTIES * 4):
                    await store.replace("b", bytes([n % PARTIES]) * 100_000)
                return True
            return all([await store.read("b") in wholes | {None} for _ in range(30)])

        assert in_threads(party, work) == [True] * PARTIES

    def test_a_listing_is_sorted_and_holds_exactly_the_prefix(self, party: Party) -> None:
        """The prefix is a plain string: it may end within a part; order is by the whole key."""
        keys = ["r/a-b", "r/a/x", "r/a/y", "r/a.b", "r/ab", "r/b", "s"]

        async def claim(prefix: str) -> list[str]:
            return [entry.key for entry in await party().list(prefix)]

        async def fill() -> None:
            for key in reversed(keys):
                await party().create(key, b"1")

        asyncio.run(fill())

        for prefix in ("", "r", "r/", "r/a", "r/a/", "r/a/x", "r/c", "s", "zz/y"):
            assert asyncio.run(claim(prefix)) == sorted(key for key in keys if key.startswith(prefix))

    def test_a_version_changes_with_each_replacement_only(self, party: Party) -> None:
        """A hundred replacements with equal bytes in one breath give a hundred versions; reading gives none."""

        async def claim() -> tuple[int, bool]:
            store, versions = party(), []
            for _ in range(100):
                await store.replace("beats/w", b"same")
                versions += [entry.version for entry in await party().list("beats/")]
            await party().read("beats/w")
            return len(set(versions)), (await party().list("beats/"))[0].version == versions[-1]

        assert asyncio.run(claim()) == (100, True)

    def test_a_value_replaced_during_listings_is_in_all_of_them(self, party: Party) -> None:
        """A heartbeat is never missing from a listing because it is beating."""

        async def work(store: Store, number: int) -> bool:
            if number < PARTIES // 2:
                for _ in range(60):
                    await store.replace(f"beats/{number}", b"1")
                return True
            return all([len(await store.list("beats/")) == PARTIES for _ in range(30)])

        async def fill() -> None:
            for number in range(PARTIES):
                await party().create(f"beats/{number}", b"0")

        asyncio.run(fill())

        assert in_threads(party, work) == [True] * PARTIES

    def test_deletion_removes_the_prefix_and_nothing_else(self, party: Party) -> None:
        """`delete` counts what it removed; what is left is untouched; a deleted key can be created again."""

        async def claim() -> tuple[int, int, list[str], bool]:
            store = party()
            for key in ("runs/1/plan", "runs/1/beats/w", "runs/10/plan", "other"):
                await store.create(key, b"1")
            removed, again = await store.delete("runs/1/"), await store.delete("runs/1/")
            left = [entry.key for entry in await party().list("")]
            return removed, again, left, await party().create("runs/1/plan", b"2")

        assert asyncio.run(claim()) == (2, 0, ["other", "runs/10/plan"], True)

    def test_deletion_of_everything_is_refused(self, party: Party) -> None:
        """An empty prefix is a mistake, never a wish."""
        with pytest.raises(UsageError, match="whole store"):
            asyncio.run(_awaited(party().delete("")))

    @pytest.mark.parametrize(
        "key",
        [
            "",
            "/",
            "/a",
            "a/",
            "a//b",
            ".",
            "..",
            "a/../b",
            "../a",
            "a b",
            "a\nb",
            "a\0b",
            "~x",
            "é",
            "a" * 201,
            "a/" * 500 + "a",
        ],
        ids=_spelled,
    )
    def test_a_hostile_key_is_refused(self, party: Party, key: str) -> None:
        """Keys may be made of names from tests, so anything that is no plain key is an error in every operation."""
        for call in (party().create(key, b""), party().replace(key, b""), party().read(key)):
            with pytest.raises(UsageError, match="is no store key"):
                asyncio.run(_awaited(call))

    @pytest.mark.parametrize("prefix", ["/", "../", "a/../", "a//", "a b", "~"], ids=ascii)
    def test_a_hostile_prefix_is_refused(self, party: Party, prefix: str) -> None:
        """Neither listing nor deletion nor a journal can reach outside the store."""
        for call in (party().list(prefix), party().delete(prefix)):
            with pytest.raises(UsageError, match="is no store key"):
                asyncio.run(_awaited(call))
