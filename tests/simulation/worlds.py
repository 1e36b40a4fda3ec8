"""One imagined world: a store, processes, agents, trouble from one seed; played until a run is closed."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial

from attrs import define, evolve, field

from pipeline.errors import EngineError, FleetError
from pipeline.logic.objects import Birth, Tomb, from_bytes, to_bytes
from pipeline.logic.placement.seating import Seating
from pipeline.logic.pooling import behind, grown, slots_of
from pipeline.model.events import Event
from pipeline.model.messages import Message
from pipeline.model.plans import Plan
from pipeline.model.pools import Pool
from pipeline.model.runs import MergedRun
from pipeline.ports import Remains
from pipeline.ports.places import PlaceEnd
from pipeline.protocol import elsewhere, keys, leading, resuming, supervising, sweeping
from pipeline.protocol.certain import CertainStore
from pipeline.protocol.finishing import LEFT
from pipeline.protocol.mandate import Joining, Mandate
from pipeline.protocol.orders import Orders, Stop
from pipeline.protocol.view import RunView
from pipeline.protocol.worker import Worker
from tests.fakes.faults import Fate, Operation
from tests.fakes.memory_data import MemoryData
from tests.fakes.memory_store import MemoryStore
from tests.simulation.harnesses import SimHarness, SimLauncher
from tests.simulation.oracles import Broken, Oracle
from tests.simulation.processes import Gone, Process, SimClock, SimStore
from tests.simulation.scenarios import Scenario
from tests.simulation.telling import has_told

IDENTITY = "0123456789abcdef"
JOINED = "ci-7"
PATIENCE_LEASES = 400
MOST_AGENTS = 25
MOST_NODS = 2


@define
class WatchedData(MemoryData):
    """Contents that tell the oracle of every change."""

    oracle: Oracle | None = None

    def _put(self, key: str, data: bytes) -> None:
        super()._put(key, data)
        if self.oracle is not None:
            self.oracle.see_write(key, data)

    def delete(self, prefix: str) -> int:
        if self.oracle is not None:
            for entry in self.list(prefix):
                if not entry.key.endswith("/records"):
                    self.oracle.removed(entry.key)
        return super().delete(prefix)


@define(eq=False)
class World:
    """See the module."""

    scenario: Scenario
    rng: random.Random = field(init=False)
    data: WatchedData = field(factory=WatchedData)
    oracle: Oracle = field(init=False)
    harnesses: list[SimHarness] = field(factory=list)
    killers: set[int] = field(factory=set)
    processes: list[Process] = field(factory=list)
    agents: list[Process] = field(factory=list)
    places: dict[str, Process] = field(factory=dict)
    """Process by worker."""
    pools: dict[str, Sequence[Pool]] = field(factory=dict)
    """By process, what the agent goes by that has started it."""
    seatings: dict[str, Seating | None] = field(factory=dict)
    """The same for queues."""
    events: list[Event] = field(factory=list)
    closed: list[MergedRun] = field(factory=list)
    left: set[str] = field(factory=set)
    """Agents that have ended in order because others carry on."""
    closers: list[str] = field(factory=list)
    """For each agent that was told that its result stands, of which run."""
    taken: dict[str, str] = field(factory=dict)
    """Why the places of these processes were taken away."""
    orders: dict[str, Orders] = field(factory=dict)
    """Of workers elsewhere, by process."""
    starved: set[str] = field(factory=set)
    """Processes that were out of memory."""
    faults: list[BaseException] = field(factory=list)
    stalled_until: dict[str, float] = field(factory=dict)
    beaten: dict[str, float] = field(factory=dict)
    """When each worker last tried to beat."""
    is_quiet: bool = False
    nods: int = 0
    apart: list[asyncio.Task[supervising.Life]] = field(factory=list)
    store: MemoryStore = field(init=False)
    _count: int = 0
    _tasks: list[asyncio.Task[object]] = field(factory=list)

    def __attrs_post_init__(self) -> None:
        """Wire everything to one stream of chance."""
        self.rng = random.Random(self.scenario.seed * 7919 + 1)
        self.oracle = Oracle(self)
        self.data.oracle = self.oracle
        self.store = MemoryStore(self.data, decide=self._fate, wait=asyncio.sleep, later=self.later)

    @property
    def plan(self) -> Plan:
        """What is planned."""
        return self.scenario.plan

    @property
    def now(self) -> float:
        """True time."""
        return asyncio.get_running_loop().time()

    def later(self, seconds: float, call: Callable[[], object]) -> None:
        """Do that later, whoever is gone by then."""
        asyncio.get_running_loop().call_later(seconds, self._guarded, call)

    def _guarded(self, call: Callable[[], object]) -> None:
        try:
            call()
        except BaseException as fault:
            self.fail(fault)

    def fail(self, fault: BaseException) -> None:
        """Remember what broke."""
        self.faults.append(fault)

    def next_number(self) -> int:
        """A number nobody else has."""
        self._count += 1
        return self._count

    def test_number(self, native: str) -> int:
        """Which test that is."""
        return int(native[1:])

    # Trouble.

    def _fate(self, operation: Operation) -> Fate:
        scenario, rng = self.scenario, self.rng
        if operation.kind == "replace" and "/beats/" in operation.key:
            self.beaten[keys.last(operation.key)] = self.now
        if self.is_quiet:
            return Fate()
        if self._is_out(operation):
            return Fate(refused=True)
        before = rng.uniform(0, 0.02) if rng.random() < 0.5 else 0.0
        if "/left/" in operation.key and operation.kind == "create":  # So that several are about to leave at once.
            return Fate(before_seconds=rng.choice((0.0, rng.uniform(0, scenario.lease_seconds))))
        if rng.random() < scenario.slow_rate:
            before = rng.uniform(0, 0.3)
        chance = rng.random()
        if chance < scenario.refused_rate:
            return Fate(before_seconds=before, refused=True)
        chance -= scenario.refused_rate
        if chance < scenario.lost_answer_rate:
            return Fate(before_seconds=before, answer_lost=True)
        chance -= scenario.lost_answer_rate
        if operation.kind in ("create", "replace", "journal-flush") and chance < scenario.late_rate:
            return Fate(late_seconds=rng.uniform(0, 2 * scenario.lease_seconds))
        if operation.kind == "journal-flush" and rng.random() < scenario.torn_rate:
            return Fate(torn=rng.randrange(3))
        return Fate(before_seconds=before, after_seconds=rng.uniform(0, 0.01) if rng.random() < 0.1 else 0.0)

    def _is_out(self, operation: Operation) -> bool:
        """During an outage nothing answers; after it, reads come back a little before beats do."""
        begin, end = self.scenario.outage
        return begin <= self.now < end + (self.scenario.lease_seconds / 8 if operation.kind == "replace" else 0.0)

    def check_silence(self, worker: str) -> None:
        """A worker is buried as silent, without proof: it must not have been healthy."""
        process = self.places.get(worker)
        lease = self.scenario.lease_seconds
        if process is None or process.is_gone or process.is_stalled:
            return
        if self.now - self.stalled_until.get(process.name, -1e9) < 1.5 * lease:
            return
        if self.now - self.beaten.get(worker, -1e9) < 0.5 * lease:
            raise Broken(f"{worker} was healthy, yet was buried as silent (silence)")

    def process(self, name: str) -> Process:
        """A new process with clocks of its own."""
        process = Process(
            f"{name}-{self.next_number()}", offset=self.rng.uniform(0, 1e5), rate=self.rng.uniform(0.995, 1.005)
        )
        self.processes.append(process)
        return process

    def crash(self, process: Process) -> None:
        """A process is gone; guards notice, if they can."""
        process.crash()
        for harness in self.harnesses:
            if harness.process is process:
                harness.lose_supervisor()

    def starve(self, process: Process) -> None:
        """A container is out of memory: all of it is gone at once, as its runtime will tell."""
        self.starved.add(process.name)
        process.crash()
        for harness in self.harnesses:
            if harness.process is process:
                harness.die("out-of-memory", asked=False)

    def stall(self, process: Process, seconds: float) -> None:
        """A process stands still."""
        self.stalled_until[process.name] = self.now + seconds
        process.stall(seconds)

    def salvage(self, identity: dict[str, str | int]) -> Remains | None:
        """What a launcher can find out about a dead worker."""
        process = next(each for each in self.processes if each.name == identity["process"])
        if not process.is_gone or not self.scenario.salvages:
            return None
        messages: list[Message] = []
        for harness in self.harnesses:
            if harness.process is process and harness.slot == identity["slot"]:
                harness.die("left over", asked=True)
                messages = harness.outbox
        if process.name in self.taken:
            return Remains(messages=messages, cause=self.taken[process.name])
        if process.name in self.starved:  # Its files may be gone with it.
            return Remains(messages=messages if self.scenario.seed % 2 else (), cause="out-of-memory")
        return Remains(messages=messages)

    # Playing.

    async def play(self) -> None:
        """Until the run is closed and nothing is left; raises what broke."""
        scenario = self.scenario
        self._start_agent(scenario.workers)
        for when in scenario.crashes_at:
            self.later(when, self._strike)
        for when, seconds in scenario.stalls_at:
            self.later(when, partial(self._freeze, seconds))
        for when in scenario.buried_at:
            self.later(when, self._bury_somebody)
        for when, how in scenario.taken_at:
            self.later(when, partial(self._take_away, how))
        for when in scenario.joined_at:
            self.later(when, lambda: self._start_agent(scenario.resumed_workers))
        for when in scenario.jobs_killed_at:
            self.later(when, self._kill_a_job)
        if scenario.second_agent_at is not None:
            self.later(scenario.second_agent_at, lambda: self._start_agent(scenario.resumed_workers))
        if scenario.agent_crashes_at is not None:
            self.later(scenario.agent_crashes_at, lambda: self.crash(self.agents[0]))
        limit = PATIENCE_LEASES * scenario.lease_seconds
        step = scenario.lease_seconds / 2
        while not self.closed:
            await asyncio.sleep(step)
            self._raise_faults()
            if self.now > limit or len(self.agents) > MOST_AGENTS:
                raise Broken(f"the run does not end: {len(self.agents)} agents, {self.now:g} s")
            if all(task.done() for task in self._tasks):
                if not self.closed and {agent.name for agent in self.agents} == self.left:
                    raise Broken("all have left the run to each other: nobody decides (joining)")
                self._start_agent(scenario.resumed_workers)
        await self._settle()

    def _kill_a_job(self) -> None:
        """A job's machine is taken away, mostly one that others rely on."""
        living = [each for each in self.agents if not each.is_gone]
        busy = {harness.process for harness in self.harnesses if harness.in_flight is not None and not harness.is_over}
        if self.rng.random() < 0.8:
            living = [each for each in living if each in busy] or living
        if living:
            self.crash(self.rng.choice(living))

    def _take_away(self, cause: str) -> None:
        """A cluster takes a place: evicted workers hear a signal first; the process is gone a little later in any case."""
        living = [each for name, each in self.places.items() if not each.is_gone and each.name not in self.taken]
        if not living:
            return
        process = self.rng.choice(living)
        self.taken[process.name] = cause
        if cause == "evicted" and process.name in self.orders:
            self.orders[process.name].is_stopped.set()
            self.later(2 * self.scenario.limits.stop_seconds, lambda: self.crash(process))
        else:
            self.crash(process)

    def _strike(self) -> None:
        """Something dies: a worker's process, or a harness by a foreign SIGKILL."""
        workers = [each for each in self.processes if each not in self.agents and not each.is_gone]
        living = [harness for harness in self.harnesses if not harness.is_over]
        if workers and (self.rng.random() < 0.5 or not living):
            self.crash(self.rng.choice(workers))
        elif living:
            self.rng.choice(living).die("signalled", asked=False)

    def _bury_somebody(self) -> None:
        """A third party seals and buries a worker that may well be alive."""
        born = [key for key in self.data.values if "/workers/" in key]
        living = [key for key in born if key.replace("/workers/", "/tombs/") not in self.data.values]
        living = [key for key in living if keys.closed(key.split("/")[1]) not in self.data.values]
        if not living:
            return
        _, run, _, worker = self._worst(living).split("/")
        process = self.places.get(worker)
        if process is not None and self.rng.random() < 0.5:
            self.stall(process, 2 * self.scenario.lease_seconds)
        self.bury(run, worker)

    def bury(self, run: str, worker: str) -> None:
        """Seal and bury it, as anybody may who gives it up."""
        tomb = Tomb(
            worker=worker,
            plan=from_bytes(Birth, self.data.values[keys.worker(run, worker)]).plan,
            by="a third party",
            nonce=f"n{self.next_number()}",
            position=self.data.journal(keys.journal(run, worker)).seal(),
            cause="given up",
            proof=False,
        )
        self.data.create(keys.tomb(run, worker), to_bytes(tomb))

    def _worst(self, births: list[str]) -> str:
        """Of these workers one that runs an exclusive test, if there is any and chance agrees."""
        busy = {harness.process for harness in self.harnesses if harness.holds_exclusive()}
        worse = [key for key in births if self.places.get(keys.last(key)) in busy]
        return self.rng.choice(worse if worse and self.rng.random() < 0.8 else births)

    def nod_off(self, process: Process, key: str) -> None:
        """The worst moment to stall: the own tombstone has been read as absent, the permission is not yet given."""
        if "/tombs/" in key and self.nods < MOST_NODS and self.rng.random() < self.scenario.nod_rate:
            self.nods += 1
            self.stall(process, self.rng.uniform(1.2, 4) * self.scenario.lease_seconds)

    def _freeze(self, seconds: float) -> None:
        living = [each for each in self.processes if not each.is_gone]
        busy = {harness.process.name for harness in self.harnesses if harness.holds_exclusive()}
        if busy and self.rng.random() < 0.5:
            living = [each for each in living if each.name in busy]
        if living:
            self.stall(self.rng.choice(living), seconds)

    def _room(self, pools: Sequence[Pool]) -> Callable[[], Awaitable[Mapping[str, int]]]:
        """An engine that has room now and then."""
        dice = random.Random(f"room {self.scenario.seed}")

        async def room() -> Mapping[str, int]:
            await asyncio.sleep(dice.uniform(0, self.scenario.lease_seconds))
            if dice.random() < 0.2:
                raise EngineError("the engine is away")
            return {pool.name: dice.choice((0, 1, 2)) for pool in pools}

        return room

    def _start_agent(self, workers: int) -> None:
        if self.closed:
            return
        process = self.process("agent")
        self.agents.append(process)
        self._tasks.append(asyncio.ensure_future(self._agent(process, workers)))

    async def _agent(self, process: Process, workers: int) -> None:
        """What `doit` does, from planning to the end."""
        told: list[Event] = []
        scenario = self.scenario
        store, clock, stop = SimStore(process, self.store), SimClock(process), Stop()
        if scenario.stops_at is not None and len(self.agents) == 1:
            self.later(scenario.stops_at, lambda: stop.request(2))
        try:
            run, plan = await self._find_run(store, clock)
            self.oracle.leads(run, plan)
            pools = self.pools[process.name] = scenario.pools_of(workers, is_first=len(self.agents) == 1)
            seating = self.seatings[process.name] = scenario.seating_of(len(self.agents))
            mandate = Mandate(
                seating=seating,
                run=run,
                plan=plan,
                store=store,
                launcher=SimLauncher(self, process),
                clock=clock,
                emit=partial(self._tell, told),
                limits=scenario.limits,
                workers=workers,
                pools=pools,
                spare=behind(grown(pools), slots_of(pools)) if scenario.grows else (),
                room=self._room(pools) if scenario.grows else None,
                joining=self._joining(process) if scenario.joined_at else None,
                stop=stop,
                sources_unchanged=lambda: not scenario.sources_change,
                nonces=lambda: f"n{self.next_number()}",
            )
            ending = await leading.lead(mandate, (lambda leader: ApartHirer(self, leader)) if scenario.apart else None)
            self.oracle.left_open(run, ending)
            if ending.closed:
                has_told(told, ending, is_alone=self._leads_alone(process))
                self.closed.append(ending.merged)
                self.closers += [ending.merged.run] if ending.is_closer else []
                if len(set(self.closers)) < len(self.closers):
                    raise Broken(f"several agents hold that theirs is the result of {run} (closing)")
            elif ending.reason == LEFT and scenario.may_leave:
                self.left.add(process.name)
            elif ending.exit_code not in (2, 130):
                raise Broken(f"exit code {ending.exit_code} of an open run")
        except Gone:
            pass
        except FleetError as error:
            if not isinstance(error, EngineError):
                self.fail(error)
        except BaseException as fault:
            if not process.is_gone:
                self.fail(fault)
        finally:
            self.crash(process)

    async def _find_run(self, store: SimStore, clock: SimClock) -> tuple[str, Plan]:
        """As the stage does: by the name that all jobs know, or by what is to be run."""
        plan = self.plan if len(self.agents) == 1 else self.scenario.other_plan
        if self.scenario.joined_at:
            return JOINED, await resuming.join_run(store, clock, JOINED, plan)
        run = await resuming.find_unfinished(store, clock, IDENTITY)
        if run is None:
            return await resuming.open_run(store, clock, IDENTITY, plan)
        return run, await resuming.adopt_run(store, clock, run)

    def _joining(self, process: Process) -> Joining:
        async def part(worker: str) -> None:
            await process.gate()

        return Joining(place=process.name, root="", may_leave=self.scenario.may_leave, parting=part)

    def _tell(self, told: list[Event], event: Event) -> None:
        told.append(event)
        self.events.append(event)

    def _leads_alone(self, process: Process) -> bool:
        return all(each is process or each.is_gone for each in self.agents)

    async def _settle(self) -> None:
        """Let the dust settle; then nothing may be left."""
        lease = self.scenario.lease_seconds
        await asyncio.sleep(6 * lease)
        self._raise_faults()
        self.is_quiet = True
        left = [harness.number for harness in self.harnesses if not harness.is_over and not harness.process.is_stalled]
        if left:
            raise Broken(f"harnesses {left} are left over (invariant 10)")
        process = self.process("reader")
        run = self.closed[0].run
        merged = await resuming.merged(SimStore(process, self.store), SimClock(process), run)
        for each in (merged, *self.closed):
            self.oracle.judge(each)
            if _verdicts(each) != _verdicts(merged):
                raise Broken("two agents merged differently (closing)")
        if self.scenario.sources_change != merged.mixed:
            raise Broken("a run is called mixed if and only if its sources changed (identity)")
        await sweeping.delete_run(SimStore(process, self.store), SimClock(process), run)
        if any(key.startswith(keys.run(run)) for key in self.data.values):
            raise Broken("a deleted run is still there (deletion)")

    def _raise_faults(self) -> None:
        if self.faults:
            raise self.faults[0]


def _verdicts(merged: MergedRun) -> list[tuple[str, str]]:
    return [(outcome.result.test, outcome.result.verdict.value) for outcome in merged.outcomes]


async def _proxy(life: asyncio.Task[supervising.Life]) -> supervising.Life:
    return await asyncio.shield(life)


class ApartHirer:
    """Each supervisor in a process of its own, with its own knowledge; only orders reach it."""

    is_local = False
    fails_by_slot = True

    def __init__(self, world: World, leader: leading.Leader) -> None:
        self._world, self._leader = world, leader

    def start(self, birth: Birth) -> asyncio.Task[supervising.Life]:
        """Start it; only its own process can end it, so the leader holds but a proxy."""
        self._world.oracle.hires(self._leader, birth)
        life = asyncio.ensure_future(self._live(birth))
        self._world.apart.append(life)
        return asyncio.ensure_future(_proxy(life))

    async def dismiss(self, workers: Sequence[str], *, kindly: bool) -> None:
        """Nothing: whoever hears orders at all shares the leader's, the others are deaf."""

    async def let_go(self) -> None:
        """Nothing: processes that live elsewhere go on."""

    def waiting(self) -> Sequence[str]:
        """None is known to wait."""
        return ()

    def closed(self) -> Mapping[int, str]:
        """None."""
        return {}

    async def keep_stories(self) -> None:
        """Nothing is known of places."""

    async def _live(self, birth: Birth) -> supervising.Life:
        world, leader = self._world, self._leader
        is_deaf = is_late = world.rng.random() < 0.4
        if is_late:
            await asyncio.sleep(world.rng.uniform(0, 4 * world.scenario.lease_seconds))
        process = world.process("worker")
        world.pools[process.name] = leader.pools
        world.places[birth.worker] = process
        clock, port = SimClock(process), SimStore(process, world.store, partial(world.nod_off, process))
        store = CertainStore(port, clock, leader.limits.retry_seconds)
        launcher = SimLauncher(world, process)
        birth = evolve(birth, identity=launcher.identity(birth.slot))
        worker = Worker(
            run=leader.run,
            birth=birth,
            plan=leader.plan,
            view=RunView(leader.run, leader.plan, store, clock, leader.limits.lease_seconds),
            store=store,
            journal=port.journal(keys.journal(leader.run, birth.worker)),
            launcher=launcher,
            clock=clock,
            emit=world.events.append,
            limits=leader.limits,
            orders=Orders(),
        )
        relay = asyncio.ensure_future(_relay(leader.orders, worker.orders, is_deaf=is_deaf))
        world.orders[process.name] = worker.orders
        try:
            life = await elsewhere.supervise_elsewhere(worker)
        except Gone:
            self._tell_end(birth.worker, process)
            await asyncio.sleep(1e6)
            raise
        except Exception as fault:
            world.fail(fault)
            raise
        finally:
            relay.cancel()
        world.crash(process)
        self._tell_end(birth.worker, process)
        return life

    def _tell_end(self, worker: str, process: Process) -> None:
        """The launcher learns how the place has ended."""
        cause = self._world.taken.get(process.name, "")
        if cause and cause != "node-lost":
            self._leader.place_ended(worker, PlaceEnd(code=None, disruption=cause))


async def _relay(leaders: Orders, own: Orders, *, is_deaf: bool) -> None:
    """The signal that a hirer sends when its leader stops; some never arrive."""
    await leaders.is_stopped.wait()
    if not is_deaf:
        own.is_stopped.set()
