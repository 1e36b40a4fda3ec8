"""Frames of a session: whole whatever the pieces they come in, refused when they are none of ours."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.harness.relay_frames import HEADER, LONGEST, BrokenFrames, Frames, Outgoing, frame

FRAMES = st.lists(st.tuples(st.integers(0, 2**32 - 1), st.binary(max_size=50)), max_size=10)


@given(FRAMES, st.lists(st.integers(1, 40), min_size=1, max_size=20))
def test_frames_are_whole_whatever_the_pieces(sent: list[tuple[int, bytes]], cuts: list[int]) -> None:
    """Cut anywhere, they come in order and once."""
    data = b"".join(frame(stream, content) for stream, content in sent)
    frames, heard = Frames(), list[tuple[int, bytes]]()
    turn = 0
    while data:
        piece, data = data[: cuts[turn % len(cuts)]], data[cuts[turn % len(cuts)] :]
        heard += frames.feed(piece)
        turn += 1

    assert heard == sent


def test_a_frame_that_is_too_long_is_refused() -> None:
    """Before it fills anybody's memory."""
    with pytest.raises(BrokenFrames, match="a frame of"):
        Frames().feed(HEADER.pack(1, LONGEST + 1))


def test_what_does_not_fit_into_a_pipe_waits() -> None:
    """In order, until somebody reads; a closed pipe takes nothing more."""
    reader, writer = os.pipe()
    outgoing = Outgoing(writer)
    data = os.urandom(300_000)
    outgoing.add(data)
    outgoing.flush()
    assert 0 < len(outgoing) < len(data)
    heard = b""
    while len(heard) < len(data):
        heard += os.read(reader, 65536)
        outgoing.flush()
    assert heard == data

    os.close(reader)
    outgoing.add(b"more")
    outgoing.flush()

    assert outgoing.is_broken
    assert len(outgoing) == 0
    os.close(writer)
