"""What `doctor` looks at: each thing a run needs, tried for real, with the way out when it is not there."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from extensions import plugins
from extensions.placing import checked
from pipeline.errors import FleetError
from pipeline.stages.agent import Check

if TYPE_CHECKING:
    from extensions.agent import LocalAgent
    from pipeline.stages.imaging import Step

LEAST_BYTES = 200 * 2**20
"""Free disk below which a run is likely to meet a full one."""


def checks(agent: LocalAgent) -> Iterator[Check]:
    """All checks, each once, in the order in which a run would meet them."""
    yield _try("settings", lambda: f"root {agent.root}")
    yield _try("interpreters", lambda: _interpreters(agent))
    yield _try("inputs", lambda: f"{len(agent.sources())} files")
    yield from _remarks(agent)
    yield _try("workers", lambda: f"{agent.slots()} on launcher {agent.launcher().name!r}")
    yield _try("placement", lambda: checked(agent.fleet, agent.workforce.grounds))
    yield _try("store", lambda: agent.wait(_store(agent)))
    if agent.runs_images():
        yield _try("registry", lambda: _registry(agent))
        yield _try("base image", lambda: _base_image(agent))
        if _needs_daemon(agent):
            yield _try("Docker daemon", lambda: agent.imaging.builder().version())
    if _is_with(agent, "kubernetes"):
        from extensions.cluster_checks import cluster_checks

        yield from cluster_checks(agent)
    if _is_with(agent, "ssh"):
        from extensions.host_checks import checks_of

        yield from checks_of(agent.fleet, agent.suites())
    yield _try("history", lambda: _history(agent))
    yield _disk(agent)
    for name, kind in agent.fleet.outside.items():
        yield Check(name=f"extension {name}", good=True, text=kind.__module__)
    for group in plugins.GROUPS:
        for name in plugins.names(group):
            yield _try(f"{group[:-1]} {name}", partial(_plugin, group, name))


def _try(name: str, look: Callable[[], str]) -> Check:
    try:
        return Check(name=name, good=True, text=look())
    except FleetError as error:
        return Check(name=name, good=False, text=error.message, hint=error.hint)


def _interpreters(agent: LocalAgent) -> str:
    told = []
    for suite in agent.suites():
        python = suite.interpreter
        packages = [f"{name} {version}" for name, version in python.packages.items()]
        has = ", ".join((f"Python {'.'.join(map(str, python.version))}", *packages))
        told.append(f"suite {suite.name!r}: {python.path} ({has}; {python.source})")
    return "; ".join(told)


def _remarks(agent: LocalAgent) -> Iterator[Check]:
    """No reason not to run, but mostly a name that was misspelt."""
    from pipeline.stages.remarks import as_lines

    try:
        for line in as_lines(agent.remarks()):
            yield Check(name="matrices", good=True, text=line)
    except FleetError:
        return  # Said by the checks before.


async def _store(agent: LocalAgent) -> str:
    from pipeline.adapters.store_probe import prove

    await prove(agent.store(), agent.store_name())
    return f"{agent.store_name()} can be written, listed and cleared, conditions are honoured"


def _registry(agent: LocalAgent) -> str:
    import io
    import time

    from pipeline.logic.image_manifests import descriptor

    probe = f"doit-fleet looks whether it may push, {time.time_ns()}".encode()
    repository = agent.imaging.repository
    agent.imaging.registry.send_blob(repository, descriptor(probe, "text/plain"), lambda: io.BytesIO(probe))
    return f"{repository} can be pushed to"


def _base_image(agent: LocalAgent) -> str:
    from pipeline.logic.manifest_reading import platform_of

    found = agent.imaging.base_image()
    return f"{found.reference} for {platform_of(found.config)}"


def _needs_daemon(agent: LocalAgent) -> bool:
    try:
        return agent.workforce.launcher_name == "docker" or any(step.recipe for step in _steps(agent))
    except FleetError:
        return False  # Said by the checks before.


def _is_with(agent: LocalAgent, launcher: str) -> bool:
    try:
        return agent.workforce.launcher_name == launcher
    except FleetError:
        return False  # Said by the checks before.


def _steps(agent: LocalAgent) -> Sequence[Step]:
    try:
        return agent.imaging.shape().steps
    except FleetError:
        return ()  # Said by the checks before.


def _history(agent: LocalAgent) -> str:
    known = sum(len(agent.history().estimates(suite.name, agent.branches())) for suite in agent.suites())
    return f"durations of {known} tests"


def _disk(agent: LocalAgent) -> Check:
    free = shutil.disk_usage(agent.state).free
    return Check(
        name="disk", good=free >= LEAST_BYTES, text=f"{free // 2**20} MiB free for {agent.state}", hint="make room"
    )


def _plugin(group: str, name: str) -> str:
    loaded = plugins.load(group, name)
    return f"{getattr(loaded, '__module__', getattr(loaded, '__name__', loaded))}"
