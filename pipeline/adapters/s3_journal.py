"""`ports.Journal` in S3: segments numbered from 1, each created by a conditional write; the seal is the next segment.

A segment is frozen before it is first sent and repeated with the same bytes until its outcome is known, and the next
one is sent only then. So there are no gaps, and only the gap-free prefix counts. Whoever seals creates the number that
the writer would use next: either the writer's segment is there first, and counts, or the seal is, and the writer is
refused and learns that it was fenced. Nothing can come late. A position is the number of segments that count.

Nothing is ever listed: readers ask for the next number. Nothing of tests or workers is known here.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from attrs import define, field

from pipeline.adapters.s3_segments import Segment, damaged, read_segment, write_seal, write_segment
from pipeline.errors import Fenced

if TYPE_CHECKING:
    from pipeline.adapters.s3_store import S3Store

MOST_TOGETHER: Final = 32
"""Reads of one journal that are under way at once."""


@define(kw_only=True)
class Segments:
    """What one process knows of one journal for certain. Segments never change, so it may be kept."""

    key: str
    known: list[Segment] = field(factory=list)
    """From number 1 on, without gaps, without the seal."""
    is_sealed: bool = False

    def key_of(self, number: int) -> str:
        """Fixed width, so that listings are in order for people."""
        return f"{self.key}/{number:08d}"

    def learn(self, number: int, segment: Segment) -> None:
        """Take over the segment of that number, unless it is known or would leave a gap."""
        if self.is_sealed or number != len(self.known) + 1:
            return
        if segment.is_seal:
            self.is_sealed = True
        else:
            self.known.append(segment)

    def records(self, after: int, upto: int) -> list[bytes]:
        """Records of the segments from number `after` + 1 to `upto`."""
        return [record for segment in self.known[after:upto] for record in segment.records]


class S3Journal:
    """A handle on a journal. Of all handles in all processes only one may write."""

    def __init__(self, store: S3Store, segments: Segments) -> None:
        self._store = store
        self._segments = segments
        self._nonce = secrets.token_hex(8)
        self._pending: list[bytes] = []
        self._frozen: tuple[int, bytes] | None = None
        """Number and bytes of the segment that is being sent, made of the first pending records."""
        self._frozen_records = 0
        self._has_written = False
        self._turn = asyncio.Lock()

    def append(self, record: bytes) -> None:
        """Keep a record for the next flush."""
        self._pending.append(record)

    async def flush(self) -> None:
        """Send what is pending; after `StoreUnavailable` it is still pending. Raises `Fenced`."""
        async with self._turn:
            # Not until nothing is pending: a worker that never pauses would keep one flush busy for ever.
            left = len(self._pending)
            while left > 0:
                left -= await self._send()

    async def seal(self) -> str:
        """End what counts; how many segments do. Raises `StoreDamaged`."""
        segments = self._segments
        while not segments.is_sealed:
            number = len(segments.known) + 1
            if await self._store.create(segments.key_of(number), write_seal(number)):
                segments.learn(number, Segment(is_seal=True))
            else:
                await self._catch_up()
        return str(len(segments.known))

    async def read(self, upto: str | None = None) -> Sequence[bytes]:
        """The records of that many segments, or up to the seal, or all. Raises `StoreDamaged`."""
        records, _ = await self._read(0, upto)
        return records

    async def read_from(self, position: str) -> tuple[Sequence[bytes], str]:
        """The records behind that position, and the position behind them; one request when nothing is new."""
        return await self._read(int(position or 0), None)

    async def late(self) -> int:
        """None ever: what comes after a seal is refused."""
        return 0

    async def _read(self, after: int, upto: str | None) -> tuple[list[bytes], str]:
        segments = self._segments
        stop = None if upto is None else int(upto)
        if not segments.is_sealed and (stop is None or stop > len(segments.known)):
            await self._catch_up(stop)
        if stop is not None and stop > len(segments.known):
            raise damaged(segments.key, f"segment {len(segments.known) + 1} of {stop} is missing")
        end = len(segments.known) if stop is None else stop
        return segments.records(after, end), str(max(after, end))

    async def _catch_up(self, upto: int | None = None) -> None:
        """Learn all segments there are, or that many: one request when there is nothing new."""
        segments = self._segments
        together = 1 if upto is None else MOST_TOGETHER
        while not segments.is_sealed:
            first = len(segments.known) + 1
            stop = first + together if upto is None else min(first + together, upto + 1)
            if first >= stop:
                return
            found = await asyncio.gather(*(self._fetch(number) for number in range(first, stop)))
            for number, segment in enumerate(found, first):
                if segment is None:
                    return
                segments.learn(number, segment)
            together = min(2 * together, MOST_TOGETHER)

    async def _fetch(self, number: int) -> Segment | None:
        segments = self._segments
        data = await self._store.read(segments.key_of(number))
        return None if data is None else read_segment(data, number, segments.key)

    async def _send(self) -> int:
        """Make one segment durable; of how many records it is."""
        segments = self._segments
        if segments.is_sealed:
            raise self._fenced()
        number, data = self._freeze()
        if not await self._store.create(segments.key_of(number), data) and not await self._is_mine(number, data):
            self._frozen = None
            return 0
        self._has_written = True
        count = self._frozen_records
        segments.learn(number, Segment(tuple(self._pending[:count])))
        del self._pending[:count]
        self._frozen = None
        return count

    def _freeze(self) -> tuple[int, bytes]:
        if self._frozen is None:
            number = len(self._segments.known) + 1
            self._frozen_records = len(self._pending)
            self._frozen = number, write_segment(number, self._nonce, self._pending)
        return self._frozen

    async def _is_mine(self, number: int, data: bytes) -> bool:
        """Whether what stands was sent by an earlier try. False: a predecessor's, and now its end is known."""
        segments = self._segments
        if await self._store.read(segments.key_of(number)) == data:
            return True
        await self._catch_up()
        if segments.is_sealed or self._has_written:
            raise self._fenced()
        return False

    def _fenced(self) -> Fenced:
        return Fenced(f"the journal {self._segments.key!r} has been sealed by another party")
