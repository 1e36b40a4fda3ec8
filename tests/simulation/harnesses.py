"""Imagined harnesses behind imagined guards, in imagined time.

The guard kills its harness when its permission expires on its own clock, or soon after its supervisor is gone. The
outbox keeps everything said, as the real one does; where the scenario says so, the last words get lost instead.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pipeline.errors import EngineError
from pipeline.model.messages import Message
from pipeline.ports import HarnessEnd, Remains
from pipeline.ports.places import Hiring, PlaceStory, Waiting
from tests.simulation.processes import Process
from tests.simulation.tests_of_users import Manner

if TYPE_CHECKING:
    from tests.simulation.worlds import World


class SimHarness:
    """`ports.Harness`, guard included."""

    def __init__(self, world: World, process: Process, slot: int, suite: str) -> None:
        self.world, self.process, self.slot, self.suite = world, process, slot, suite
        self.number = world.next_number()
        self.home = (process.name, slot)
        self.place = f"harness {self.number}"
        self.log = ""
        self.outbox: list[Message] = []
        self.is_over = False
        self.in_flight: tuple[str, int, int] | None = None
        self._queue: list[Message] = []
        self._said: deque[Message | HarnessEnd] = deque()
        self._heard = asyncio.Event()
        self._end: HarnessEnd | None = None
        self._work = asyncio.Event()
        self._go: set[int] = set()
        self._asked = False
        self._offset = world.rng.uniform(-1e4, 1e4)
        self._permitted_until: float | None = None
        # Whoever is never given a permission must not live for ever either.
        grace = asyncio.get_running_loop().call_later(
            2 * world.scenario.lease_seconds, lambda: self.die("expired", asked=False)
        )
        self._expiry: asyncio.TimerHandle | None = grace
        self._delivered_at = 0.0
        self._born = world.now
        self._started = False
        self._serving = asyncio.ensure_future(self._serve())

    def holds_exclusive(self) -> bool:
        """Whether an exclusive test is running here."""
        flying = self.in_flight
        return not self.is_over and flying is not None and self.world.plan.tests[flying[2]].exclusive != ""

    # The supervisor's side.

    async def send(self, message: Message) -> None:
        await self.process.gate()
        if not self.is_over:
            self._queue.append(message)
            if message["do"] == "go":
                self._go.add(message["i"])
            self._work.set()

    async def receive(self) -> Message | HarnessEnd:
        await self.process.gate()
        while not self._said:
            if self._end is not None:
                return self._end
            self._heard.clear()
            await self._heard.wait()
            await self.process.gate()
        message = self._said.popleft()
        if isinstance(message, HarnessEnd):
            self._end = message
        return message

    def stamp(self) -> float | None:
        self.process.check()
        lease = self.world.scenario.lease_seconds
        age = self.world.now - self._born - self.world.scenario.stamp_lag * lease
        if age < 0 or self.is_over:
            return None
        tick = lease / 40
        return self._offset + self._born + (age // tick) * tick

    def renew(self, stamp: float, span_seconds: float) -> None:
        self.process.check()
        if self.is_over:
            return
        until = stamp - self._offset + span_seconds
        self._permitted_until = max(self._permitted_until or 0.0, until)
        if self._expiry is not None:
            self._expiry.cancel()
        loop = asyncio.get_running_loop()
        self._expiry = loop.call_at(self._permitted_until, lambda: self.die("expired", asked=False))

    async def dump_stacks(self) -> None:
        await self.process.gate()

    async def kill(self, *, grace_seconds: float = 0.0) -> None:
        await self.process.gate()
        self._asked = True
        if not self.is_over:
            self.world.later(min(0.02, grace_seconds), lambda: self.die("stopped by us", asked=True, code=-15))

    # The guard's side.

    def lose_supervisor(self) -> None:
        """The control socket closes."""
        if not self.world.scenario.guards_are_cut_off:
            self.world.later(0.05, lambda: self.die("supervisor gone", asked=True))

    def die(self, cause: str, *, asked: bool, code: int | None = -9) -> None:
        """Everything below the guard is dead."""
        if self.is_over:
            return
        self.is_over = True
        self._serving.cancel()
        if self._expiry is not None:
            self._expiry.cancel()
        in_flight = self.in_flight
        if in_flight is not None:
            self.world.oracle.ends(self, in_flight[2], how="killed")
        lost = self.world.scenario.loses_last_words and self.world.rng.random() < 0.5
        end = HarnessEnd(
            proof=self.world.scenario.guards_prove,
            asked=asked or self._asked,
            code=code,
            cause=cause,
            in_flight=in_flight[:2] if in_flight is not None and not lost else None,
        )
        self._deliver(end)

    # The harness's side.

    def say(self, message: Message) -> None:
        self.outbox.append(message)
        self._deliver(message)

    def _deliver(self, message: Message | HarnessEnd) -> None:
        delay = self.world.rng.uniform(0.0, 0.02)
        self._delivered_at = max(self._delivered_at + 1e-6, self.world.now + delay)
        asyncio.get_running_loop().call_at(self._delivered_at, self._arrive, message)

    def _arrive(self, message: Message | HarnessEnd) -> None:
        self._said.append(message)
        self._heard.set()

    async def _serve(self) -> None:
        try:
            await self._serve_on()
        except Exception as fault:
            self.world.fail(fault)

    async def _serve_on(self) -> None:
        if self.world.rng.random() < self.world.scenario.failed_start_rate:
            self.die("exited", asked=False, code=1)
            return
        await asyncio.sleep(self.world.rng.uniform(0.0, 0.3))
        self.say({"say": "hello", "python": "", "framework": "sim", "facts": {}})
        while True:
            message = await self._next()
            if message["do"] == "run":
                await self._run(message)
            elif message["do"] == "finish":
                await asyncio.sleep(0.05)
                self.say({"say": "bye", "code": 0})
                self.die("exited", asked=True, code=0)
                return

    async def _next(self) -> Message:
        while not self._queue:
            self._work.clear()
            await self._work.wait()
        return self._queue.pop(0)

    async def _run(self, message: dict[str, Any]) -> None:
        world = self.world
        for i, (native, _, _) in enumerate(message["tests"]):
            test = world.test_number(native)
            self._started = True
            self.in_flight = None
            start = {"say": "start", "batch": message["batch"], "i": i, "at": world.now - self._born}
            if message["careful"]:
                self.say(start)
                while i not in self._go:
                    self._work.clear()
                    await self._work.wait()
                self._go.discard(i)
            self.in_flight = (message["batch"], i, test)
            world.oracle.begins(self, test, careful=message["careful"])
            if not message["careful"]:
                self.say(start)
            await self._live(test, message, i)
            self.in_flight = None
        self.say({"say": "done", "batch": message["batch"]})

    async def _live(self, test: int, message: dict[str, Any], i: int) -> None:
        world = self.world
        script = world.scenario.scripts[test]
        tries = 1
        await asyncio.sleep(script.seconds)
        if script.manner is Manner.HANGS:
            await asyncio.sleep(1e9)
        if script.manner is Manner.CRASHES:
            world.oracle.kills(self, test)
            if world.scenario.starves and self.process not in world.agents:
                world.starve(self.process)
            self.die("signalled", asked=False, code=-11)
            await asyncio.sleep(1e9)
        if script.manner is Manner.FLAKES:
            bad = {"verdict": "failed", "message": "flaked"}
            self.say(
                {"say": "result", "batch": message["batch"], "i": i, "final": not message["retries"], "result": bad}
            )
            if not message["retries"]:
                world.oracle.ends(self, test, how="failed")
                return
            tries = 2
            await asyncio.sleep(script.seconds)
        how = "failed" if script.manner is Manner.FAILS else "passed"
        world.oracle.ends(self, test, how=how)
        self.in_flight = None
        result = {"verdict": how, "seconds": script.seconds, "tries": tries}
        self.say({"say": "result", "batch": message["batch"], "i": i, "final": True, "result": result})


class SimLauncher:
    """`ports.Launcher` and `ports.places.Telling` as one process sees it."""

    name = "sim"

    def __init__(self, world: World, process: Process) -> None:
        self._world, self._process = world, process

    async def harness(self, slot: int, suite: str) -> SimHarness:
        await self._process.gate()
        if self._world.rng.random() < self._world.scenario.no_harness_rate:
            raise EngineError("no harness can be had")
        harness = SimHarness(self._world, self._process, slot, suite)
        self._world.harnesses.append(harness)
        return harness

    def identity(self, slot: int) -> dict[str, str | int]:
        return {"process": self._process.name, "slot": slot}

    async def salvage(self, identity: dict[str, str | int]) -> Remains | None:
        await self._process.gate()
        await asyncio.sleep(self._world.rng.uniform(0.0, 0.05))
        await self._process.gate()
        return self._world.salvage(identity)

    def waiting(self, hiring: Hiring) -> Waiting | None:
        """Nothing is known."""

    async def story(self, identity: Mapping[str, str | int]) -> PlaceStory | None:
        """Whether the place was taken away, which is no proof that nothing of it lives."""
        await self._process.gate()
        cause = self._world.taken.get(str(identity["process"]), "")
        return PlaceStory(disruption=cause) if cause else None

    async def close(self) -> None:
        """Nothing to do: the world ends what is left."""
