"""Let pytest walk directories and arguments itself, but stop it at each file; the file is collected when asked for.

pytest's own walk keeps `ignore`, `testpaths`, `::` arguments, packages and duplicates. What a file's import would find
(`sys.path`, the `conftest` of the moment) is remembered at the stop and put back around its collection.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from _pytest import nodes
from _pytest.pathlib import resolve_package_path

_FILE: Any = nodes.File


class Stop(NamedTuple):
    """One collector at which the walk stopped, and the surroundings at that time."""

    node: Any
    conftest: Any
    path: list[str]


class Walk:
    """The files of a session in walk order, each with its collectors."""

    def __init__(self) -> None:
        self.stops: dict[str, list[Stop]] = {}
        self.needs: dict[str, str] = {}
        """File -> earlier file of the same module name: pytest reports the second as a mismatch, so it must too."""
        self._modules: dict[str, str] = {}
        self._path: list[str] = []
        self._mode = "prepend"
        self._root = ""

    @contextlib.contextmanager
    def stopping_at_files(self, session: Any) -> Iterator[None]:
        """While active, `session` records files instead of collecting them, and tells no plug-in of an empty list."""
        self._mode = str(session.config.getoption("importmode"))
        self._root = str(session.config.rootpath)
        hooks = session.config.hook.__dict__
        silenced = {name: hooks.get(name) for name in ("pytest_collection_modifyitems", "pytest_collection_finish")}
        hooks.update({name: _Muted(getattr(session.config.hook, name)) for name in silenced})
        session.genitems = self._lazy_genitems(session)
        try:
            yield
        finally:
            del session.genitems
            for name, hook in silenced.items():
                if hook is None:
                    del hooks[name]
                else:
                    hooks[name] = hook
            _extend(sys.path, self._path)

    def file_of(self, node: Any) -> str:
        """The file a node belongs to, relative to the root directory, with `/`."""
        owner = node.getparent(_FILE) if isinstance(node, nodes.Node) else None
        path = str((owner or node).path)
        return os.path.relpath(path, self._root).replace(os.sep, "/")

    def chain_of(self, file: str) -> list[Any] | None:
        """The nodes above and including a file that may not have been collected yet."""
        stops = self.stops.get(file)
        return stops[0].node.listchain() if stops else None

    def note(self, file: str) -> None:
        """Remember a place that could not be walked, so that it is asked for and answered with its error."""
        self.stops.setdefault(file, [])

    def _lazy_genitems(self, session: Any) -> Any:
        def genitems(node: Any) -> Iterator[Any]:
            is_package = type(node).__name__ == "Package"  # A file to pytest 7.
            if isinstance(node, nodes.Item) or (node.getparent(_FILE) is not None and not is_package):
                self._record(node)
                return iter(())
            return iter(type(session).genitems(session, node))

        return genitems

    def _record(self, node: Any) -> None:
        file = self.file_of(node)
        base = list(sys.path)
        _extend(base, self._path)
        self.stops.setdefault(file, []).append(Stop(node, sys.modules.get("conftest"), base))
        if isinstance(node, pytest.Module):
            self._foresee_import(file, node)

    def _foresee_import(self, file: str, node: Any) -> None:
        if self._mode not in ("prepend", "append"):
            return
        package = resolve_package_path(node.path)
        root = str((package or node.path).parent)
        module = os.path.relpath(str(node.path), root)
        first = self._modules.setdefault(module, file)
        if first != file:
            self.needs[file] = first
        if self._mode == "append":
            if root not in self._path and root not in sys.path:
                self._path.append(root)
        elif root not in self._path:
            self._path.insert(0, root)


@contextlib.contextmanager
def surroundings(stop: Stop) -> Iterator[None]:
    """Put `sys.path` and the `conftest` module back as the walk saw them; keep what the import adds."""
    path, conftest = list(sys.path), sys.modules.get("conftest")
    sys.path[:] = stop.path
    _set_conftest(stop.conftest)
    try:
        yield
    finally:
        added = [entry for entry in sys.path if entry not in path]
        sys.path[:] = added + path
        _set_conftest(conftest)


def _set_conftest(module: Any) -> None:
    if module is None:
        sys.modules.pop("conftest", None)
    else:
        sys.modules["conftest"] = module


def _extend(path: list[str], roots: list[str]) -> None:
    """Put in front the roots that earlier imports would have put there."""
    path[:0] = [root for root in roots if root not in path]


class _Muted:
    """A hook that is not called; plug-ins met in the walk can still be added to it."""

    def __init__(self, hook: Any) -> None:
        self._hook = hook

    def __call__(self, **_: Any) -> list[Any]:
        return []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["_hook"], name)
