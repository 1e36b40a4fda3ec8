"""Where a hired worker is put: one Job for all that come together, each pool its own, seats before Jobs. No cluster is asked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

import pytest
from attrs import define, evolve, field

from pipeline.adapters.kubernetes_errors import ClusterUnreachable
from pipeline.errors import EngineError
from pipeline.launchers.kubernetes.board import Board
from pipeline.launchers.kubernetes.placing import Placer
from pipeline.launchers.kubernetes.terms import PodTerms
from pipeline.model.images import RunImages
from pipeline.ports.places import Hiring
from tests.launchers.test_seats_in_jobs import ended, hiring, pod

TERMS = PodTerms(project="p", pool="default", store="s3://b/p", store_label="s")
BIG = evolve(TERMS, pool="big")


@define
class Objects:
    """Keeps what it is asked to make and delete; `faults` are raised first."""

    made: list[tuple[str, dict[str, Any]]] = field(factory=list)
    deleted: list[tuple[str, str, str]] = field(factory=list)
    faults: list[EngineError] = field(factory=list)

    def make(self, kind: str, body: dict[str, Any], group: str = "v1") -> dict[str, Any]:
        """Make it."""
        if self.faults:
            raise self.faults.pop()
        self.made.append((kind, body))
        return body

    def delete(self, kind: str, name: str, group: str = "v1", *, propagation: str = "Background") -> None:
        """Delete it."""
        self.deleted.append((kind, name, propagation))

    def jobs(self) -> list[dict[str, Any]]:
        """Made so far."""
        return [body for kind, body in self.made if kind == "jobs"]


class House:
    """A placer with all it needs."""

    def __init__(self, terms: PodTerms = TERMS, *, mode: str = "shared") -> None:
        self.board, self.objects = Board(lambda: 0.0), Objects()
        images = RunImages(mode=mode, by_slot=tuple(f"i@sha256:{slot if mode != 'shared' else 0}" for slot in range(4)))
        by_slot = {0: terms, 1: terms, 2: terms, 3: BIG}
        self.placer = Placer(self.board, self.objects, by_slot, lambda: images, self._call)  # type: ignore[arg-type]

    async def _call(self, function: Callable[..., Any], *arguments: object) -> Any:
        await asyncio.sleep(0)
        return function(*arguments)

    async def place(self, workers: Iterable[str], **more: Any) -> list[Any]:
        """All at once; errors in their places."""
        tasks: list[Coroutine[Any, Any, None]] = [self.placer.place(evolve(hiring(each), **more)) for each in workers]
        answers: list[Any] = await asyncio.gather(*tasks, return_exceptions=True)
        return answers


def workers(job: dict[str, Any]) -> int:
    """How many."""
    return int(job["spec"]["completions"])


def test_who_comes_together_is_one_indexed_job() -> None:
    """In the order of their slots, each pool by itself; who comes later has another Job; the Secret is made once."""

    async def scenario() -> Objects:
        house = House()
        assert await house.place(["w2-1", "w0-1", "w3-1", "w1-1"]) == [None] * 4
        assert await house.place(["w1-2"]) == [None]
        assert [house.board.seat_of(f"w{slot}-1").index for slot in (0, 1, 2, 3)] == [0, 1, 2, 0]
        return house.objects

    found = asyncio.run(scenario())
    assert sorted(map(workers, found.jobs())) == [1, 1, 3]
    assert all(job["spec"]["completionMode"] == "Indexed" for job in found.jobs())
    assert len([kind for kind, _ in found.made if kind == "secrets"]) == 2  # One for each pool.


def test_images_of_their_own_make_jobs_of_their_own() -> None:
    """Each with its slot's image."""

    async def scenario() -> Objects:
        house = House(mode="per-worker")
        await house.place(["w0-1", "w1-1"])
        return house.objects

    jobs = asyncio.run(scenario()).jobs()
    assert [workers(job) for job in jobs] == [1, 1]
    images = [job["spec"]["template"]["spec"]["containers"][0]["image"] for job in jobs]
    assert images == ["i@sha256:0", "i@sha256:1"]


def test_a_job_that_cannot_be_made_is_told_to_all_who_wait_for_it() -> None:
    """Nothing of it is left, and the next try begins anew."""

    async def scenario() -> None:
        house = House()
        house.objects.faults = [ClusterUnreachable("away")]
        answers = await house.place(["w0-1", "w1-1"])
        assert [type(each) for each in answers] == [ClusterUnreachable] * 2
        assert [kind for kind, _, _ in house.objects.deleted] == ["jobs"]
        assert house.board.seat_if("w0-1") is None
        assert await house.place(["w0-2"]) == [None]

    asyncio.run(scenario())


def test_one_who_is_cancelled_leaves_the_others_their_job() -> None:
    """A stopped run lets go of hirings at any moment."""

    async def scenario() -> Objects:
        house = House()
        first = asyncio.ensure_future(house.placer.place(hiring("w0-1")))
        second = asyncio.ensure_future(house.placer.place(hiring("w1-1")))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.wait_for(second, 5)
        return house.objects

    assert [workers(job) for job in asyncio.run(scenario()).jobs()] == [2]


async def disturbed(house: House, workers: list[str]) -> Hiring:
    """The first of these has lost its pod to a preemption; who is hired in its place."""
    await house.place(workers)
    seat = house.board.seat_of(workers[0])
    house.board.see_pod("ADDED", pod("1", seat.job, seat.index, state=ended(143)))
    house.board.leave(seat)
    return hiring("w0-2")


def test_a_seat_whose_job_makes_another_pod_is_taken_first() -> None:
    """So no slot has two."""

    async def scenario() -> None:
        house = House()
        again = await disturbed(house, ["w0-1", "w1-1"])
        await house.placer.place(again)
        assert len(house.objects.jobs()) == 1
        assert house.board.seat_of("w0-2").job == house.objects.jobs()[0]["metadata"]["name"]

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("mode", "names", "propagation"),
    [
        ("per-worker", ["w0-1"], "Background"),
        ("shared", ["w0-1"], "Background"),
        ("shared", ["w0-1", "w1-1"], "Orphan"),
    ],
)
def test_after_too_many_preemptions_workers_go_elsewhere(mode: str, names: list[str], propagation: str) -> None:
    """Their old Job makes no more pods; others that still run in it go on."""
    safe = evolve(TERMS, node_selector={"kind": "ours"})
    terms = evolve(TERMS, node_selector={"kind": "spot"}, preemptions=2, undisturbed=safe)

    async def scenario() -> None:
        house = House(terms, mode=mode)
        again = await disturbed(house, names)
        await house.placer.place(evolve(again, preemptions=1))
        assert len(house.objects.jobs()) == 1
        seat = house.board.seat_of("w0-2")
        house.board.see_pod("ADDED", pod("2", seat.job, seat.index, state=ended(143)))
        house.board.leave(seat)
        await house.placer.place(evolve(hiring("w0-3"), preemptions=2))
        old, new = house.objects.jobs()
        assert house.objects.deleted == [("jobs", old["metadata"]["name"], propagation)]
        assert new["spec"]["template"]["spec"]["nodeSelector"] == {"kind": "ours"}
        seat = house.board.seat_of("w0-3")
        house.board.see_pod("ADDED", pod("3", seat.job, seat.index, state=ended(143)))
        house.board.leave(seat)
        await house.placer.place(evolve(hiring("w0-4"), preemptions=3))
        assert len(house.objects.jobs()) == 2  # The new Job is where it is to be.

    asyncio.run(scenario())
