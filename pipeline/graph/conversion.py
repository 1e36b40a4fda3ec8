"""Turns a realised `TaskSpec` into the task object that doit works with.

The only place that knows doit's task fields; decides nothing about which tasks exist.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from doit.task import Task  # type: ignore[import-untyped]

from pipeline.graph.action import FleetAction
from pipeline.graph.freshness import Freshness
from pipeline.graph.stop import Stop
from pipeline.graph.task import Action, Param, TaskSpec


class FleetTask(Task):  # type: ignore[misc]
    """A doit task of ours. Its options may stand before or after its positional arguments."""

    def __init__(self, spec: TaskSpec, stop: Stop) -> None:
        super().__init__(
            spec.name,
            [FleetAction(action, stop) for action in spec.actions],
            task_dep=[str(edge) for edge in spec.needs],
            setup=[str(edge) for edge in spec.setup],
            targets=[str(target) for target in spec.targets],
            uptodate=[Freshness(spec)],
            clean=[FleetAction(action, stop) for action in spec.clean] if spec.clean else True,
            params=[_option(param) for param in spec.params],
            pos_arg=spec.positional or None,
            doc=spec.doc,
            verbosity=spec.verbosity,
            io={"capture": False},
            subtask_of=spec.name.partition(":")[0] if ":" in spec.name else None,
        )
        self._if_fresh = spec.if_fresh
        self._stop = stop

    @property
    def freshness(self) -> Freshness:
        """The check that decides whether this task runs, and says why."""
        check: Freshness = self.uptodate[0][0]
        return check

    def say_again(self) -> FleetAction | None:
        """What tells the result again of a task that is up to date."""
        return bind(self._if_fresh, self, self._stop) if self._if_fresh else None

    def init_options(self, args: Any = None) -> Any:
        """Parse the task's own arguments; see the class for what this adds to doit."""
        if args and self.options is None and self.pos_arg:
            args = list(_options_first(list(args), self.params))
        return super().init_options(args)

    def pickle_safe_dict(self) -> dict[str, Any]:
        """Leave out what doit's process mode need not send."""
        fields: dict[str, Any] = super().pickle_safe_dict()
        return {name: value for name, value in fields.items() if name not in ("_if_fresh", "_stop")}


def group_task(name: str, doc: str, members: Iterable[str] = ()) -> Task:
    """The task that stands for a whole family."""
    return Task(name, None, doc=doc, task_dep=list(members), has_subtask=True)


def bind(action: Action, task: Task, stop: Stop) -> FleetAction:
    """An action that sees the task's parameters."""
    bound = FleetAction(action, stop)
    bound.task = task
    task.init_options()
    return bound


def _option(param: Param) -> dict[str, Any]:
    long = param.long or param.name.replace("_", "-")
    option = {"name": param.name, "default": param.default, "type": param.type, "long": long}
    return {**option, "short": param.short, "help": param.help, "choices": [(choice, "") for choice in param.choices]}


def _options_first(args: list[str], params: list[Mapping[str, Any]]) -> Iterator[str]:
    """Move options before positional arguments, each with its value; after `--` everything is positional."""
    cut = args.index("--") if "--" in args else len(args)
    valued = {f"--{p['long']}" for p in params if p["type"] is not bool}
    valued |= {f"-{p['short']}" for p in params if p["type"] is not bool and p["short"]}
    options: list[str] = []
    others: list[str] = []
    words = iter(args[:cut])
    for word in words:
        (options if word.startswith("-") and word != "-" else others).append(word)
        if word in valued:
            options.extend([value for value in (next(words, None),) if value is not None])
    return iter([*options, "--", *others, *args[cut + 1 :]])
