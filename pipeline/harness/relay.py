"""The relay: the far end of one ssh session. It starts what the agent asks for on its host, and carries what they say.

It ends when the session is closed or the agent has been silent for too long; then nothing that it started lives, what is
to run afterwards has run, and its folder is gone. Frames are those of `relay_frames`; on stream 0:

| agent to relay | meaning |
|---|---|
| {"do": "ping"} | I live |
| {"do": "zygote", stream, tail, log, pythons, argv, cwd, env, notes} | start a zygote; its wire is the stream, its output the tail |
| {"do": "fork", zygote, control, channel, tail, folder, request} | have it fork a guard and a harness on these streams |
| {"do": "job", stream, name, order} | fork a child that does one of `relay_jobs` |
| {"do": "eof", stream} | no more goes to that job |
| {"do": "taken", stream, bytes} | so much of the stream has been read |
| {"do": "close", stream} | close it |
| {"do": "end"} | end in order |

| relay to agent | meaning |
|---|---|
| {"say": "tick"} | I live |
| {"say": "closed", stream, …} | nothing more comes; of a job its `code` |
| {"say": "bye", after, left} | the end, in order: what ran afterwards, and what could not be removed |
"""

from __future__ import annotations

import array
import json
import os
import signal
import socket
import subprocess
import traceback
from pathlib import Path
from typing import Any

from . import lineage
from .guard import exit_code, now
from .outbox_reader import prepare_outbox
from .relay_frames import CONTROL, LONGEST, Frames, Outgoing, control, frame
from .relay_house import MARK, House, find_python
from .relay_jobs import work
from .relay_poll import Poller
from .relay_streams import Carrier, Channel, Lines, Pipes, Tail

MOST_WAITING = 4 << 20
"""While so much waits to be written to jobs, nothing more is read from the agent; while it waits for the agent, no log."""
TEND_SECONDS = 0.1
GIVE_UP_SECONDS = 10.0
_CHUNK = 1 << 16


def main(out: int, house: House, order: dict[str, Any]) -> None:
    """Be the relay until the session ends; ends the process. `order`: `silence_seconds`, `tick_seconds`."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    lineage.adopt_orphans()
    relay = Relay(out, house, order["silence_seconds"], order["tick_seconds"])
    signal.signal(signal.SIGTERM, lambda number, frame: relay.stop())
    try:
        relay.run()
    finally:
        relay.end()
    os._exit(0)


class Relay(Carrier):
    """The loop."""

    def __init__(self, out: int, house: House, silence_seconds: float, tick_seconds: float) -> None:
        self.poller = Poller()
        self._house = house
        self._silence_seconds, self._tick_seconds = silence_seconds, tick_seconds
        self._incoming, self._outgoing = Frames(), Outgoing(out)
        self._streams: dict[int, Any] = {}
        self._tails: dict[int, Tail] = {}
        self._jobs: dict[int, Pipes] = {}
        self._heard_at, self._ticked_at = now(), 0.0
        self._is_over = self._is_orderly = False
        os.set_blocking(0, False)
        self.poller.on_readable(0, self._read)

    def stop(self) -> None:
        """End soon."""
        self._is_over = True

    def run(self) -> None:
        """Serve until the session is closed, the agent silent, or the end asked for."""
        while not self._is_over and not self._outgoing.is_broken:
            self._outgoing.flush()
            waits = len(self._outgoing) > 0
            self.poller.on_writable(self._outgoing.descriptor, self._outgoing.flush if waits else None)
            self.poller.on_readable(0, self._read if self._has_room() else None)
            self.poller.wait(TEND_SECONDS if self._streams else self._tick_seconds / 2)
            self._reap()
            self._tend()

    def say(self, stream: int, data: bytes) -> None:
        """Send a stream's bytes."""
        for start in range(0, len(data), LONGEST):
            self._outgoing.add(frame(stream, data[start : start + LONGEST]))

    def closed(self, stream: int, **more: Any) -> None:
        """Nothing more comes."""
        self._streams.pop(stream, None)
        self._tails.pop(stream, None)
        self._outgoing.add(control({"say": "closed", "stream": stream, **more}))

    def end(self) -> None:
        """Leave nothing; say so if somebody listens."""
        for stream in list(self._streams.values()):
            stream.close()
        proof, _ = lineage.kill_below(set(), [], GIVE_UP_SECONDS)
        told = self._house.leave()
        if self._is_orderly:
            os.set_blocking(self._outgoing.descriptor, True)
            self._outgoing.add(control({"say": "bye", "proof": proof, **told}))
            self._outgoing.flush()

    def _has_room(self) -> bool:
        return sum(map(len, self._jobs.values())) < MOST_WAITING

    def _read(self) -> None:
        try:
            data = os.read(0, _CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self._heard_at = now()
        self._is_over = self._is_over or not data
        for stream, content in self._incoming.feed(data):
            if stream != CONTROL:
                if stream in self._streams:
                    self._streams[stream].feed(content)
                continue
            command = json.loads(content.decode("ascii"))
            try:
                self._obey(command)
            except Exception:
                self._refuse(command, traceback.format_exc())

    def _obey(self, command: dict[str, Any]) -> None:
        do = command["do"]
        if do == "zygote":
            self._start_zygote(command)
        elif do == "fork":
            self._fork(command)
        elif do == "job":
            self._start_job(command)
        elif do == "end":
            self._is_over = self._is_orderly = True
        elif do in ("eof", "taken", "close") and command["stream"] in self._streams:
            stream = self._streams[command["stream"]]
            if do == "eof":
                stream.end_input()
            elif do == "taken":
                stream.grant(command["bytes"])
            else:
                self._streams.pop(command["stream"])
                stream.close()

    def _refuse(self, command: dict[str, Any], why: str) -> None:
        for name in ("stream", "channel", "control"):
            if name in command:
                self.closed(command[name], refused=why)

    def _start_zygote(self, command: dict[str, Any]) -> None:
        python = find_python(command["pythons"], command["cwd"])
        if python is None:
            self.closed(command["stream"], refused="none of " + ", ".join(command["pythons"]) + " is a program")
            return
        if command.get("notes"):
            self._house.expect_notes(command["notes"], command["env"])
        ours, theirs = socket.socketpair()
        log = os.path.join(self._house.folder, command["log"])
        with theirs, open(log, "ab") as output:
            subprocess.Popen(
                [python, *command["argv"], str(Path(__file__).parent), str(theirs.fileno())],
                cwd=command["cwd"],
                env={**os.environ, **command["env"], MARK: self._house.name},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        tail = self._tails[command["tail"]] = Tail(self, command["tail"], log)
        self._streams[command["stream"]] = Lines(self, command["stream"], ours, tail.drain)

    def _fork(self, command: dict[str, Any]) -> None:
        folder = os.path.join(self._house.folder, command["folder"])
        os.makedirs(folder, exist_ok=True)
        outbox, log = os.path.join(folder, "outbox"), os.path.join(folder, "worker.log")
        job = command["request"]["job"]
        job["log"], job["outbox"] = log, outbox if prepare_outbox(Path(outbox)) else None
        job["options"].update(log=log, folder=folder)
        zygote = self._streams[command["zygote"]]
        guard, their_guard = socket.socketpair()
        harness, their_harness = socket.socketpair()
        with their_guard, their_harness:
            passed = array.array("i", [their_guard.fileno(), their_harness.fileno()])
            zygote.pass_on(json.dumps(command["request"]).encode("ascii") + b"\n", passed)
        tail = self._tails[command["tail"]] = Tail(self, command["tail"], log)
        channel = self._streams[command["channel"]] = Channel(self, command["channel"], harness, outbox)

        def last() -> None:
            channel.drain()
            tail.drain()

        self._streams[command["control"]] = Lines(self, command["control"], guard, last)

    def _start_job(self, command: dict[str, Any]) -> None:
        if command["name"] == "stand":
            self._house.envs[command["order"]["suite"]] = command["order"]["env"]
        to_read, to_write = os.pipe()
        from_read, from_write = os.pipe()
        pid = os.fork()
        if pid == 0:
            self._become_job(command, to_read, from_write)
        os.close(to_read)
        os.close(from_write)
        pipes = Pipes(self, command["stream"], pid, to_write, from_read)
        self._streams[command["stream"]] = self._jobs[pid] = pipes

    def _become_job(self, command: dict[str, Any], given: int, answer: int) -> None:
        code = 70
        try:
            self.poller.leave()
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            os.dup2(given, 0)
            os.dup2(answer, 1)
            os.closerange(3, 4096)
            with open(0, "rb", closefd=False) as source, open(1, "wb", closefd=False) as target:
                code = work(command["name"], self._house, command["order"], source, target)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)

    def _reap(self) -> None:
        for pid, status in lineage.reap()[0].items():
            job = self._jobs.pop(pid, None)
            if job is not None:
                job.ended(exit_code(status))

    def _tend(self) -> None:
        for tail in list(self._tails.values()) if len(self._outgoing) < MOST_WAITING else ():
            tail.tend()
        for stream in list(self._streams.values()):
            if isinstance(stream, Channel):
                stream.tend()
        moment = now()
        if moment - self._ticked_at >= self._tick_seconds:
            self._ticked_at = moment
            self._outgoing.add(control({"say": "tick"}))
        if moment - self._heard_at > self._silence_seconds:
            self._is_over = True
