"""What launchers of whole workers elsewhere share: tests are collected on the agent, and images are known once they are pushed.

Knows neither daemons nor clusters, neither plans nor stores.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from attrs import evolve

from pipeline.adapters.harness_process import HarnessProcess
from pipeline.launchers.local import LocalLauncher
from pipeline.model.images import Places, RunImages
from pipeline.model.suites import HarnessSpec

T = TypeVar("T")


class CollectingLauncher:
    """`ports.Warm` and the first part of `ports.places.Elsewhere`, for launchers that hire elsewhere."""

    def __init__(
        self,
        local: LocalLauncher,
        images: Callable[[], RunImages],
        specs: Mapping[str, HarnessSpec],
        root: str,
        pool: ThreadPoolExecutor,
    ) -> None:
        """`local` collects; `images` are there once they have been pushed; `specs` and `root` are the agent's own; `pool`
        makes the engine's calls."""
        self._local, self._specs, self._root, self._pool = local, specs, root, pool
        self._read_images = images
        self._images: RunImages | None = None
        self._closing: asyncio.Future[None] | None = None

    async def warm(self, slot: int, suite: str) -> HarnessProcess:
        """A harness on the agent, to collect with. Raises `EngineError`."""
        return await self._local.warm(slot, suite)

    async def harness(self, slot: int, suite: str) -> HarnessProcess:
        """A harness on the agent. Raises `EngineError`."""
        return await self._local.harness(slot, suite)

    def specs_there(self) -> Mapping[str, HarnessSpec]:
        """How harnesses start in the images."""
        places = self._run_images().places
        return {suite: there(spec, self._root, places) for suite, spec in self._specs.items()}

    def _end_collecting(self) -> None:
        """From the first hiring on: what has collected holds memory."""
        if self._closing is None:
            self._closing = asyncio.ensure_future(self._local.close())

    async def _close_local(self) -> None:
        """End what collects, wherever it is in that."""
        if self._closing is not None:
            await self._closing
        await self._local.close()

    def _run_images(self) -> RunImages:
        if self._images is None:
            self._images = self._read_images()
        return self._images

    async def _call(self, function: Callable[..., T], *arguments: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, partial(function, *arguments))


def there(spec: HarnessSpec, root: str, places: Places) -> HarnessSpec:
    """A suite's specification as it is in the image: paths below the project's root are below the image's."""

    def moved(value: object) -> object:
        if isinstance(value, str) and (value == root or value.startswith(f"{root}/")):
            return places.project + value.removeprefix(root)
        if isinstance(value, list | tuple):
            return [moved(one) for one in value]
        if isinstance(value, dict):
            return {name: moved(one) for name, one in value.items()}
        return value

    options = moved(spec.options)
    assert isinstance(options, dict)
    return evolve(
        spec,
        python=places.pythons.get(spec.suite, spec.python),
        cwd=str(moved(spec.cwd)),
        module=str(moved(spec.module)),
        env={},
        options=options,
    )
