"""Realises exactly the tasks that a selection can reach, ours and the user's together.

Follows every edge that doit knows; what only a running task may still name gets a stand-in, realised if it is
reached. Knows no command and no stage.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from fnmatch import fnmatchcase

from doit.task import DelayedLoader, Task  # type: ignore[import-untyped]

from pipeline.graph.catalog import Catalog
from pipeline.graph.conversion import group_task
from pipeline.graph.family import Family
from pipeline.graph.task import TaskSpec


class Closure:
    """Tasks by name, growing as names are reached. `executing`: the tasks will run, so stand-ins make sense."""

    def __init__(
        self,
        catalog: Catalog,
        users: Sequence[Task],
        convert: Callable[[TaskSpec], Task],
        *,
        executing: bool,
        members: bool = True,
    ) -> None:
        self._catalog = catalog
        self._users = {task.name: task for task in users}
        self._targets = {target: task.name for task in users for target in task.targets}
        self._convert = convert
        self._executing = executing
        self._members = members
        self.tasks: dict[str, Task] = {}

    def knows(self, name: str) -> bool:
        """Whether there is such a task, ours or the user's; realises nothing."""
        family = self._catalog.member_of(name)
        return name in self._users or self._is_awaited(family) is not None or name in self._catalog

    def names(self) -> list[str]:
        """All names but those of families' members."""
        return [*self._catalog, *self._users]

    def creators(self) -> list[str]:
        """The user's tasks that may still create others while running."""
        return [name for name, task in self._users.items() if task.loader and self._executing]

    def matching(self, pattern: str) -> list[str]:
        """Names of all tasks that match."""
        return [*self._catalog.matching(pattern), *(name for name in self._users if fnmatchcase(name, pattern))]

    def target_of_ours(self, word: str) -> str | None:
        """The task of ours that is meant by the path of one of its targets."""
        return None if self.knows(word) else self._catalog.owner(word)

    def owner(self, target: str) -> str | None:
        """The task that makes that file, as far as can be known without realising anything."""
        return self._catalog.owner(target) or self._targets.get(target)

    def reach(self, names: Iterable[str]) -> None:
        """Realise those tasks and all that they can bring into a run."""
        waiting = deque(names)
        while waiting:
            name = waiting.popleft()
            if name not in self.tasks and self.knows(name):  # For an unknown edge doit has words of its own.
                self.tasks[name] = self._task(name)
                waiting.extend(self._edges(self.tasks[name]))

    def reach_everything(self) -> None:
        """Realise every task there is."""
        self.reach(self.names())

    def complete(self) -> list[Task]:
        """All tasks to hand to doit: those reached, the user's others, and stand-ins for what these name of ours."""
        rest = [task for name, task in self._users.items() if name not in self.tasks]
        named = {name for task in rest for name in self._edges(task) if name not in self._users}
        if self._executing and any(task.calc_dep or task.loader for task in self.tasks.values()):
            named.update(self._catalog)
        stand_ins = [self._stand_in(name) for name in sorted(named - set(self.tasks)) if self.knows(name)]
        return [*self.tasks.values(), *rest, *stand_ins]

    def _task(self, name: str) -> Task:
        if name in self._users:
            return self._with_our_files(self._users[name])
        family = self._catalog.group(name)
        awaited = self._is_awaited(family or self._catalog.member_of(name))
        if awaited and awaited.after:
            return self._stand_in(name, after=awaited.after.name)
        if family is not None and family.whole is None:
            return group_task(name, family.doc, family.members() if self._members else ())
        return self._convert(self._catalog.realise(name))

    def _with_our_files(self, task: Task) -> Task:
        """A user's task, with edges for the files it reads that ours make: doit cannot know our target patterns."""
        owners = {owner for file in task.file_dep if (owner := self._catalog.owner(file)) is not None}
        task.task_dep.extend(sorted(owners - set(task.task_dep)))
        return task

    def _is_awaited(self, family: Family | None) -> Family | None:
        """The family, if its members are only known once another task has run, and that is still to come."""
        return family if family is not None and family.after is not None and self._executing else None

    def _stand_in(self, name: str, after: str | None = None) -> Task:
        """A task that realises itself and its closure when doit reaches it; elsewhere only a name."""
        if not self._executing:
            return Task(name, None)
        return Task(name, None, loader=DelayedLoader(lambda: self._create(name), executed=after))

    def _create(self, name: str) -> Iterator[Task]:
        rest = Closure(self._catalog, list(self._users.values()), self._convert, executing=False)
        rest.tasks = {known: task for known, task in self.tasks.items() if known != name}
        before = set(rest.tasks)
        group = self._catalog.group(name)
        if group is None or group.whole is not None:
            self._catalog.realise(name)  # Raises for a member that turned out not to exist.
        rest.reach([name])
        new = {reached: task for reached, task in rest.tasks.items() if reached not in before}
        self.tasks.update(new)
        yield from new.values()

    def _edges(self, task: Task) -> Iterator[str]:
        yield from (*task.task_dep, *task.setup_tasks, *task.calc_dep)
        for pattern in task.wild_dep:
            yield from self.matching(pattern)
        for file in task.file_dep:
            if (owner := self._targets.get(file, task.name)) != task.name:
                yield owner
