"""What lets this job join others: which run, what it is about, how this machine's part of the results goes home.

On the way of every `doit`: whatever needs more is imported when a run is joined.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from extensions.own_share import host_of

if TYPE_CHECKING:
    from extensions.agent import LocalAgent
    from pipeline.stages.agent import Inputs, Joined


class Joins:
    """One agent's."""

    def __init__(self, agent: LocalAgent, files: Callable[[], Mapping[str, str]]) -> None:
        """`files`: digests of the sources by name."""
        self._agent, self._files = agent, files

    @cached_property
    def joined(self) -> Joined | None:
        """The run that this job joins; None: it works alone. Raises `UsageError`."""
        if not self._agent.fleet.join.name.get() and not host_of(self._agent.fleet):
            return None
        from extensions.joining import joined

        return joined(self._agent)

    def is_named(self) -> bool:
        """Whether a run to join is named; leaves settings open."""
        return bool(self._agent.fleet.join.name.peek())

    @cached_property
    def is_shared(self) -> bool:
        """Whether other machines may reach the store: it is no folder that only this checkout knows."""
        url, state = str(self._agent.fleet.store.url.get()), Path(self._agent.fleet.project.state_dir.get())
        return "://" in url or state not in (Path(url), *Path(url).parents)

    @cached_property
    def inputs(self) -> Mapping[str, Mapping[str, str]]:
        """What decides verdicts, by part and name, spelled the same on every machine that has the same."""
        from extensions.sharing import shared_inputs

        return shared_inputs(self._agent.fleet, self._agent.suites(), self._files(), self._agent.root)

    def named(self, inputs: Inputs) -> Inputs:
        """The same inputs under the identity that all jobs give them."""
        from attrs import evolve

        from extensions.deciding import digest

        return evolve(inputs, identity=digest(self.inputs)[:16])

    def parting(self, run: str) -> Callable[[str], Coroutine[Any, Any, None]]:
        """What sends home what tests have left on this machine, under the name of a worker."""
        from extensions.joining import Parting

        agent = self._agent
        return Parting(agent.store(), agent.clock(), run, agent.workforce.specs, agent.launcher().folder).send
