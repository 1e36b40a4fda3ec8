"""What a file of record frames gives back after its tail was torn off, or bytes in it were changed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipeline.adapters.record_frames import MAGIC, decode, encode

records = st.binary(max_size=40) | st.just(MAGIC * 9)
flushes = st.lists(st.lists(records, min_size=1, max_size=4), min_size=1, max_size=5)


def _file(batches: list[list[bytes]]) -> tuple[bytes, list[int]]:
    """The file, and where each flush begins."""
    data, bases = b"", []
    for batch in batches:
        bases.append(len(data))
        data += encode(batch, len(data))
    return data, bases


@given(flushes)
def test_whole_files_give_all_records(batches: list[list[bytes]]) -> None:
    """Encoding over several flushes and decoding is the identity."""
    data, _ = _file(batches)

    assert decode(data).records == [record for batch in batches for record in batch]
    assert (decode(data).end, decode(data).damaged_at) == (len(data), None)


@given(flushes, st.data())
def test_a_torn_tail_gives_the_prefix_and_is_no_damage(batches: list[list[bytes]], choice: st.DataObject) -> None:
    """Cut anywhere, the file gives the whole records before the cut."""
    data, _ = _file(batches)
    cut = choice.draw(st.integers(0, len(data)))
    whole = decode(data)
    frames = decode(data[:cut])

    assert frames.damaged_at is None
    assert frames.records == whole.records[: sum(end <= cut for end in whole.ends)]


@given(flushes, st.data())
def test_a_changed_byte_is_never_passed_off_as_a_record(batches: list[list[bytes]], choice: st.DataObject) -> None:
    """Damage ends the good prefix; it is told as damage exactly when a later flush is still good."""
    data, bases = _file(batches)
    place = choice.draw(st.integers(0, len(data) - 1))
    changed = data[:place] + bytes([data[place] ^ choice.draw(st.integers(1, 255))]) + data[place + 1 :]
    whole, frames = decode(data), decode(changed)
    good = sum(end <= place for end in whole.ends)

    assert frames.records == whole.records[:good]
    assert (frames.damaged_at is not None) == (place < bases[-1])


def test_a_hole_within_one_flush_is_a_torn_tail() -> None:
    """After a power cut the pages of one unfinished flush may be there in any order; that is no damage."""
    first = encode([b"a"], 0)
    data = bytearray(first + encode([b"b" * 50, b"c" * 50], len(first)))
    data[len(first) : len(first) + 30] = bytes(30)

    assert (decode(bytes(data)).records, decode(bytes(data)).damaged_at) == ([b"a"], None)
