"""The objects that a journal in S3 is made of: segments of records, and the seal.

Pure functions on bytes. A segment is one line of ASCII, `doit-fleet-segment 1 <number> <records> <nonce>`, then frames
as in `record_frames`. A seal is the line `doit-fleet-seal 1 <number>`. The nonce is the writer's, so that it knows its
own segment again when the answer to sending it was lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from attrs import frozen

from pipeline.adapters.record_frames import decode, encode
from pipeline.errors import StoreDamaged

SEGMENT: Final = b"doit-fleet-segment"
SEAL: Final = b"doit-fleet-seal"
FORMAT: Final = b"1"


@frozen
class Segment:
    """Records that became durable together; `is_seal`: the end of a journal, without any."""

    records: tuple[bytes, ...] = ()
    is_seal: bool = False


def write_segment(number: int, nonce: str, records: Sequence[bytes]) -> bytes:
    """The object of that number."""
    return b"%b %b %d %d %b\n" % (SEGMENT, FORMAT, number, len(records), nonce.encode("ascii")) + encode(records, 0)


def write_seal(number: int) -> bytes:
    """The object of that number, when it is the journal's end."""
    return b"%b %b %d\n" % (SEAL, FORMAT, number)


def read_segment(data: bytes, number: int, name: str) -> Segment:
    """Parse the object of that number; `name` is for the message. Raises `StoreDamaged`."""
    line, _, body = data.partition(b"\n")
    if data == write_seal(number):
        return Segment(is_seal=True)
    match line.split(b" "):
        case [kind, form, told, count, _] if (kind, form, told) == (SEGMENT, FORMAT, b"%d" % number):
            frames = decode(body)
            if frames.end == len(body) and b"%d" % len(frames.records) == count:
                return Segment(tuple(frames.records))
            raise damaged(name, f"records of segment {number} are bad from byte {len(line) + 1 + frames.end} on")
    raise damaged(name, f"segment {number} begins with {data[:40]!r}")


def damaged(name: str, reason: str) -> StoreDamaged:
    """The error for a journal that is not what was written."""
    return StoreDamaged(
        f"the journal {name!r} is damaged: {reason}",
        hint="start the run anew: remove it with `doit sweep`; see who else writes to this bucket",
    )
