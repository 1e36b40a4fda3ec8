"""What a run in a bucket costs: 20,000 tests on 20 workers for a minute, its requests counted by a proxy before the server.

Each worker is one as in a pod: it shares nothing with the others, and the leader hears it through the store. Its tests sleep, so
that the time is known and the machine is not what is measured. At the public prices of S3 in us-east-1.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Coroutine, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from attrs import define, field

from benchmarks.output import Row, show
from benchmarks.racing import parser
from extensions.deciding import CLAIM_SECONDS
from pipeline.adapters.clock import SystemClock
from pipeline.adapters.proven_store import ProvenStore
from pipeline.adapters.s3_place import parse_place
from pipeline.adapters.s3_store import S3Store
from pipeline.logic.batching import make_batches
from pipeline.logic.grouping import make_buckets
from pipeline.logic.objects import Birth
from pipeline.logic.planning import freeze
from pipeline.model.events import Event
from pipeline.model.messages import Message
from pipeline.model.plans import Plan
from pipeline.model.runs import MergedRun
from pipeline.model.suites import HarnessSpec
from pipeline.model.tests import Test
from pipeline.ports import HarnessEnd, Remains
from pipeline.ports.places import Hiring, PlaceEnd
from pipeline.protocol import apart, keys, leading, resuming
from pipeline.protocol.attending import sign_of_life
from pipeline.protocol.certain import CertainStore
from pipeline.protocol.conditions import limits_of, read_conditions
from pipeline.protocol.elsewhere import supervise_elsewhere
from pipeline.protocol.gathering import read_plan
from pipeline.protocol.limits import Limits
from pipeline.protocol.mandate import Mandate, new_nonce
from pipeline.protocol.orders import Orders, Stop
from pipeline.protocol.remembering import StoreHistory
from pipeline.protocol.supervising import Life
from pipeline.protocol.view import RunView
from pipeline.protocol.worker import Worker
from tests.engines.faults import Request
from tests.engines.proxy import FaultProxy
from tests.engines.s3 import ACCESS_KEY, SECRET_KEY, S3Server

DOLLARS = {"PUT": 0.005 / 1000, "LIST": 0.005 / 1000, "POST": 0.005 / 1000, "GET": 0.0004 / 1000, "DELETE": 0.0}
"""A request. `DeleteObjects` is a POST, and free, too, but counted as one here."""
MOST_REQUESTS, MOST_DOLLARS = 10_000, 0.05
IDENTITY = "0123456789abcdef"
BRANCHES = ("feature", "main", "master", "trunk")
LIMITS = Limits(lease_seconds=60.0, flush_seconds=1.0, idle_seconds=2.0, hear_seconds=1.5)
"""As `Workforce.limits` makes them for a store on a server."""


class Sleeper:
    """A harness whose tests sleep."""

    place, log = "here", ""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._asked: asyncio.Queue[Message] = asyncio.Queue()
        self._said: asyncio.Queue[Message | HarnessEnd] = asyncio.Queue()
        self._serving = asyncio.ensure_future(self._serve())

    async def send(self, message: Message) -> None:
        """Take a message."""
        self._asked.put_nowait(message)

    async def receive(self) -> Message | HarnessEnd:
        """Say the next one."""
        return await self._said.get()

    def stamp(self) -> float:
        """Its guard's clock."""
        return time.monotonic()

    def renew(self, stamp: float, span_seconds: float) -> None:
        """It lives on."""

    async def dump_stacks(self) -> None:
        """There are none."""

    async def kill(self, *, grace_seconds: float = 0.0) -> None:
        """End."""
        self._serving.cancel()
        self._said.put_nowait(HarnessEnd(proof=True, asked=True))

    async def _serve(self) -> None:
        self._said.put_nowait({"say": "hello", "python": "", "framework": "sleeper", "facts": {}})
        while (message := await self._asked.get())["do"] != "finish":
            if message["do"] == "run":
                await self._run(message)
        self._said.put_nowait({"say": "bye", "code": 0})
        self._said.put_nowait(HarnessEnd(proof=True, asked=True, code=0))

    async def _run(self, message: Message) -> None:
        began, label = time.monotonic(), message["batch"]
        for i in range(len(message["tests"])):
            self._said.put_nowait({"say": "start", "batch": label, "i": i, "at": time.monotonic()})
            # Until when it should end: a busy machine must not make the run longer.
            await asyncio.sleep(max(0.0, began + (i + 1) * self._seconds - time.monotonic()))
            result = {"verdict": "passed", "seconds": self._seconds}
            self._said.put_nowait({"say": "result", "batch": label, "i": i, "final": True, "result": result})
        self._said.put_nowait({"say": "done", "batch": label})


@define
class Sleepers:
    """`ports.Launcher` within a worker."""

    seconds: float
    name: str = "pods"

    async def harness(self, slot: int, suite: str) -> Sleeper:
        """A harness."""
        return Sleeper(self.seconds)

    def identity(self, slot: int) -> dict[str, str | int]:
        """It is here."""
        return {"place": f"pod {slot}"}

    async def salvage(self, identity: dict[str, str | int]) -> Remains | None:
        """Nobody dies."""
        return None

    async def close(self) -> None:
        """Nothing is left."""


@define
class Pods(Sleepers):
    """`ports.places.Elsewhere`: workers that share nothing but the bucket."""

    url: str = ""
    lives: dict[str, asyncio.Task[Life]] = field(factory=dict)

    def specs_there(self) -> Mapping[str, HarnessSpec]:
        """None is needed."""
        return {}

    async def begin(self, hiring: Hiring) -> None:
        """Start a worker."""
        self.lives[hiring.worker] = asyncio.ensure_future(self._live(hiring))

    async def ended(self, hiring: Hiring) -> PlaceEnd:
        """Wait for it."""
        await self.lives[hiring.worker]
        return PlaceEnd(code=0)

    async def stop(self, run: str, workers: Sequence[str], *, grace_seconds: float) -> None:
        """Nobody has to."""

    async def clear(self, run: str, *, term: int | None) -> None:
        """Nothing is left."""

    async def _live(self, hiring: Hiring) -> Life:
        clock = SystemClock()
        store = CertainStore(S3Store(parse_place(self.url, {})), clock)
        plan = await read_plan(store, hiring.run)
        limits = limits_of(await read_conditions(store, hiring.run, hiring.term))
        birth = Birth(
            worker=hiring.worker,
            nonce=hiring.nonce,
            plan=plan.digest,
            term=hiring.term,
            slot=hiring.slot,
            bucket=hiring.slot,
            launcher=self.name,
            identity=hiring.identity,
        )
        return await supervise_elsewhere(
            Worker(
                run=hiring.run,
                birth=birth,
                plan=plan,
                view=RunView(hiring.run, plan, store, clock, limits.lease_seconds, put_off_seconds=limits.beat_seconds),
                store=store,
                journal=store.store.journal(keys.journal(hiring.run, hiring.worker)),
                launcher=Sleepers(self.seconds),
                clock=clock,
                emit=ignore,
                limits=limits,
                orders=Orders(),
            )
        )


def ignore(event: Event) -> None:
    """Nobody looks."""


def plan_of(tests: int, workers: int, seconds: float) -> Plan:
    """So many equal tests, 50 in a file."""
    names = [(f"test_{number // 50}.py", f"test_{number}") for number in range(tests)]
    found = [
        Test(
            id=f"pytest::{file}::{name}", suite="pytest", native=f"{file}::{name}", file=file, unit="", seconds=seconds
        )
        for file, name in names
    ]
    batches = make_batches(found, workers, claim_seconds=CLAIM_SECONDS[True])
    return freeze(found, batches, make_buckets(found, batches, workers))


async def lead(url: str, tests: int, workers: int, seconds: float) -> MergedRun:
    """A whole run as an agent leads it: trying out the store, planning from history, leading, learning."""
    clock, loop = SystemClock(), asyncio.get_running_loop()
    with tempfile.TemporaryDirectory() as folder:
        store = ProvenStore(S3Store(parse_place(url, {})), url, Path(folder))

        def wait(work: Coroutine[Any, Any, Any]) -> Any:
            return asyncio.run_coroutine_threadsafe(work, loop).result()

        history = StoreHistory(store, clock, wait=wait, tell=print)
        await asyncio.to_thread(history.estimates, "pytest", BRANCHES)
        plan = plan_of(tests, workers, seconds * workers / tests)
        run, plan = await resuming.open_run(store, clock, IDENTITY, plan)
        pods = Pods(seconds=seconds * workers / tests, url=url)
        mandate = Mandate(
            run=run,
            plan=plan,
            store=store,
            launcher=pods,
            clock=clock,
            emit=ignore,
            limits=LIMITS,
            workers=workers,
            stop=Stop(),
        )
        async with sign_of_life(store, clock, run, nonce=new_nonce(), every_seconds=LIMITS.beat_seconds):
            ending = await leading.lead(mandate, apart.hirer_of(pods))
        if not ending.closed or ending.exit_code:
            raise RuntimeError(f"the run did not end well: {ending.reason}")
        merged = await resuming.merged(store, clock, run)
        await asyncio.to_thread(partial(history.learn, merged, branch=BRANCHES[0]))
        return merged


def kind_of(request: Request) -> str:
    """As the bill calls it."""
    return "LIST" if request.method == "GET" and "list-type=2" in request.path else request.method


def thing_of(request: Request) -> str:
    """What of a run it is about: the part of a key, or of a prefix, that says so."""
    path = unquote(request.path)
    key = path.partition("prefix=")[2].partition("&")[0] if "prefix=" in path else path.partition("?")[0]
    return (re.findall(r"(?:runs/[^/]+/|probes|history)([a-z]*)", key) or ["?"])[0] or key.rstrip("/").rpartition("/")[
        2
    ]


def measure(tests: int, workers: int, seconds: float) -> tuple[list[Row], list[Row]]:
    """Rows by kind of request and their sum; rows by what they were about. Raises `RuntimeError`."""
    server = S3Server()
    with server.bucket() as bucket, FaultProxy(server.url.removeprefix("http://")) as proxy:
        url = f"s3://{bucket}/ci?endpoint={proxy.url}"
        began = time.monotonic()
        merged = asyncio.run(lead(url, tests, workers, seconds))
        took = time.monotonic() - began
        asked = list(proxy.requests)
    if sum(merged.counts.values()) != tests:
        raise RuntimeError(f"{merged.counts} of {tests} tests")
    by_kind = Counter(map(kind_of, asked))
    rows: list[Row] = [
        {"requests": kind, "number": count, "dollars": round(count * DOLLARS[kind], 4)}
        for kind, count in sorted(by_kind.items())
    ]
    rows.append({"requests": f"all, in {took:.1f} s", "number": len(asked), "dollars": dollars(by_kind)})
    rows.append({"requests": "aim", "number": MOST_REQUESTS, "dollars": MOST_DOLLARS})
    things = Counter((thing_of(one), kind_of(one)) for one in asked)
    return rows, [{"about": thing, "kind": kind, "number": count} for (thing, kind), count in things.most_common()]


def dollars(by_kind: Mapping[str, int]) -> float:
    """What they cost."""
    return round(sum(count * DOLLARS[kind] for kind, count in by_kind.items()), 4)


def main(arguments: Sequence[str]) -> int:
    """Measure and print tables; 1 when an aim is missed."""
    options = parser("requests", __doc__ or "", 1)
    options.add_argument("--tests", type=int, default=20_000)
    options.add_argument("--workers", type=int, default=20)
    options.add_argument("--seconds", type=float, default=60.0, help="how long the tests of each worker take")
    options.add_argument("--about", action="store_true", help="say what requests were about, too")
    chosen = options.parse_args(arguments)
    os.environ |= {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY}
    rows, things = measure(chosen.tests, chosen.workers, chosen.seconds)
    show("requests", rows, as_json=chosen.json)
    if chosen.about:
        show("what requests are about", things, as_json=chosen.json)
    return int(any(float(rows[-2][name]) > float(rows[-1][name]) for name in ("number", "dollars")))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
