"""Lazily registered tasks: adding one only fills a dictionary, its factory is called when a run needs it.

Knows neither doit nor any stage. Names are not resolved here: an edge may lead to a task of the user's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from fnmatch import fnmatchcase

from pipeline.errors import UsageError
from pipeline.graph.family import Family
from pipeline.graph.task import Handle, TaskSpec

Configure = Callable[[TaskSpec], TaskSpec | None]


class Single:
    """A registration of one task."""

    def __init__(self, factory: Callable[[], TaskSpec], doc: str, exists: Callable[[], bool] | None = None) -> None:
        self.factory = factory
        self.doc = doc
        self.exists = exists


class Registered:
    """A task as `configure(fleet)` sees it: can be given edges and changes, stays unrealised."""

    def __init__(self, handle: Handle, catalog: Catalog) -> None:
        self.handle = handle
        self._catalog = catalog

    def needs(self, *tasks: Handle | str) -> Registered:
        """Make `tasks` run before this one; a string may name a task of the user's dodo.py."""
        self._catalog.configure(
            self.handle.name, lambda spec: spec.evolve(needs=(*spec.needs, *(_edge(task) for task in tasks)))
        )
        return self

    def configure(self, change: Configure) -> Registered:
        """Apply `change` when the task is realised."""
        self._catalog.configure(self.handle.name, change)
        return self


class Catalog:
    """All tasks by name. `realised` lists the names whose factory has been called, in order."""

    def __init__(self) -> None:
        self._entries: dict[str, Single | Family] = {}
        self._changes: list[tuple[str, Configure]] = []
        self._owners: dict[str, str] = {}
        self._specs: dict[str, TaskSpec] = {}

    @property
    def realised(self) -> Sequence[str]:
        """Names of the tasks realised so far, in order."""
        return tuple(self._specs)

    def add(
        self,
        name: str,
        factory: Callable[[], TaskSpec],
        *,
        doc: str = "",
        targets: Iterable[str] = (),
        exists: Callable[[], bool] | None = None,
    ) -> Handle:
        """Register one task. `targets` are paths (or patterns with `*`) by which it can be selected as well.

        `exists` is asked whenever the name is looked up: where it says no, there is no such task.
        """
        self._register(name, Single(factory, doc, exists))
        self._owners.update(dict.fromkeys(targets, name))
        return Handle(name)

    def family(
        self,
        name: str,
        keys: Callable[[], Iterable[str]],
        factory: Callable[[str], TaskSpec],
        *,
        doc: str = "",
        after: Handle | None = None,
        has: Callable[[str], bool] | None = None,
        whole: Callable[[], TaskSpec] | None = None,
        exists: Callable[[], bool] | None = None,
    ) -> Callable[[str], Handle]:
        """Register many tasks `name:<key>` with one factory; returns the function from key to handle.

        `keys` is only asked for when the whole group or a pattern is selected, `has` when one member is. With `after`,
        keys are known once that task has run; before, `keys` gives what an earlier run left, or nothing. `whole` makes
        the task `name`, where that is not just all members; `exists` as for `add`.
        """
        self._register(name, Family(name, keys, factory, doc, after, has, whole, exists))
        return lambda key: Handle(f"{name}:{key}")

    def configure(self, pattern: str, change: Configure) -> None:
        """Apply `change` to each task whose name matches `pattern` when it is realised.

        Raises `UsageError` when a matching task has been realised: the change would come too late.
        """
        late = [name for name in self._specs if fnmatchcase(name, pattern)]
        if late:
            raise UsageError(f"task {late[0]!r} is already realised, {pattern!r} cannot be configured any more")
        self._changes.append((pattern, change))

    def __getitem__(self, name: str) -> Registered:
        if name not in self:
            raise UsageError(f"there is no task {name!r}{suggest(name, self)}")
        return Registered(Handle(name), self)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and (self._entry(name) is not None or self._factory(name) is not None)

    def __iter__(self) -> Iterator[str]:
        return (name for name in self._entries if self._entry(name) is not None)

    def doc(self, name: str) -> str:
        """The description of a task or family, without realising it."""
        return self._entries[name].doc

    def group(self, name: str) -> Family | None:
        """The family of that name, if there is one."""
        entry = self._entry(name)
        return entry if isinstance(entry, Family) else None

    def member_of(self, name: str) -> Family | None:
        """The family to which a name like `family:key` belongs; the key need not exist."""
        return self.group(name.partition(":")[0]) if ":" in name else None

    def matching(self, pattern: str) -> Iterator[str]:
        """Names that match, families' members included; asks only families that can match for their keys."""
        for name in self:
            if fnmatchcase(name, pattern):
                yield name
            family = self.group(name)
            if family is not None:
                yield from family.matching(pattern)

    def owner(self, target: str) -> str | None:
        """The task that was registered with that target."""
        exact = self._owners.get(target)
        return exact or next((name for path, name in self._owners.items() if fnmatchcase(target, path)), None)

    def realise(self, name: str) -> TaskSpec:
        """Call the factory, once, and apply what was configured. Raises `UsageError` for an unknown name."""
        if name not in self._specs:
            factory = self._factory(name)
            if factory is None:
                raise UsageError(f"there is no task {name!r}{suggest(name, self)}")
            self._specs[name] = self._changed(factory().evolve(name=name))
        return self._specs[name]

    def _changed(self, spec: TaskSpec) -> TaskSpec:
        for pattern, change in self._changes:
            if fnmatchcase(spec.name, pattern):
                spec = change(spec) or spec
        if spec.doc or spec.name not in self._entries:
            return spec
        return spec.evolve(doc=self._entries[spec.name].doc)

    def _factory(self, name: str) -> Callable[[], TaskSpec] | None:
        entry = self._entry(name)
        if isinstance(entry, Single):
            return entry.factory
        if entry is not None:
            return entry.whole
        family = self.member_of(name)
        return family.member(name) if family is not None else None

    def _entry(self, name: str) -> Single | Family | None:
        entry = self._entries.get(name)
        return None if entry is None or (entry.exists is not None and not entry.exists()) else entry

    def _register(self, name: str, entry: Single | Family) -> None:
        if not name or set(name) & set("=*:") or name[0] in "-_":
            raise UsageError(f"{name!r} cannot be the name of a task", hint="use letters, digits and '-'")
        if name in self._entries:
            raise UsageError(f"there are two tasks called {name!r}")
        self._entries[name] = entry


def suggest(name: str, known: Iterable[str]) -> str:
    """The end of a message: `, did you mean 'x'?` when a known name is near, else nothing."""
    from difflib import get_close_matches  # Only needed for a message.

    near = get_close_matches(name, list(known), n=1)
    return f", did you mean {near[0]!r}?" if near else ""


def _edge(task: Handle | str) -> Handle | str:
    return task.handle if isinstance(task, Registered) else task
