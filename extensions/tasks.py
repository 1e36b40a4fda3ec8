"""All tasks in pipeline order, and the tasks that inform: who is handed what."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache as cache_of_functions
from pathlib import Path
from typing import Any

from extensions.agent import LocalAgent
from extensions.doctoring import checks
from pipeline.graph.catalog import Catalog
from pipeline.stages import (
    artifacts,
    base,
    cache,
    collect,
    compile,
    connect,
    doctor,
    explain,
    gather,
    group,
    history,
    image,
    init,
    join,
    launch,
    logs,
    plan,
    push,
    report,
    reproduce,
    rights,
    settings,
    sweep,
)
from pipeline.stages import resume as resume_stage


def register(catalog: Catalog, agent: LocalAgent, *, resume: str, regardless: Callable[[], bool]) -> None:
    """Fill the catalog; nothing is realised. `regardless`: whether no earlier result counts."""
    compiled = compile.register(catalog, agent, _compile)
    collected = collect.register(catalog, agent, compiled)
    grouped = group.register(catalog, agent, collected, resume=resume)
    provided = artifacts.register(catalog, agent.provisions, lambda: agent.build, agent.runs_images)
    based = base.register(catalog, agent, lambda: agent.imaging, (compiled, provided))
    imaged = image.register(catalog, agent, lambda: agent.imaging, grouped, based)
    pushed = push.register(catalog, agent, lambda: agent.imaging, imaged)
    joined = join.register(catalog, agent)
    resumed = resume_stage.register(catalog, agent, resume)
    connected = connect.register(catalog, agent)
    launched = launch.register(
        catalog, agent, connected, grouped, pushed, (joined, resumed), basis=_basis(agent, regardless), resume=resume
    )
    gather.register(catalog, agent, launched)
    plan.register(catalog, agent, grouped)
    explain.register(catalog, lambda: _trees(agent))
    settings.register(catalog, lambda name, json: _describe(agent, name, json), lambda: _schema(agent))
    doctor.register(catalog, lambda: checks(agent))
    rights.register(catalog, lambda: _rights(agent))
    history.register(catalog, agent, agent.export_durations)
    cache.register(catalog, agent.caching)
    sweep.register(catalog, agent, lambda: agent.imaging)
    reproduce.register(catalog, agent)
    logs.register(catalog, agent, _inert, lambda birth, follow: _printed(agent, birth, follow), _follow_files)
    report.register(
        catalog,
        agent,
        lambda run: agent.results.reports(run),
        lambda run: agent.reporting.rewrite(run, agent.results.folder(run.run)),
    )
    init.register(catalog, agent.root)


def _basis(agent: LocalAgent, regardless: Callable[[], bool]) -> Callable[[], Any]:
    """Looked for once, when it is first asked for."""

    @cache_of_functions
    def basis() -> Any:
        from extensions.basis import basis_of

        return None if regardless() else basis_of(agent)

    return basis


def _compile(python: str, paths: Sequence[str], *, cwd: str, processes: int) -> tuple[int, Sequence[Any]]:
    from pipeline.adapters.compiler import compile_sources

    return compile_sources(python, paths, cwd=cwd, processes=processes)


def _inert(text: str) -> str:
    from pipeline.report.inert import inert

    return inert(text)


def _printed(agent: LocalAgent, birth: Any, follow: bool) -> Iterator[bytes] | None:
    from extensions.live_logs import printed

    return printed(agent.fleet, birth, follow=follow)


def _follow_files(find: Callable[[], Sequence[Path]], is_over: Callable[[], bool]) -> Iterator[tuple[Path, bytes]]:
    from pipeline.adapters.growing_files import follow_files

    return follow_files(find, is_over)


def _trees(agent: LocalAgent) -> dict[str, Any]:
    from extensions.command_matrices import trees_of

    return trees_of(agent.fleet)


def _rights(agent: LocalAgent) -> dict[str, Any]:
    from pipeline.launchers.kubernetes.rights import manifest_of, needed_rights

    return manifest_of(needed_rights(agent.fleet.kubernetes.sweep_kinds.get()))


def _describe(agent: LocalAgent, name: str | None, json: bool) -> str:
    from pipeline.settings.description import describe, render

    rows = describe(agent.fleet, name)
    if not json:
        return render(rows, explained=name is not None)
    import json as codec

    return codec.dumps([row.as_json() for row in rows], indent=2)


def _schema(agent: LocalAgent) -> str:
    import json as codec

    from pipeline.settings.schema import json_schema

    return codec.dumps(json_schema(agent.fleet), indent=2)
