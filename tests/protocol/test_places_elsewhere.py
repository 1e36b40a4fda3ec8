"""Workers elsewhere whose engine tells: waits are explained once, what is hopeless is given up, who is taken away is no loss."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, cast

import pytest
from attrs import define, evolve, field

from pipeline.adapters.clock import SystemClock
from pipeline.logic.objects import Birth, to_bytes
from pipeline.model import events as e
from pipeline.model.plans import Plan
from pipeline.model.suites import HarnessSpec
from pipeline.ports import Launcher, Remains
from pipeline.ports.places import Hiring, PlaceEnd, PlaceStory, Waiting
from pipeline.protocol import keys, waits
from pipeline.protocol.apart import ApartHirer
from pipeline.protocol.budgets import Budgets
from pipeline.protocol.certain import CertainStore
from pipeline.protocol.finishing import Ending
from pipeline.protocol.leading import lead
from pipeline.protocol.limits import Limits
from pipeline.protocol.mandate import Mandate
from pipeline.protocol.orders import Stop
from pipeline.protocol.stories import keep_stories, read_stories
from pipeline.protocol.tombs import bury
from pipeline.protocol.view import RunView
from tests.fakes.memory_store import MemoryStore
from tests.logic.suites import planned, uniform

RUN = "r-1"
FULL = Waiting(reason="quota", text="the quota has no room")
NEVER = Waiting(reason="unschedulable", text="no node could ever take it", hopeless_after=0.05)


@define(eq=False)
class Cluster:
    """A launcher of places that never begin by themselves; each slot waits for what it is told."""

    reasons: dict[int, Waiting | None] = field(factory=dict)
    name: str = "cluster"
    hears: bool = True
    """Whether places end when they are to."""
    lost: set[str] = field(factory=set)
    """Places whose nodes are lost, as is known by now."""
    begun: list[Hiring] = field(factory=list)
    stopped: list[str] = field(factory=list)
    ends: dict[str, asyncio.Future[PlaceEnd]] = field(factory=dict)

    def identity(self, slot: int) -> dict[str, str | int]:
        return {"place": f"place {slot}"}

    async def salvage(self, identity: dict[str, str | int]) -> Remains | None:
        return None

    def specs_there(self) -> Mapping[str, HarnessSpec]:
        return {}

    async def begin(self, hiring: Hiring) -> None:
        self.begun.append(hiring)
        self.ends[hiring.worker] = asyncio.get_running_loop().create_future()

    async def ended(self, hiring: Hiring) -> PlaceEnd:
        return await asyncio.shield(self.ends[hiring.worker])

    async def stop(self, run: str, workers: Sequence[str], *, grace_seconds: float) -> None:
        self.stopped += workers
        for worker in workers if self.hears else ():
            if worker in self.ends and not self.ends[worker].done():
                self.ends[worker].set_result(PlaceEnd(code=137, cause="deleted", disruption="deleted"))

    async def clear(self, run: str, *, term: int | None) -> None:
        """Nothing is left."""

    async def close(self) -> None:
        """Nothing is held."""

    def waiting(self, hiring: Hiring) -> Waiting | None:
        return self.reasons.get(hiring.slot)

    async def story(self, identity: Mapping[str, str | int]) -> PlaceStory | None:
        if identity.get("place") in self.lost:
            return PlaceStory(disruption="node-lost")
        return PlaceStory(node="n", started=5.0, disruption=str(identity.get("disruption", "")))


@define(eq=False)
class Scene:
    """A run of two suites with a pool of one worker each, led with places of that cluster."""

    cluster: Cluster
    limits: Limits = field(factory=lambda: Limits(lease_seconds=2.0, stop_seconds=0.1, hear_seconds=0.05))
    told: list[e.Event] = field(factory=list)
    stop: Stop = field(factory=Stop)
    workers: int = 2

    store: MemoryStore = field(factory=MemoryStore)
    plan: Plan = field(init=False)

    def __attrs_post_init__(self) -> None:
        """Plan for that many workers."""
        self.plan = planned(uniform(4, 1.0), self.workers)

    async def led(self, seconds: float = 20.0) -> Ending:
        """Lead to the end, or until a person stops it."""
        mandate = Mandate(
            run=RUN,
            plan=self.plan,
            store=self.store,
            launcher=cast("Launcher", self.cluster),
            clock=SystemClock(),
            emit=self.told.append,
            limits=self.limits,
            workers=self.workers,
            stop=self.stop,
        )
        cluster = cast("Any", self.cluster)
        return await asyncio.wait_for(lead(mandate, lambda leader: ApartHirer(cluster, leader)), seconds)

    async def led_for(self, seconds: float) -> Ending:
        """Lead for a while, then stop it as a person does."""
        asyncio.get_running_loop().call_later(seconds, self.stop.request, 2)
        return await self.led()

    def notices(self) -> list[str]:
        """Texts for people."""
        return [event.text for event in self.told if isinstance(event, e.Notice)]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks follow each other fast."""
    monkeypatch.setattr(waits, "LOOK_SECONDS", 0.02)


def test_a_run_none_of_whose_slots_can_have_a_worker_ends() -> None:
    """At once, open, with the reason and what to do; its places were stopped."""
    scene = Scene(Cluster({0: NEVER, 1: NEVER}))

    ending = asyncio.run(scene.led())

    assert (ending.exit_code, ending.closed) == (2, False)
    assert ending.reason.startswith("engine failed: no worker can start in slot 0: no node could ever take it")
    assert "so in 1 more slot" in ending.reason and "change the setting or the cluster" in ending.reason
    assert {"w0-1", "w1-1"} <= set(scene.cluster.stopped)


def test_one_slot_without_hope_does_not_end_the_run() -> None:
    """It is not tried again; the others go on waiting."""
    scene = Scene(Cluster({0: NEVER, 1: FULL}))

    ending = asyncio.run(scene.led_for(1.0))

    assert ending.exit_code == 130
    assert [hiring.worker for hiring in scene.cluster.begun] == ["w0-1", "w1-1"]


def test_a_wait_is_told_once_for_all_and_again_when_its_reason_changes() -> None:
    """Each worker's reason is an event; people get one line for each reason."""
    scene = Scene(Cluster({0: FULL, 1: FULL}))

    async def play() -> None:
        loop = asyncio.get_running_loop()
        changed = Waiting(reason="image", text="the registry is away")
        loop.call_later(0.6, lambda: scene.cluster.reasons.update({0: changed}))
        await scene.led_for(1.2)

    asyncio.run(play())

    assert [text for text in scene.notices() if "wait" in text] == [
        "w0-1, w1-1 wait: the quota has no room",
        "w0-1 waits: the registry is away",
    ]
    shown = [(event.worker, event.reason) for event in scene.told if isinstance(event, e.WorkerWaiting)]
    assert shown == [("w0-1", "quota"), ("w1-1", "quota"), ("w0-1", "image")]


def test_what_passes_at_once_and_what_is_ordinary_is_not_told_to_people() -> None:
    """A pull is shown where workers are; that a scheduler needs a moment is not even that."""
    scene = Scene(Cluster({0: evolve(FULL, reason="pulling", is_ordinary=True), 1: None}))

    asyncio.run(scene.led_for(0.5))

    assert [event.reason for event in scene.told if isinstance(event, e.WorkerWaiting)] == ["pulling"]
    assert not [text for text in scene.notices() if "wait" in text]


@pytest.mark.parametrize(("waiting", "hired"), [(FULL, 1), (None, 2)])
def test_a_place_that_is_known_to_wait_is_not_given_up_as_unborn(waiting: Waiting | None, hired: int) -> None:
    """However long; one of which nothing is known frees its slot."""
    limits = Limits(lease_seconds=1.0, stop_seconds=0.1, hear_seconds=0.05, birth_seconds=0.8)
    scene = Scene(Cluster({0: waiting}), limits=limits, workers=1)

    asyncio.run(scene.led_for(1.5))

    assert len(scene.cluster.begun) == hired


def test_a_place_that_is_taken_away_before_its_worker_is_born_is_no_loss() -> None:
    """It spends the budget of disruptions, and the next one is hired; a spent one leaves the run open and says why."""
    cluster = Cluster()
    limits = Limits(lease_seconds=2.0, stop_seconds=0.1, hear_seconds=0.05, max_losses=0, max_disruptions=1)
    scene = Scene(cluster, limits=limits, workers=1)

    async def play() -> Ending:
        async def take_away() -> None:
            while True:
                for end in cluster.ends.values():
                    if not end.done():
                        end.set_result(PlaceEnd(code=None, detail="pod p was preempted", disruption="preempted"))
                await asyncio.sleep(0.02)

        taking = asyncio.ensure_future(take_away())
        try:
            return await scene.led()
        finally:
            taking.cancel()

    ending = asyncio.run(play())

    assert ending.exit_code == 2
    assert ending.reason == "budget spent: 2 workers were taken away (2 preempted), max_disruptions is 1"
    assert [hiring.preemptions for hiring in cluster.begun] == [0, 1]
    assert [event.cause for event in scene.told if isinstance(event, e.WorkerTaken)] == ["preempted", "preempted"]
    assert not [event for event in scene.told if isinstance(event, e.WorkerLost)]


def test_a_node_that_is_known_as_lost_only_later_was_no_loss_after_all() -> None:
    """Its worker had been buried as silent; the run goes on."""
    limits = Limits(lease_seconds=0.4, stop_seconds=0.1, hear_seconds=0.05, max_losses=1, max_disruptions=0)
    scene = Scene(Cluster(hears=False), limits=limits, workers=1)

    async def play() -> Ending:
        leading = asyncio.ensure_future(scene.led())
        while not scene.cluster.begun:
            await asyncio.sleep(0.01)
        hiring = scene.cluster.begun[0]
        birth = Birth(
            worker=hiring.worker, nonce="n", plan=scene.plan.digest, term=1, slot=0, bucket=0, identity=hiring.identity
        )
        await scene.store.create(keys.worker(RUN, hiring.worker), to_bytes(birth))
        while not scene.cluster.stopped:
            await asyncio.sleep(0.01)
        scene.cluster.lost.add("place 0")
        return await leading

    ending = asyncio.run(play())

    assert ending.reason == "budget spent: 1 worker was taken away (1 node-lost), max_disruptions is 0"


class Tally:
    """A run's view with workers that have ended."""

    def __init__(self) -> None:
        self.plan = planned(uniform(2, 1.0), 1)
        self.store = CertainStore(MemoryStore(), SystemClock())
        self.view = RunView(RUN, self.plan, self.store, SystemClock(), lease_seconds=10.0)
        self.budgets = Budgets(self.view)

    async def ended(self, worker: str, cause: str, *, term: int = 1, **identity: str) -> None:
        """A worker that was born and has a tombstone."""
        birth = Birth(
            worker=worker, nonce="n", plan=self.plan.digest, term=term, slot=0, bucket=0, identity=dict(identity)
        )
        await self.store.create(keys.worker(RUN, worker), to_bytes(birth))
        await bury(self.store, RUN, worker, plan=self.plan.digest, by="b", nonce="n", cause=cause, proof=False)
        await self.view.refresh()


def test_each_worker_spends_one_budget() -> None:
    """By the engine's word before its tombstone's; who ended in order spends none, unless it was taken away or at fault."""

    async def play() -> None:
        tally = Tally()
        causes = {"w0-1": "stopped", "w0-2": "stopped", "w0-3": "stopped", "w0-4": "silent", "w0-5": "node-lost"}
        for worker, cause in {**causes, "w0-6": "finished", "w0-7": "silent"}.items():
            await tally.ended(worker, cause)
        await tally.ended("w0-8", "exited", term=2)
        ends = {"w0-1": ("evicted", "evicted"), "w0-3": ("over-limit", ""), "w0-4": ("exited", "fenced")}
        tally.budgets.ends = {name: PlaceEnd(code=1, cause=c, disruption=d) for name, (c, d) in ends.items()}
        assert tally.budgets.disruptions(1) == {"evicted": 1, "fenced": 1, "node-lost": 1}
        assert tally.budgets.losses(1) == {"over-limit": 1, "silent": 1}
        assert tally.budgets.preemptions() == 2
        spent = tally.budgets.spent(1, Limits(max_losses=1))
        assert spent.startswith("2 workers were lost (") and spent.endswith("max_losses is 1")

    asyncio.run(play())


def test_what_engines_knew_is_kept_once_and_read_back() -> None:
    """What lies there first stands; what is no story is left out, for it is for people only."""

    async def play() -> None:
        tally, cluster = Tally(), cast("Any", Cluster())
        await tally.ended("w0-1", "stopped", disruption="preempted")
        await tally.ended("w0-2", "finished")
        told = await keep_stories(tally.store, tally.view, cluster, ["w0-1", "w0-2", "w9-9"], by="t")
        again = await keep_stories(tally.store, tally.view, cluster, ["w0-1"], by="another")
        await tally.store.create(keys.place(RUN, "w0-3"), b"[]")
        assert (told, again) == ({"w0-1": "preempted"}, {"w0-1": "preempted"})
        stories = await read_stories(tally.store, RUN)
        assert {name: (story.node, story.started, story.disruption) for name, story in stories.items()} == {
            "w0-1": ("n", 5.0, "preempted"),
            "w0-2": ("n", 5.0, ""),
        }

    asyncio.run(play())


def test_a_story_of_another_version_is_read_as_far_as_it_is_one() -> None:
    """Fields that are unknown or of another kind are left out."""

    async def play() -> None:
        tally = Tally()
        value = (
            b'{"worker":"w","plan":"p","by":"b","story":{"node":7,"started":3,"code":true,"new":1,"cause":"exited"}}'
        )
        await tally.store.create(keys.place(RUN, "w"), value)
        assert await read_stories(tally.store, RUN) == {"w": PlaceStory(started=3.0, cause="exited")}

    asyncio.run(play())
