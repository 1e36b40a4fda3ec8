"""A store in memory with the semantics of the real ones, and with faults on request.

Every party of a simulation gets its own `view` of the same contents. All waiting goes through the injected `wait` and
`later`, so virtual time works; without them the store is a plain, instant, deterministic one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from pipeline.errors import Fenced, StoreUnavailable
from pipeline.ports import Entry
from tests.fakes.faults import Decide, Fate, Later, Operation, Wait, no_trouble
from tests.fakes.memory_data import JournalData, MemoryData

T = TypeVar("T")


async def _no_wait(seconds: float) -> None:
    """Let no time pass."""


class MemoryStore:
    """`ports.Store` in memory.

    `decide` chooses each operation's fate. Late effects are handed to `later`, or kept until `settle()`.
    """

    def __init__(
        self,
        data: MemoryData | None = None,
        *,
        party: str = "",
        decide: Decide = no_trouble,
        wait: Wait = _no_wait,
        later: Later | None = None,
    ) -> None:
        self.data = data if data is not None else MemoryData()
        self.party = party
        self.decide = decide
        self._wait = wait
        self._later = later
        self._overdue: list[Callable[[], object]] = []

    def view(self, party: str, decide: Decide | None = None) -> MemoryStore:
        """The same contents, as another party sees them."""
        return MemoryStore(self.data, party=party, decide=decide or self.decide, wait=self._wait, later=self._later)

    def settle(self) -> None:
        """Let all late writes of this view take effect now (only without `later`)."""
        overdue, self._overdue = self._overdue, []
        for effect in overdue:
            effect()

    async def create(self, key: str, data: bytes) -> bool:
        """Put if absent."""
        return await self.carry_out("create", key, lambda: self.data.create(key, data))

    async def replace(self, key: str, data: bytes) -> None:
        """Put."""
        await self.carry_out("replace", key, lambda: self.data.replace(key, data))

    async def read(self, key: str) -> bytes | None:
        """The value or None."""
        return await self.carry_out("read", key, lambda: self.data.read(key))

    async def list(self, prefix: str) -> Sequence[Entry]:
        """All entries below the prefix, in one moment."""
        return await self.carry_out("list", prefix, lambda: self.data.list(prefix))

    async def delete(self, prefix: str) -> int:
        """Remove everything below the prefix."""
        return await self.carry_out("delete", prefix, lambda: self.data.delete(prefix))

    def journal(self, prefix: str) -> MemoryJournal:
        """A handle on the journal; its unflushed records belong to the handle."""
        return MemoryJournal(self, prefix)

    async def carry_out(
        self, kind: str, key: str, effect: Callable[[], T], torn: Callable[[int], object] | None = None
    ) -> T:
        """Let the operation meet its fate."""
        fate = self.decide(Operation(party=self.party, kind=kind, key=key))
        await self._pass(fate.before_seconds)
        if fate.refused:
            raise StoreUnavailable(f"{kind} {key!r}: refused")
        if fate.late_seconds is not None:
            self._put_off(fate.late_seconds, effect)
            raise StoreUnavailable(f"{kind} {key!r}: no answer in time")
        if fate.torn is not None and torn is not None:
            torn(fate.torn)
            raise StoreUnavailable(f"{kind} {key!r}: written in part")
        return await self._answer(fate, f"{kind} {key!r}", effect())

    async def _answer(self, fate: Fate, what: str, answer: T) -> T:
        await self._pass(fate.after_seconds)
        if fate.answer_lost:
            raise StoreUnavailable(f"{what}: the answer was lost")
        return answer

    async def _pass(self, seconds: float) -> None:
        if seconds > 0:
            await self._wait(seconds)

    def _put_off(self, seconds: float, effect: Callable[[], object]) -> None:
        def quietly() -> None:
            try:
                effect()
            except Fenced:
                pass  # Its writer gave up long ago; nobody is there to be told.

        if self._later is None:
            self._overdue.append(quietly)
        else:
            self._later(seconds, quietly)


class MemoryJournal:
    """`ports.Journal` in memory. A segment is frozen before it is first sent, and repeated until it is definite."""

    def __init__(self, store: MemoryStore, prefix: str) -> None:
        self._store = store
        self._prefix = prefix.rstrip("/")
        self._pending: list[bytes] = []
        self._frozen: tuple[bytes, ...] = ()
        self._number = len(store.data.journal(prefix).segments)

    def append(self, record: bytes) -> None:
        """Keep a record for the next flush."""
        self._pending.append(bytes(record))

    async def flush(self) -> None:
        """Send what is pending, in order. Raises `Fenced`, `StoreUnavailable`."""
        while self._frozen or self._pending:
            if not self._frozen:
                self._frozen, self._pending = tuple(self._pending), []
            number = self._number
            await self._send(number, self._frozen)
            if number == self._number:  # Else another flush of this handle, going on at the same time, was faster.
                self._number, self._frozen = number + 1, ()

    async def _send(self, number: int, segment: tuple[bytes, ...]) -> None:
        data = self._store.data.journal(self._prefix)
        await self._store.carry_out(
            "journal-flush",
            self._prefix,
            lambda: data.put(number, segment),
            torn=lambda count: data.put(number, segment[:count]),
        )

    async def seal(self) -> str:
        """End what counts; the position."""
        return await self._store.carry_out("journal-seal", self._prefix, self._data().seal)

    async def read(self, upto: str | None = None) -> Sequence[bytes]:
        """What counts so far."""
        return await self._store.carry_out("journal-read", self._prefix, lambda: self._data().read(upto))

    async def read_from(self, position: str) -> tuple[Sequence[bytes], str]:
        """What counts behind that many records."""
        return await self._store.carry_out("journal-read", self._prefix, lambda: self._data().read_from(position))

    async def late(self) -> int:
        """Records that came after the seal."""
        return await self._store.carry_out("journal-read", self._prefix, lambda: self._data().late)

    def _data(self) -> JournalData:
        return self._store.data.journal(self._prefix)
