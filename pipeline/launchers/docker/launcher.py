"""Workers as containers of a Docker daemon: `workers.launcher = "docker"`. Tests are collected on the agent, as for `local`.

A container runs a whole worker, services beside it, and lives on without its agent. Knows neither plans nor stores.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from attrs import evolve

from pipeline.adapters.docker_engine import DockerEngine
from pipeline.errors import EngineError
from pipeline.launchers.collecting import CollectingLauncher
from pipeline.launchers.docker.remains import read_remains, save_log, says
from pipeline.launchers.docker.services import start_services
from pipeline.launchers.docker.specs import (
    RUN,
    SERVICE,
    TERM,
    WORKER,
    DockerTerms,
    labels_of,
    name_of,
    worker_spec,
)
from pipeline.launchers.given import secrets_line, settled
from pipeline.launchers.local import LocalLauncher
from pipeline.model.containers import ContainerState
from pipeline.model.exits import FENCED
from pipeline.model.images import RunImages
from pipeline.model.suites import HarnessSpec
from pipeline.ports import Remains
from pipeline.ports.places import Hiring, PlaceEnd

TOGETHER = 16
"""Calls of the daemon under way at once."""
LOOK_SECONDS = 5.0
"""Between two looks at a container whose end nobody has told."""


class DockerLauncher(CollectingLauncher):
    """`ports.Launcher`, `ports.Warm` and `ports.places.Elsewhere`."""

    name = "docker"

    def __init__(
        self,
        local: LocalLauncher,
        engine: DockerEngine,
        terms: Mapping[int, DockerTerms],
        images: Callable[[], RunImages],
        specs: Mapping[str, HarnessSpec],
        root: str,
    ) -> None:
        """`local` collects; `terms` by slot; `images` are there once they have been pushed; `specs` and `root` are the agent's own."""
        super().__init__(local, images, specs, root, ThreadPoolExecutor(TOGETHER, "docker"))
        self._engine, self._terms = engine, terms
        self._ended: dict[str, asyncio.Event] = {}
        """By container's id."""
        self._containers: dict[str, str] = {}
        """Ids by name."""
        self._remains: dict[str, Remains] = {}
        """By container's name, of those that are removed."""
        self._watching: threading.Thread | None = None
        self._is_over = threading.Event()

    def identity(self, slot: int) -> dict[str, str | int]:
        """Names the daemon's address; the container's name is added when it is made."""
        return {"engine": "docker", "host": self._engine.host, "place": f"docker {self._engine.host}"}

    async def begin(self, hiring: Hiring) -> None:
        """Start a worker's services, then its container. Raises `EngineError`; then nothing of it is left."""
        if self._watching is None:
            self._watch(hiring.run)
        self._end_collecting()
        try:
            container = await self._call(self._begin, hiring)
        except EngineError:
            await self._remove_worker(hiring)
            raise
        self._containers[name_of(hiring)] = container
        self._ended.setdefault(container, asyncio.Event())

    async def ended(self, hiring: Hiring) -> PlaceEnd:
        """Wait for the end of a worker's container, keep its log and last words, remove it and its services."""
        name = name_of(hiring)
        container = self._containers[name]
        state = await self._call(self._engine.state, container)
        while state is not None and not state.has_ended:
            try:
                await asyncio.wait_for(self._ended[container].wait(), LOOK_SECONDS)
            except TimeoutError:
                pass
            self._ended[container].clear()
            try:
                state = await self._call(self._engine.state, container)
            except EngineError as error:
                if error.permanent:
                    raise
        if state is None:
            return PlaceEnd(code=None, detail="its container was removed by somebody else")
        self._remains[name] = await self._call(read_remains, self._engine, state, self._run_images().places)
        end = await self._call(save_log, self._engine, state, self._log(name))
        await self._remove_worker(hiring)
        is_fenced = state.code == FENCED
        return PlaceEnd(code=state.code, detail=says(state, end), disruption="fenced" if is_fenced else "")

    async def stop(self, run: str, workers: Sequence[str], *, grace_seconds: float) -> None:
        """Stop containers of these workers; their services go when they are removed."""
        found = await self._call(self._engine.list, {RUN: run})
        living = [one for one in found if one.labels.get(WORKER) in workers and SERVICE not in one.labels]
        living = [one for one in living if not one.has_ended]
        await asyncio.gather(*(self._call(self._engine.stop, one.id, grace_seconds) for one in living))

    async def clear(self, run: str, *, term: int | None) -> None:
        """Remove all containers of a run, or of one term of it; their logs are kept. Raises `EngineError`."""
        labels = {RUN: run} if term is None else {RUN: run, TERM: str(term)}
        await self._remove(await self._call(self._engine.list, labels))

    async def salvage(self, identity: dict[str, str | int]) -> Remains | None:
        """Proof that a container has ended, with its last words. None while it lives, or where nobody can know."""
        if identity.get("engine") != "docker":
            return await self._local.salvage(identity)
        name = str(identity.get("container", ""))
        if name in self._remains:
            return self._remains[name]
        try:
            if not name or await self._call(self._engine.identity) != identity.get("daemon"):
                return None
            state = await self._call(self._engine.state, name)
            if state is None:
                return Remains(cause="deleted", detail="its container was removed")
            if not state.has_ended:
                return None
            return await self._call(read_remains, self._engine, state, self._run_images().places)
        except EngineError:
            return None  # The daemon does not answer: only silence can tell.

    async def close(self) -> None:
        """End what this process holds; containers are the run's, see `clear`."""
        self._is_over.set()
        await asyncio.to_thread(self._engine.stop_watching)
        self._pool.shutdown(wait=False)
        await asyncio.to_thread(self._engine.close)
        await self._close_local()

    def _begin(self, hiring: Hiring) -> str:
        engine, terms, images = self._engine, self._terms[hiring.slot], self._run_images()
        name = name_of(hiring)
        identity = {
            "daemon": engine.identity(),
            "container": name,
            "place": f"container {name}",
            "log": str(self._log(name)),
        }
        hiring = evolve(hiring, identity={**hiring.identity, **identity})
        image = images.by_slot[hiring.slot % len(images.by_slot)]
        engine.pull(image)
        network = start_services(engine, terms, hiring, stopped=self._is_over.is_set)
        spec = worker_spec(terms, hiring, image, images.places, network=f"container:{network}" if network else "")
        container = engine.create(spec)
        engine.start(container, secrets_line(settled(terms)))
        return container

    async def _remove_worker(self, hiring: Hiring) -> None:
        try:
            await self._remove(await self._call(self._engine.list, labels_of(self._terms[hiring.slot], hiring)))
        except EngineError:
            pass  # Cleared when the run is let go of, or swept.

    async def _remove(self, containers: Sequence[ContainerState]) -> None:
        async def remove(one: ContainerState) -> None:
            await self._call(save_log, self._engine, one, self._log(one.name))
            await self._call(self._engine.remove, one.id)

        # Workers first: a service's network is theirs too.
        for is_service in (False, True):
            await asyncio.gather(*(remove(one) for one in containers if (SERVICE in one.labels) is is_service))

    def _log(self, name: str) -> Path:
        return self._local.folder / "containers" / f"{name}.log"

    def _watch(self, run: str) -> None:
        loop = asyncio.get_running_loop()
        self._watching = threading.Thread(
            target=self._engine.watch,
            args=({RUN: run}, lambda container: loop.call_soon_threadsafe(self._hear, container), self._is_over),
            name="docker-events",
            daemon=True,
        )
        self._watching.start()

    def _hear(self, container: str) -> None:
        self._ended.setdefault(container, asyncio.Event()).set()
