"""The agent's end of one ssh session: log in, bring the relay up, carry streams, notice when the link is lost.

The relay's side is `pipeline.harness.relay`. One object is one session. It must not know what streams are for.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol

from attrs import frozen

from pipeline.adapters.openssh import Address, Client, by_hand, connect
from pipeline.adapters.openssh_errors import explain
from pipeline.adapters.relay_bootstrap import MARKER, NO_PYTHON, harness, opening
from pipeline.adapters.waiting import Bell
from pipeline.errors import EngineError, PlaceLost
from pipeline.harness.relay_frames import CONTROL, LONGEST, BrokenFrames, Frames, control, frame

LONGEST_BANNER = 1 << 20
HELLO_SECONDS = 30.0
"""From the login to the relay's first word: an interpreter starts, perhaps from a slow disk."""
KEPT_WORDS = 8192
LEAVE_SECONDS = 3.0
_CHUNK = 1 << 16


class Stream(Protocol):
    """What takes a stream's bytes."""

    def feed(self, data: bytes) -> None:
        """Take bytes."""

    def end(self, told: dict[str, Any]) -> None:
        """Nothing more comes; empty: the link is lost."""


@frozen(kw_only=True)
class Hello:
    """What a host said of itself."""

    python: str
    executable: str
    system: str
    node: str
    folder: str
    free: int
    cores: int
    load: float
    memory: int
    """Bytes that programs could have now; 0: not known."""
    uid: int
    login_seconds: float
    """From the start of ssh to the relay's first word."""


class RelayLink:
    """A session with a relay."""

    def __init__(self, client: Client, address: Address, *, name: str, lost: Callable[[], None] = lambda: None) -> None:
        """`name` is the host's for people; `lost` is called once when the link is gone without having been closed."""
        self._client, self._address, self.name = client, address, name
        self._lost = lost
        self._process: asyncio.subprocess.Process | None = None
        self._frames = Frames()
        self._streams: dict[int, Stream] = {}
        self._numbers = itertools.count(1)
        self._words = bytearray()
        self._sides: list[asyncio.Future[Any]] = []
        self._heard_at = 0.0
        self._is_closing = False
        self._bell = Bell()
        self._bye: dict[str, Any] | None = None
        self.is_open = False
        self.why = ""
        """Why the link was lost, for people."""

    async def open(self, order: dict[str, Any], *, python: str, silence_seconds: float, ping_seconds: float) -> Hello:
        """Log in and bring up the relay; `python` may name an interpreter for it. Raises `EngineError`, mostly `PlaceLost`.

        The link counts as lost after `silence_seconds` without a word; `ping_seconds` lie between two of ours.
        """
        began = time.monotonic()
        self._process = await connect(self._client, self._address)
        self._sides.append(asyncio.ensure_future(self._keep_words()))
        mark = MARKER + secrets.token_hex(8) + ":"
        whole = {**order, "marker": mark, "silence_seconds": silence_seconds, "tick_seconds": ping_seconds}
        try:
            async with asyncio.timeout(self._client.connect_seconds + HELLO_SECONDS):
                told = await self._introduce(opening(python, whole), mark)
        except TimeoutError:
            await self._abandon()
            raise PlaceLost(
                f"host {self.name!r}: it does not answer ({self._last_word() or 'no word'})",
                hint="log in by hand: something of its login may wait for input",
            ) from None
        except BaseException:
            await self._abandon()
            raise
        self.is_open = True
        self._heard_at = time.monotonic()
        self._sides += [
            asyncio.ensure_future(self._read_for_ever()),
            asyncio.ensure_future(self._watch_for_ever(silence_seconds, ping_seconds)),
        ]
        hello = {name: told[name] for name in Hello.__annotations__ if name in told}
        return Hello(**hello, login_seconds=time.monotonic() - began)

    def stream(self, taker: Stream) -> int:
        """The number of a new stream whose bytes `taker` gets."""
        number = next(self._numbers)
        self._streams[number] = taker
        if not self.is_open:
            taker.end({})
        return number

    def order(self, **command: Any) -> None:
        """Tell the relay something; dropped when the link is gone."""
        self._write(control(command))

    def send(self, stream: int, data: bytes) -> None:
        """Send bytes into a stream; dropped when the link is gone."""
        for start in range(0, len(data), LONGEST):
            self._write(frame(stream, data[start : start + LONGEST]))

    async def drain(self) -> None:
        """Wait until what was sent is on its way. Raises `PlaceLost`."""
        assert self._process is not None
        assert self._process.stdin is not None
        try:
            await self._process.stdin.drain()
        except (OSError, RuntimeError):
            pass
        if not self.is_open:
            raise self.lost_error()

    def lost_error(self) -> PlaceLost:
        """The error for whoever needs this link and has lost it."""
        return PlaceLost(f"host {self.name!r} was lost: {self.why or 'the connection is closed'}")

    async def close(self, seconds: float) -> dict[str, Any] | None:
        """End the relay in order; what it says of its end, or None when it does not within `seconds`."""
        self._is_closing = True
        if self.is_open:
            self.order(do="end")
            until = time.monotonic() + seconds
            while self.is_open and self._bye is None and time.monotonic() < until:
                await self._bell.wait(until - time.monotonic())
        self._break("closed")
        await self._abandon()
        return self._bye

    def cut(self, why: str) -> None:
        """Give the link up."""
        self._break(why)

    async def _introduce(self, first: bytes, mark: str) -> dict[str, Any]:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(first)
        while True:
            told = json.loads((await self._marked_line(mark)).removeprefix(mark))
            if told.get("want"):
                self._process.stdin.write(harness()[1])
            elif "failed" in told:
                raise self._refused(told)
            else:
                return dict(told["hello"])

    async def _marked_line(self, mark: str) -> str:
        """The next line of ours; whatever a login prints before is passed over."""
        assert self._process is not None
        assert self._process.stdout is not None
        passed = 0
        while passed < LONGEST_BANNER:
            try:
                line = await self._process.stdout.readline()
            except ValueError:  # A line without an end.
                break
            text = line.decode("utf-8", "replace").rstrip("\r\n")
            if text.startswith(mark):
                return text
            if text == NO_PYTHON:
                raise _permanent(
                    f"host {self.name!r}: there is no Python 3.8 or later",
                    "install python3 there, or name an interpreter: hosts.<name>.python",
                )
            if not line:
                raise await self._not_in()
            passed += len(line)
        raise _permanent(f"host {self.name!r}: its login prints without end", "see its shell's start-up files")

    async def _not_in(self) -> EngineError:
        assert self._process is not None
        status = await self._process.wait()
        await asyncio.wait(self._sides[:1], timeout=1.0)
        if status not in (255, -1) and status != 0:
            return PlaceLost(
                f"host {self.name!r}: what was started there ended with status {status} ({self._last_word()})",
                hint=f"see that `{by_hand(self._client, self._address)} true` prints nothing of an error",
            )
        return explain(self._client, self._address, self._words.decode("utf-8", "replace"), status)

    def _refused(self, told: dict[str, Any]) -> EngineError:
        if told["failed"] == "disk" or told.get("errno") in (28, 122):  # ENOSPC, EDQUOT.
            free = f", {told['free'] // 2**20} MiB are free" if "free" in told else ""
            return _permanent(
                f"host {self.name!r}: its disk is full at {told['where']!r}{free}",
                "make room there, or name another folder: hosts.<name>.folder",
            )
        return _permanent(
            f"host {self.name!r}: cannot use {told['where']!r}: {told['text']}",
            "name a folder that can be written: hosts.<name>.folder",
        )

    async def _read_for_ever(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        try:
            while data := await self._process.stdout.read(_CHUNK):
                self._heard_at = time.monotonic()
                for stream, content in self._frames.feed(data):
                    self._take(stream, content)
            why = self._last_word() or "the connection was closed"
        except (BrokenFrames, ValueError, KeyError, TypeError, RecursionError) as error:
            why = f"what it sends is damaged: {error}"
        self._break(why)

    def _take(self, stream: int, content: bytes) -> None:
        if stream != CONTROL:
            if stream in self._streams:
                self._streams[stream].feed(content)
            return
        told = json.loads(content)
        if told["say"] == "closed" and (taker := self._streams.pop(told["stream"], None)) is not None:
            taker.end(told)
        elif told["say"] == "bye":
            self._bye = told
            self._bell.ring()

    async def _watch_for_ever(self, silence_seconds: float, ping_seconds: float) -> None:
        """Ping, and miss an answer; a gap of our own starts the silence anew. A relay that ends in order is silent while it
        tears down: then ssh itself notices when the connection is dead."""
        looked_at = time.monotonic()
        while self.is_open:
            self.order(do="ping")
            await asyncio.sleep(ping_seconds)
            moment = time.monotonic()
            if moment - looked_at > max(1.0, 4 * ping_seconds):
                self._heard_at = moment
            looked_at = moment
            if moment - self._heard_at > silence_seconds and not self._is_closing:
                self._break(f"no word for {silence_seconds:g} s")

    async def _keep_words(self) -> None:
        assert self._process is not None
        assert self._process.stderr is not None
        while data := await self._process.stderr.read(_CHUNK):
            self._words += data
            del self._words[:-KEPT_WORDS]

    def _last_word(self) -> str:
        lines = self._words.decode("utf-8", "replace").strip().splitlines()
        return lines[-1].strip()[:300] if lines else ""

    def _write(self, data: bytes) -> None:
        if self.is_open and self._process is not None and self._process.stdin is not None:
            self._process.stdin.write(data)

    def _break(self, why: str) -> None:
        if not self.is_open:
            return
        self.is_open, self.why = False, why
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
        streams, self._streams = self._streams, {}
        for taker in streams.values():
            taker.end({})
        self._bell.ring()
        if not self._is_closing:
            self._lost()

    async def _abandon(self) -> None:
        """End the client; the relay notices by itself."""
        process = self._process
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        if not await _ends(process, LEAVE_SECONDS if self._bye is not None else 0.2):
            with suppress(ProcessLookupError):
                process.kill()
            await _ends(process, float("inf"))  # Closed before, asyncio would miss the end, and say so on the terminal.
        # Of pipes that were not read to their end, too: `wait` waits for them, and asyncio has no other way.
        process._transport.close()  # type: ignore[attr-defined]
        await process.wait()
        for side in self._sides:
            if side is not asyncio.current_task():
                side.cancel()
        await asyncio.gather(
            *(side for side in self._sides if side is not asyncio.current_task()), return_exceptions=True
        )


async def _ends(process: asyncio.subprocess.Process, seconds: float) -> bool:
    """Whether asyncio has heard within that span that it has ended."""
    until = time.monotonic() + seconds
    while process.returncode is None and time.monotonic() < until:
        await asyncio.sleep(0.005)
    return process.returncode is not None


def _permanent(message: str, hint: str) -> EngineError:
    error = PlaceLost(message, hint=hint)
    error.permanent = True
    return error
