"""Find a place for each worker that is hired: where a pod is to begin anyway, else in a new Job. Knows nothing of their ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from functools import partial
from typing import Any, Final

from attrs import define, field

from pipeline.errors import EngineError
from pipeline.launchers.given import settled
from pipeline.launchers.kubernetes.board import Board, Seat
from pipeline.launchers.kubernetes.jobs import job_of, secret_of
from pipeline.launchers.kubernetes.objects import ClusterObjects
from pipeline.launchers.kubernetes.terms import PodTerms
from pipeline.model.images import RunImages
from pipeline.ports.places import Hiring

GATHER_SECONDS: Final = 0.2
"""Hirings within it become one Indexed Job."""
Call = Callable[..., Coroutine[Any, Any, Any]]
"""Does something that blocks, elsewhere."""


@define(eq=False)
class Crowd:
    """Hirings that will be one Job."""

    hirings: list[Hiring]
    made: asyncio.Task[None] | None = field(default=None)


class Placer:
    """Of one launcher."""

    def __init__(
        self,
        board: Board,
        objects: ClusterObjects,
        terms: Mapping[int, PodTerms],
        images: Callable[[], RunImages],
        call: Call,
    ) -> None:
        """`terms` by slot."""
        self._board, self._objects, self._terms, self._images, self._call = board, objects, terms, images, call
        self._secrets: dict[str, asyncio.Task[Any]] = {}
        """By name."""
        self._crowds: dict[tuple[int, str, bool], Crowd] = {}
        """Those that are being gathered."""
        self._undisturbed: set[str] = set()
        """Jobs made from terms that come after preemptions."""

    async def place(self, hiring: Hiring) -> None:
        """Have a pod for it made, or one to come. Raises `EngineError`; then nothing of it is left."""
        seat = self._board.adoptable(hiring.slot)
        if seat is not None and await self._suits(seat, hiring):
            self._board.sit(seat, hiring)
        elif self._images().mode == "shared":
            await self._join_crowd(hiring)
        else:
            await self._make_job([hiring], indexed=False)

    async def delete_job(self, name: str) -> None:
        """A Job and its pods, as far as the cluster answers; else it goes when the run is let go of, or swept."""
        try:
            await self._call(self._objects.delete, "jobs", name, "batch/v1")
        except EngineError:
            pass

    async def _join_crowd(self, hiring: Hiring) -> None:
        """One Indexed Job for all that are hired within a moment."""
        terms = self._terms_of(hiring)
        key = (hiring.term, terms.pool, terms is self._terms[hiring.slot])
        crowd = self._crowds.get(key)
        if crowd is None:
            crowd = self._crowds[key] = Crowd([])
            crowd.made = asyncio.ensure_future(self._gather(key, crowd))
        crowd.hirings.append(hiring)
        assert crowd.made is not None
        await asyncio.shield(crowd.made)

    async def _gather(self, key: tuple[int, str, bool], crowd: Crowd) -> None:
        await asyncio.sleep(GATHER_SECONDS)
        del self._crowds[key]
        await self._make_job(sorted(crowd.hirings, key=lambda one: one.slot), indexed=True)

    async def _make_job(self, hirings: Sequence[Hiring], *, indexed: bool) -> None:
        first, images = hirings[0], self._images()
        terms = self._terms_of(first)
        image = images.by_slot[first.slot % len(images.by_slot)]
        stated: PodTerms = await self._call(settled, terms)
        job = job_of(stated, hirings, image, images.places, indexed=indexed)
        name = job["metadata"]["name"]
        self._board.place(job, hirings)
        if terms is not self._terms[first.slot]:
            self._undisturbed.add(name)
        try:
            await self._make_secret(stated, first)
            await self._call(self._objects.make, "jobs", job, "batch/v1")
        except EngineError:
            self._board.remove(hirings)
            await self.delete_job(name)  # It may have been made after all.
            raise

    async def _make_secret(self, terms: PodTerms, hiring: Hiring) -> None:
        """Once for a pool and term."""
        secret = secret_of(terms, hiring.run, hiring.term)
        name = secret["metadata"]["name"]
        if name not in self._secrets:
            self._secrets[name] = asyncio.ensure_future(self._call(self._objects.make, "secrets", secret))
        try:
            await asyncio.shield(self._secrets[name])
        except EngineError:
            self._secrets.pop(name, None)
            raise

    async def _suits(self, seat: Seat, hiring: Hiring) -> bool:
        """Whether a seat is where the hiring is to be. Where too much was preempted, its Job makes no more pods; those that
        run on go on without it."""
        if self._terms_of(hiring) is self._terms[hiring.slot] or seat.job in self._undisturbed:
            return True
        seat.is_stopped = True
        others = any(each.hiring for each in self._board.siblings(seat))
        delete = partial(self._objects.delete, propagation="Orphan" if others else "Background")
        await self._call(delete, "jobs", seat.job, "batch/v1")
        return False

    def _terms_of(self, hiring: Hiring) -> PodTerms:
        terms = self._terms[hiring.slot]
        is_over = terms.preemptions is not None and hiring.preemptions >= terms.preemptions
        return terms.undisturbed if is_over and terms.undisturbed is not None else terms
