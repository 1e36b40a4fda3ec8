"""Workers as pods of a Kubernetes cluster: `workers.launcher = "kubernetes"`. Tests are collected on the agent, as for `local`.

A worker is one pod, made by a Job, which makes another one where the cluster took it away while no agent lives; one that lives
does not wait for that where a Job has no other pod.
What goes on is heard by watches, never asked for. Knows neither plans nor stores.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Final

from attrs import evolve

from pipeline.adapters.kubernetes_api import KubernetesApi
from pipeline.adapters.kubernetes_client import KubernetesClient
from pipeline.errors import EngineError
from pipeline.launchers.collecting import CollectingLauncher
from pipeline.launchers.kubernetes.board import Board, Seat
from pipeline.launchers.kubernetes.ends import end_of, end_of_deleted, is_proven
from pipeline.launchers.kubernetes.hearing import Hearing, Memory
from pipeline.launchers.kubernetes.objects import ClusterObjects
from pipeline.launchers.kubernetes.pending import why_waiting
from pipeline.launchers.kubernetes.placing import Placer
from pipeline.launchers.kubernetes.terms import PodTerms
from pipeline.launchers.local import LocalLauncher
from pipeline.model.images import RunImages
from pipeline.model.suites import HarnessSpec
from pipeline.ports import Remains
from pipeline.ports.places import Hiring, PlaceEnd, PlaceStory, Waiting

Object = dict[str, Any]
TOGETHER: Final = 12
"""Requests under way at once, beside three watches."""
SETTLE_SECONDS: Final = 2.0
"""A Job's pod may be heard of after the Job's end: two watches."""
GONE_SECONDS: Final = 25.0
"""For pods to end when all is cleared away; then their objects are dropped."""


class KubernetesLauncher(CollectingLauncher):
    """`ports.Launcher`, `ports.Warm`, `ports.places.Elsewhere` and `ports.places.Telling`."""

    name = "kubernetes"
    replaces = True

    def __init__(
        self,
        local: LocalLauncher,
        client: KubernetesClient,
        namespace: str,
        terms: Mapping[int, PodTerms],
        images: Callable[[], RunImages],
        specs: Mapping[str, HarnessSpec],
        root: str,
        tell: Callable[[str], None] = lambda _: None,
        sweep_made: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`local` collects; `terms` by slot; `images` are there once they have been pushed; `specs` and `root` are the
        agent's own; `tell` takes warnings for people; `sweep_made` removes what tests of a run have made in the cluster."""
        super().__init__(local, images, specs, root, ThreadPoolExecutor(TOGETHER, "kubernetes"))
        self._client, self._tell, self._sweep_made = client, tell, sweep_made
        self._is_over = threading.Event()
        self._objects = ClusterObjects(KubernetesApi(client), namespace or client.namespace, self._is_over)
        self._board = Board(time.monotonic)
        self._memory = Memory(self._board)
        self._hearing = Hearing(self._board, self._objects, self._is_over, tell)
        self._placer = Placer(self._board, self._objects, terms, self._run_images, self._call)

    def identity(self, slot: int) -> dict[str, str | int]:
        """Names the namespace and where the agent keeps logs; the worker adds its pod."""
        return {
            "engine": "kubernetes",
            "namespace": self._objects.namespace,
            "place": f"namespace {self._objects.namespace}",
            "logs": str(self._logs),
            "slot": slot,
        }

    async def begin(self, hiring: Hiring) -> None:
        """Have a worker: in a seat of the slot that is free, else in a new Job. Raises `EngineError`."""
        await self._hearing.of(hiring.run)
        self._end_collecting()
        await self._placer.place(hiring)

    async def ended(self, hiring: Hiring) -> PlaceEnd:
        """Wait for the end of a worker's pod; keep its log and the proof of its end, and remove it unless it is replaced."""
        seat = self._board.seat_of(hiring.worker)
        while True:
            seat.news.clear()
            pod = self._board.pod_on(seat)
            if pod is not None and self._board.has_ended(pod["metadata"]["uid"]):
                return await self._end(seat, pod)
            if pod is None and self._board.is_over(seat) and not await self._pod_comes(seat):
                return self._end_without(seat)
            await seat.news.wait()

    def heed(self, heard: Callable[[], None]) -> None:
        """Call it when a pod has ended that nobody here waits for."""
        self._board.ended_alone = heard

    async def stop(self, run: str, workers: Sequence[str], *, grace_seconds: float) -> None:
        """Delete pods of these workers, and their Jobs where nobody else is left in them, so that they are not replaced."""
        await self._hearing.of(run)
        seats = self._board.seats_named(workers)
        for seat in seats:
            seat.is_stopped = True
        jobs = {job for job in {seat.job for seat in seats} if not self._board.is_missed(job)}
        pods = [pod["metadata"]["name"] for seat in seats for pod in self._board.living_on(seat)]
        delete = self._objects.delete
        await asyncio.gather(*(self._call(delete, "jobs", job, "batch/v1") for job in jobs - self._board.gone_jobs))
        await asyncio.gather(*(self._call(partial(delete, "pods", pod, grace=grace_seconds)) for pod in pods))

    async def clear(self, run: str, *, term: int | None) -> None:
        """Leave no Job, pod or Secret of a run, or of one term of it. Raises `EngineError`."""
        await self._hearing.of(run)
        await self._call(self._objects.delete_all, run, term)
        try:
            async with asyncio.timeout(GONE_SECONDS):
                while not self._board.is_empty(term):
                    self._board.changed.clear()
                    await self._board.changed.wait()
        except TimeoutError:
            await self._drop(self._board.living(term))
        if term is None:
            await self._call(self._sweep_made, run)

    async def salvage(self, identity: dict[str, str | int]) -> Remains | None:
        """Proof that a pod's worker has ended, by the word of its kubelet. None while it lives, or where nobody can know."""
        if identity.get("engine") != "kubernetes":
            return await self._local.salvage(identity)
        return self._memory.remains(str(identity.get("uid", "")), await self._pod(identity))

    # What the cluster tells of places.

    def waiting(self, hiring: Hiring) -> Waiting | None:
        """Why a worker that `begin` has started does not live yet."""
        seat = self._board.seat_if(hiring.worker)
        if seat is None:
            return None
        pod, job = self._board.pod_on(seat), self._board.jobs.get(seat.job)
        about = (each["metadata"].get("uid", "") for each in (pod, job) if each is not None)
        return why_waiting(pod, job, [event for uid in about for event in self._board.events.get(uid, ())])

    async def story(self, identity: Mapping[str, str | int]) -> PlaceStory | None:
        """What is known of the pod of a worker."""
        return self._memory.story(str(identity.get("uid", "")), await self._pod(identity))

    async def close(self) -> None:
        """End what this process holds; pods are the run's, see `clear`."""
        self._is_over.set()
        await self._hearing.close()
        self._pool.shutdown(wait=False, cancel_futures=True)
        await asyncio.to_thread(self._client.close)
        await self._close_local()

    # Ends.

    async def _end(self, seat: Seat, pod: Object) -> PlaceEnd:
        about, job = pod["metadata"], self._board.jobs.get(seat.job)
        uid, name, log_end = about["uid"], about["name"], ""
        if is_proven(pod):  # Else its node does not answer.
            log_end = await self._call(self._objects.save_log, name, self._logs / f"{name}.log")
        read = end_of_deleted if uid in self._board.gone else end_of
        end = read(pod, job, log_end=log_end) or PlaceEnd(code=None)
        was_stopped, is_replaced = seat.is_stopped, self._board.will_replace(uid)
        self._board.leave(seat)
        self._memory.keep(pod)
        if self._board.makes_wait(seat):
            seat.is_stopped = True
        if (seat.is_stopped or not is_replaced) and not self._board.is_missed(seat.job):
            await self._placer.delete_job(seat.job)
        return evolve(end, disruption="") if was_stopped and end.disruption != "fenced" else end

    def _end_without(self, seat: Seat) -> PlaceEnd:
        """Its Job will have no pod for it."""
        job = self._board.jobs[seat.job]
        self._board.leave(seat)
        told = [each for each in job["status"].get("conditions", ()) if each.get("message")]
        if told:
            late = any(each.get("reason") == "DeadlineExceeded" for each in told)
            text = f"Job {seat.job} has ended: {told[-1]['message']}"
            return PlaceEnd(code=None, detail=text, cause="deadline" if late else "")
        disruption = "" if seat.is_stopped else "deleted"
        return PlaceEnd(code=None, detail=f"Job {seat.job} was deleted", cause="deleted", disruption=disruption)

    async def _pod_comes(self, seat: Seat) -> bool:
        """Whether news comes within a moment."""
        try:
            await asyncio.wait_for(seat.news.wait(), SETTLE_SECONDS)
        except TimeoutError:
            return False
        return True

    async def _drop(self, pods: Sequence[Object]) -> None:
        """Pods whose nodes do not say that they have ended: their objects go, and people are told what may be left."""
        await asyncio.gather(*(self._call(self._objects.forget, pod["metadata"]["name"]) for pod in pods))
        for pod in pods:
            node = pod["spec"].get("nodeName", "")
            self._tell(
                f"node {node!r} has not said that pod {pod['metadata']['name']!r} has ended: it ends it when it is back"
            )

    async def _pod(self, identity: Mapping[str, str | int]) -> Object | None:
        """The pod of a birth, as it is or was; None: it is not known, or the cluster does not answer."""
        uid, name = str(identity.get("uid", "")), str(identity.get("pod", ""))
        if uid in self._board.pods or not name:
            return self._board.pods.get(uid)
        if identity.get("namespace") != self._objects.namespace:
            return None
        try:
            found = await self._call(self._objects.pod, name)
        except EngineError:
            return None
        return found if found is not None and found["metadata"]["uid"] == uid else None

    @property
    def _logs(self) -> Path:
        return self._local.folder / "pods"
