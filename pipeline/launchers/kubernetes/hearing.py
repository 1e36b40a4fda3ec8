"""Hear what happens to Jobs and pods of a run, and keep what is to be known of pods when they are gone."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

from pipeline.adapters.kubernetes_watch import KubernetesWatch
from pipeline.errors import EngineError
from pipeline.launchers.kubernetes.board import Board
from pipeline.launchers.kubernetes.ends import remains_of
from pipeline.launchers.kubernetes.objects import ClusterObjects
from pipeline.launchers.kubernetes.stories import story_of
from pipeline.ports import Remains
from pipeline.ports.places import PlaceStory

Object = dict[str, Any]
LISTED_SECONDS: Final = 60.0
"""For the first lists; the watches go on trying."""


class Hearing:
    """Watches that teach a board, from threads of their own."""

    def __init__(
        self, board: Board, objects: ClusterObjects, is_over: threading.Event, tell: Callable[[str], None]
    ) -> None:
        """`tell` takes warnings for people."""
        self._board, self._objects, self._is_over, self._tell = board, objects, is_over, tell
        self._watches: Sequence[KubernetesWatch] = ()
        self._starting: asyncio.Task[None] | None = None

    async def of(self, run: str) -> None:
        """Hear of that run from now on; what there was is known afterwards, as far as the API server answers."""
        if self._starting is None:
            self._starting = asyncio.ensure_future(self._start(run))
        await asyncio.shield(self._starting)

    async def close(self) -> None:
        """Hear no more."""
        await asyncio.gather(*(asyncio.to_thread(watch.close) for watch in self._watches))

    async def _start(self, run: str) -> None:
        board, loop = self._board, asyncio.get_running_loop()

        def hear(see: Callable[..., None], *told: Any) -> None:
            if not self._is_over.is_set():
                loop.call_soon_threadsafe(see, *told)

        def hear_pod(kind: str, pod: Object) -> None:
            hear(partial(board.see_pod, is_old=not pods.listed.is_set()), kind, pod)

        jobs, pods, events = self._objects.watches(
            run,
            job=partial(hear, board.see_job),
            pod=hear_pod,
            event=lambda _, event: hear(board.see_event, event),
            trouble=lambda error: hear(self._trouble, error),
        )
        self._watches = (jobs, pods, events)
        for watch in self._watches:
            watch.start()
        await asyncio.gather(*(asyncio.to_thread(watch.listed.wait, LISTED_SECONDS) for watch in (jobs, pods)))
        await asyncio.sleep(0)  # What they have told is heard before anybody goes on.

    def _trouble(self, error: EngineError) -> None:
        self._tell(f"what pods do is not heard now: {error}")


class Memory:
    """Of pods, by uid: proof that they have ended, and their stories."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._remains: dict[str, Remains] = {}
        self._stories: dict[str, PlaceStory] = {}

    def keep(self, pod: Object) -> None:
        """What is to be known of a pod that has ended; the board forgets the rest."""
        uid = pod["metadata"]["uid"]
        self.remains(uid, pod)
        self._stories[uid] = self._story(pod)
        self._board.forget(uid)

    def remains(self, uid: str, pod: Object | None) -> Remains | None:
        """Proof of its end, as it is or was once known."""
        found = self._remains.get(uid) or (remains_of(pod) if pod is not None else None)
        if found is not None:
            self._remains[uid] = found
        return found

    def story(self, uid: str, pod: Object | None) -> PlaceStory | None:
        """What is known of it."""
        return self._stories.get(uid) or (self._story(pod) if pod is not None else None)

    def _story(self, pod: Object) -> PlaceStory:
        uid = pod["metadata"]["uid"]
        events, job = self._board.events.get(uid, ()), self._board.job_of(pod)
        return story_of(pod, events, job, is_gone=uid in self._board.gone)
