"""Pieces that are compressed beside each other make one stream, of the same bytes whoever compresses it."""

from __future__ import annotations

import random
import zlib

import pytest

from pipeline.adapters import layer_deflate
from pipeline.adapters.layer_deflate import deflated

WORDS = b" ".join(f"word{number % 977} of a text that repeats itself".encode() for number in range(60_000))
NOISE = random.Random(4).randbytes(1_300_000)


def cut(data: bytes, size: int = 1 << 19) -> list[bytes]:
    """Pieces of it."""
    return [data[at : at + size] for at in range(0, len(data), size)]


def inflated(packed: bytes) -> bytes:
    """What a strict reader finds in it."""
    reader = zlib.decompressobj(-zlib.MAX_WBITS)
    found = reader.decompress(packed) + reader.flush()
    assert reader.eof
    assert not reader.unused_data
    return found


@pytest.mark.parametrize("data", [b"", b"x", WORDS[: 1 << 19], WORDS, NOISE, WORDS + NOISE + WORDS], ids=len)
def test_it_is_one_stream(data: bytes) -> None:
    """Whatever it holds, text or noise or both."""
    assert inflated(b"".join(deflated(cut(data)))) == data


def test_threads_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    """One at a time or many: the same bytes."""
    many = b"".join(deflated(cut(WORDS + NOISE)))
    monkeypatch.setattr(layer_deflate, "TOGETHER", 1)

    assert b"".join(deflated(cut(WORDS + NOISE))) == many


def test_pieces_cost_little() -> None:
    """Text in pieces is hardly larger than in one, and noise hardly larger than it was."""
    assert len(b"".join(deflated(cut(WORDS)))) < 1.02 * len(b"".join(deflated([WORDS])))
    assert len(b"".join(deflated(cut(NOISE)))) < 1.002 * len(NOISE)
