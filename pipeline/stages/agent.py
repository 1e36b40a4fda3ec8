"""What the composition root hands to every stage: ports, values and places, made when first asked for.

Stages see only this protocol: no adapter, launcher, framework or settings object by name.
"""

from __future__ import annotations

from collections.abc import Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

from attrs import frozen

from pipeline.model.events import Event
from pipeline.model.suites import HarnessSpec, Suite
from pipeline.model.tests import Test
from pipeline.ports import Harness, History, Launcher, Reporter, Store

T = TypeVar("T")


@frozen(kw_only=True)
class Inputs:
    """Digests of what decides verdicts, by part, so that a change can be explained."""

    parts: Mapping[str, str]
    """For instance `sources`, `environment`, `interpreter unit`, `settings`."""
    identity: str
    """16 hexadecimal digits over all parts: names the run."""


class Framework(Protocol):
    """A test framework, seen from the agent. Registered under the entry point group `doit_fleet.frameworks`."""

    name: str
    wanted: Mapping[str, int]
    """Distributions that the interpreter must hold, with their least major version."""

    def harness(self, suite: Suite, *, run: str, slots: int, seed: int) -> HarnessSpec:
        """How to start the suite's harnesses."""

    def reproduce(self, suite: Suite, test: Test) -> str:
        """A shell line that runs one test without anything of ours."""

    def condemns(self, suite: Suite, path: Path) -> bool:
        """Whether a source that is no valid syntax makes the suite red for certain."""


class WarmLauncher(Launcher, Protocol):
    """A launcher whose harnesses can be started for collection and kept for the run."""

    async def warm(self, slot: int, suite: str) -> Harness:
        """Start a harness, or give the warm one."""
