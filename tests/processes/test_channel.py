"""The harness's end of the channel: what is said is kept first and sent soon, each byte once, whatever happens."""

from __future__ import annotations

import json
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.adapters.stream import MessageStream
from pipeline.harness import channel as channel_module
from pipeline.harness import outbox as outbox_module
from pipeline.harness.channel import Channel
from pipeline.harness.outbox import Outbox
from pipeline.harness.outbox_reader import OutboxReader, prepare_outbox


class Ends:
    """A channel in this process and the agent's view of it."""

    def __init__(self, folder: Path) -> None:
        self.agent, theirs = socket.socketpair()
        self.path = folder / f"outbox-{len(list(folder.iterdir()))}"
        assert prepare_outbox(self.path)
        self.channel = Channel(theirs.detach(), Outbox(str(self.path)))
        self.agent.setblocking(False)
        self.reader = OutboxReader(self.path)
        self.stream = MessageStream()

    def receive(self) -> None:
        """Take what the socket has."""
        try:
            self.stream.feed_socket(self.agent.recv(1 << 22))
        except BlockingIOError:
            pass

    def peek(self) -> None:
        """Take what only the outbox has."""
        self.stream.feed_outbox(self.reader.read(self.stream.position))

    def messages(self) -> list[dict[str, Any]]:
        """All whole messages so far."""
        return list(iter(self.stream.next, None))

    def close(self) -> None:
        """Close both ends."""
        self.agent.close()
        os.close(self.channel._descriptor)
        self.reader.close()


@pytest.fixture
def ends(tmp_path: Path) -> Iterator[Ends]:
    """A fresh channel."""
    both = Ends(tmp_path)
    yield both
    both.close()


@pytest.fixture
def small_outbox(monkeypatch: pytest.MonkeyPatch) -> None:
    """An outbox that is full after 300 bytes."""
    monkeypatch.setattr(outbox_module, "CAPACITY", 304)


def test_what_is_said_is_in_the_outbox_before_it_is_sent(ends: Ends) -> None:
    """Two quick messages: the second is not flushed yet, and yet not lost."""
    ends.channel.flush()
    ends.channel.say("start", batch="1.1", i=0)
    ends.receive()
    assert ends.messages() == []

    ends.peek()

    assert ends.messages() == [{"batch": "1.1", "i": 0, "say": "start"}]


def test_it_is_sent_when_the_last_flush_is_long_ago(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first thing said after a silence goes out at once, with what waited before it."""
    ends.channel.flush()
    ends.channel.say("one")
    monkeypatch.setattr(channel_module, "FLUSH_SECONDS", 0.0)
    ends.channel.say("two")

    ends.receive()

    assert [message["say"] for message in ends.messages()] == ["one", "two"]


def test_bytes_known_from_the_outbox_are_not_taken_again(ends: Ends) -> None:
    """A peek before the flush makes no message twice."""
    ends.channel.flush()
    ends.channel.say("one")
    ends.peek()
    ends.channel.say("two")
    ends.channel.flush()
    ends.receive()

    assert [message["say"] for message in ends.messages()] == ["one", "two"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.one_of(st.integers(0, 700), st.sampled_from(["flush", "receive", "peek"])), max_size=60))
def test_every_message_comes_once_in_order(tmp_path: Path, small_outbox: None, steps: list[int | str]) -> None:
    """However messages, flushes, reads and peeks alternate, and however large or many the messages are."""
    ends = Ends(tmp_path)
    said: list[int] = []
    heard: list[int] = []
    for step in steps:
        if isinstance(step, int):
            ends.channel.say("text", number=len(said), text="x" * step)
            said.append(len(said))
        elif step == "flush":
            ends.channel.flush()
        elif step == "receive":
            ends.receive()
        else:
            ends.peek()
        heard += [message["number"] for message in ends.messages()]
    ends.receive()  # As after a death: the socket until it is dry, then the outbox.
    ends.peek()
    heard += [message["number"] for message in ends.messages()]
    ends.close()

    assert heard == said


def test_a_signal_handler_that_raises_while_sending_tears_nothing(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    """A time-out by signal strikes just when bytes were sent: they are counted, then the handler runs."""

    def strike(number: int, frame: object) -> None:
        raise TimeoutError

    def write_under_fire(descriptor: int, data: bytes) -> int:
        sent = os.write(descriptor, data)
        signal.raise_signal(signal.SIGALRM)
        return sent

    monkeypatch.setattr(channel_module, "write", write_under_fire)
    before = signal.signal(signal.SIGALRM, strike)
    try:
        for number in range(3):
            ends.channel._flushed_at = float("inf")
            ends.channel.say("text", number=number)
            with pytest.raises(TimeoutError):
                ends.channel.flush()
    finally:
        signal.signal(signal.SIGALRM, before)
    ends.receive()
    ends.peek()

    assert [message["number"] for message in ends.messages()] == [0, 1, 2]


def test_a_torn_outbox_is_not_read(ends: Ends) -> None:
    """While the harness overwrites what is being read, the read yields nothing rather than nonsense."""
    ends.channel.say("one")
    reserved = ends.channel._outbox._words
    reserved[outbox_module.WORD_RESERVED] = outbox_module.CAPACITY + 1000

    assert ends.reader.read(0) == b""


def test_without_an_outbox_the_socket_does(tmp_path: Path) -> None:
    """No space for an outbox: what was flushed still comes."""
    agent, theirs = socket.socketpair()
    said = Channel(theirs.detach(), Outbox(None))
    said.say("one")
    said.flush()

    assert json.loads(agent.recv(100)) == {"say": "one"}
    assert OutboxReader(tmp_path / "none").read(0) == b""
    agent.close()
    os.close(said._descriptor)


def test_commands_are_heard_in_order_and_nonsense_is_passed_over(ends: Ends) -> None:
    """Split lines, several in one piece, and lines that are no objects."""
    ends.agent.send(b'{"do": "one"}\nnonsense\n[1]\n{"do": "two"}\n{"do": ')
    assert ends.channel.pending()
    assert [ends.channel.hear(), ends.channel.hear()] == [{"do": "one"}, {"do": "two"}]
    assert not ends.channel.pending()

    ends.agent.send(b'"three"}\n')

    assert ends.channel.pending()
    assert ends.channel.hear() == {"do": "three"}


def test_hearing_flushes_first(ends: Ends) -> None:
    """Whoever waits for a command has sent all it has said."""
    ends.channel.flush()
    ends.channel.say("one")
    ends.agent.send(b'{"do": "next"}\n')
    ends.channel.hear()
    ends.receive()

    assert len(ends.messages()) == 1


def test_without_a_supervisor_there_is_nothing_to_hear(ends: Ends) -> None:
    """The other end closed: None; and saying more is no error."""
    ends.agent.close()

    assert ends.channel.hear() is None
    ends.channel.say("one")
    ends.channel.flush()
    assert not ends.channel.pending()


def test_values_that_are_no_json_do_not_break_the_harness(ends: Ends) -> None:
    """A test may record any object: it is shown as its representation; lone surrogates come through."""
    ends.channel.say("result", value={1}, text="\udc80")
    ends.channel.flush()
    ends.receive()

    assert ends.messages() == [{"value": "{1}", "text": "\udc80", "say": "result"}]


def test_the_descriptor_is_out_of_the_way(ends: Ends) -> None:
    """High, and not handed on to programs that tests start."""
    assert ends.channel._descriptor >= 900
    assert not os.get_inheritable(ends.channel._descriptor)


def test_lines_that_are_no_messages_do_no_harm() -> None:
    """They become a log message that shows them."""
    stream = MessageStream()
    stream.feed_socket(b'nonsense\n{"say": 3}\n{"say": "bye"}\n' + b"[" * 100_000 + b"\n")
    said = list(iter(stream.next, None))

    assert [message["say"] for message in said] == ["log", "log", "bye", "log"]
