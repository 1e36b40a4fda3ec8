"""`logs`: what workers write or have written, wherever they live: as it comes, from the store, or from the project's folder.

Without a worker's name: who works, or has worked. Leaves `build/outputs/<worker>/logs/…` for workers elsewhere that have ended.
"""

from __future__ import annotations

import json as codec
from collections.abc import Callable, Iterator, Sequence
from glob import glob
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import FleetError, UsageError
from pipeline.graph.catalog import Catalog
from pipeline.graph.task import Action, Handle, Param, TaskSpec
from pipeline.stages.agent import Agent
from pipeline.stages.doctor import JSON

if TYPE_CHECKING:
    from pipeline.logic.objects import Birth
    from pipeline.protocol.roster import Member

Printed = Callable[["Birth", bool], "Iterator[bytes] | None"]
"""Lines that a worker prints where it lives, `True`: on until it ends; None: nobody can be asked."""
Follow = Callable[[Callable[[], Sequence[Path]], Callable[[], bool]], "Iterator[tuple[Path, bytes]]"]
"""Pieces of files as they grow, until the second says that all is over."""
NAMED = 5
"""Files of running tests in a message."""
DOC = "print the logs of workers, while they run or afterwards; without a name, say who works"
FOLLOW = Param(name="follow", default=False, type=bool, short="f", help="go on until the workers have ended")
RUN = Param(name="run", default="", help="another run than the latest, by its name in the store")


def register(
    catalog: Catalog, agent: Agent, inert: Callable[[str], str], printed: Printed, follow_files: Follow
) -> Handle:
    """Add the task; its positional arguments are worker names. `inert` makes hostile text safe to print."""
    given = {"agent": agent, "inert": inert, "printed": printed, "follow_files": follow_files}
    return catalog.add(
        "logs",
        lambda: TaskSpec(
            name="logs",
            actions=(Action(logs, given),),
            params=(FOLLOW, RUN, JSON),
            positional="workers",
            always=True,
        ),
        doc=DOC,
    )


def logs(
    agent: Agent,
    inert: Callable[[str], str],
    printed: Printed,
    follow_files: Follow,
    follow: bool,
    run: str,
    json: bool,
    workers: Sequence[str] | None,
) -> None:
    """Print the logs of each worker named, or who there is. Raises `UsageError` when there is no such worker, or nothing is
    left of its logs."""
    from pipeline.protocol.roster import read_roster

    follow = follow or bool({"-f", "--follow"} & set(workers or ()))
    wanted = [name for name in workers or () if name not in ("-f", "--follow")]
    run = run or _latest(agent)
    members = {each.birth.worker: each for each in agent.wait(read_roster(agent.store(), agent.clock(), run))}
    for name in wanted:
        if name not in members:
            raise UsageError(f"run {run!r} has no worker {name!r} (it has {', '.join(sorted(members)) or 'none'})")
    if not wanted:
        rows = [_row(member) for _, member in sorted(members.items())]
        print(codec.dumps({"run": run, "workers": rows}, indent=2) if json else inert(_as_text(run, rows)))
        return
    printer = _Printer(agent, run, inert, printed, follow_files)
    for name in wanted:
        printer.tell(members[name], follow=follow)


def _latest(agent: Agent) -> str:
    """The run of these inputs that is under way, else the last that this project has ended, else the store's newest."""
    from pipeline.protocol import resuming
    from pipeline.stages import launch

    found = agent.wait(resuming.find_unfinished(agent.store(), agent.clock(), agent.inputs().identity))
    if not found and launch.output(agent).exists():
        return launch.read(agent)
    found = found or agent.wait(_newest(agent))
    if not found:
        raise UsageError(
            "no run has begun yet", hint="while files are collected there are no workers to be listened to"
        )
    return found


async def _newest(agent: Agent) -> str:
    """Where this project has ended none: of the store's open runs the one with the youngest worker, else of all."""
    from pipeline.protocol.roster import read_roster
    from pipeline.protocol.sweeping import list_runs

    store, clock = agent.store(), agent.clock()
    runs = [run for run in await list_runs(store, clock) if run.has_plan]
    ages: dict[str, float] = {}
    for run in [run for run in runs if not run.is_closed] or runs:
        births = [member.birth.wall for member in await read_roster(store, clock, run.name)]
        ages[run.name] = max(births, default=0.0)
    return max(ages, key=lambda name: ages[name], default="")


def _row(member: Member) -> dict[str, Any]:
    birth, tomb, story = member.birth, member.tomb, member.story
    row: dict[str, Any] = {"worker": birth.worker, "place": birth.place, "state": "ended" if tomb else "lives"}
    if tomb is not None:
        row |= {"cause": tomb.cause, "detail": tomb.detail}
    if story is not None:
        row |= {"node": story.node, "end": story.cause, "disruption": story.disruption, "why": story.detail}
    return {name: value for name, value in row.items() if value}


def _as_text(run: str, rows: Sequence[dict[str, Any]]) -> str:
    lines = [f"run {run}"]
    for row in rows:
        whys = dict.fromkeys(
            str(row[name]) for name in ("cause", "disruption", "end", "detail", "why") if row.get(name)
        )
        told = ", ".join(why.splitlines()[0] for why in whys)
        lines.append(f"  {row['worker']:<10} {row['state']:<6} {row.get('place', '')}{f' ({told})' if told else ''}")
    return "\n".join(lines)


class _Printer:
    """Prints one worker's logs after the other's."""

    def __init__(
        self, agent: Agent, run: str, inert: Callable[[str], str], printed: Printed, follow_files: Follow
    ) -> None:
        self._agent, self._run, self._inert = agent, run, inert
        self._printed, self._follow_files = printed, follow_files

    def tell(self, member: Member, *, follow: bool) -> None:
        """All there is; with `follow` all that is to come."""
        birth = member.birth
        is_here = bool(self._here(birth))
        if member.tomb is None and is_here and follow:
            self._follow(birth)
            return
        if member.tomb is None and not is_here and self._print_live(birth, follow):
            return
        files = files_of(self._agent, self._run, birth.worker, birth.log)
        found = [path for path in files if path.stat().st_size]
        for path in found:
            print(f"==> {path} <==", flush=True)
            print(self._inert(path.read_text("utf-8", "replace")), flush=True)
        if not found and not self._print_live(birth, False):
            hints = [*_known_of(member), *_outputs(self._agent, self._run)]
            if not files:
                raise UsageError(f"worker {birth.worker!r} has left no log of its own", hint="; ".join(hints))
            print(self._inert(f"{files[0]} is empty: {'; '.join(hints)}"), flush=True)

    def _print_live(self, birth: Birth, follow: bool) -> bool:
        lines = self._printed(birth, follow)
        if lines is None:
            return False
        print(f"==> {self._inert(birth.place)} <==", flush=True)
        for line in lines:
            print(self._inert(line.decode("utf-8", "replace")), flush=True)
        return True

    def _follow(self, birth: Birth) -> None:
        """Files of a worker on this machine."""
        latest: Path | None = None
        for path, piece in self._follow_files(lambda: self._here(birth), lambda: self._has_ended(birth)):
            if path != latest:
                print(f"==> {path} <==", flush=True)
                latest = path
            print(self._inert(piece.decode("utf-8", "replace")), end="", flush=True)

    def _has_ended(self, birth: Birth) -> bool:
        from pipeline.protocol.roster import has_ended

        agent = self._agent
        try:
            return agent.wait(has_ended(agent.store(), agent.clock(), self._run, birth.worker))
        except FleetError:
            return False  # A store that is away for a moment.

    def _here(self, birth: Birth) -> list[Path]:
        return files_here(self._agent, birth.log)


def _known_of(member: Member) -> Iterator[str]:
    """Why there may be none."""
    if member.story is not None and member.story.detail:
        yield f"what is known of its end: {member.story.detail}"
    elif member.tomb is not None and not member.tomb.is_orderly:
        yield f"it was lost ({member.tomb.cause}), and what it may have printed was not kept"
    else:
        yield "a worker prints little beside its tests"


def _outputs(agent: Agent, run: str) -> Iterator[str]:
    """Where what tests print is, as far as it is there."""
    folders = {path.parent for path in agent.report_paths()} or {agent.build / "reports"}
    for folder in sorted(Path(each, "output", run) for each in folders):
        if folder.is_dir():
            yield f"what its tests printed is in {folder}/<suite>/<test>.log, once they have ended"
    running = sorted((agent.build / "command").glob(f"*/runs/{run}/*/output.log"))
    if running:
        more = f" and {len(running) - NAMED} more" if len(running) > NAMED else ""
        yield f"what tests of this machine print now, or have printed at length: {', '.join(map(str, running[:NAMED]))}{more}"


def is_ours(agent: Agent, path: Path) -> bool:
    """Whether a file is one that workers here write: a birth is written by its worker, and may name any file."""
    return agent.root.resolve() in path.resolve().parents


def files_here(agent: Agent, pattern: str) -> list[Path]:
    """A worker's logs on this machine, as its birth says."""
    found = (Path(each) for each in sorted(glob(pattern)))
    return [path for path in found if path.suffix == ".log" and is_ours(agent, path)]


def files_of(agent: Agent, run: str, worker: str, pattern: str) -> list[Path]:
    """A worker's logs: brought home from the store, and what has been kept here."""
    brought = agent.bring_home(run, worker)
    home = sorted(path for folder in brought if folder.name == "logs" for path in folder.rglob("*") if path.is_file())
    return [*home, *files_here(agent, pattern)]
