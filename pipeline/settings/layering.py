"""Reads every layer below and above dodo.py into the ledger, lowest first.

Nothing is raised here: mistakes of all layers are collected, so that they can be told at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.settings.files import Document, read_document, read_project
from pipeline.settings.ledger import Ledger, Problem
from pipeline.settings.profiles import enter_profile
from pipeline.settings.provenance import Layer
from pipeline.settings.tables import Members, Source, Walk
from pipeline.settings.texts import Given, from_arguments, from_environment


class Surroundings(NamedTuple):
    """Where the layers outside the project's own files come from."""

    environment: Mapping[str, str]
    arguments: Mapping[str, str]
    home: Path


def enter_layers(ledger: Ledger, members: Members, surroundings: Surroundings) -> None:
    """Read the user's home, shared files, the project, the selected profile, the environment and the arguments."""
    home = surroundings.home / ".config" / "doit-fleet.toml"
    user = read_document(ledger, home, source="~/.config/doit-fleet.toml", layer=Layer.HOME)
    project = read_project(ledger, ledger.context.root)
    _refuse_extends(ledger, user)
    shared = [(Layer.EXTENDS, document) for document in _shared(ledger, project, surroundings.home)]
    layered = [(Layer.HOME, user), *shared, (Layer.PROJECT, project)]
    for layer, document in layered:
        _enter_document(ledger, members, layer, document)
    for layer, document in layered:
        _enter_profiles(ledger, members, layer, document)
    enter_given(ledger, members, from_environment(ledger, surroundings.environment, members), folds=True)
    enter_given(ledger, members, from_arguments(surroundings.arguments), folds=False)


def _shared(ledger: Ledger, project: Document, home: Path) -> list[Document]:
    if "extends" not in project.table:
        return []
    # Digests and temporary files are slow to import, and few projects extend anything.
    from pipeline.settings.shared import read_shared

    return read_shared(ledger, project, home)


def _refuse_extends(ledger: Ledger, user: Document) -> None:
    if "extends" in user.table:
        place = user.place(Layer.HOME, ("extends",))
        ledger.problems.append(Problem("only a project's own file may extend shared ones", place))


def _enter_document(ledger: Ledger, members: Members, layer: Layer, document: Document) -> None:
    table = {name: value for name, value in document.table.items() if name not in ("extends", "profiles")}
    walk = Walk(ledger, Source(lambda key: document.place(layer, key), names_elements=True))
    walk.table({name: member for name, member in members.items() if name != "profiles"}, table)
    walk.enter_names()
    walk.enter_values()


def _enter_profiles(ledger: Ledger, members: Members, layer: Layer, document: Document) -> None:
    profiles: Any = document.table.get("profiles", {})
    if not isinstance(profiles, Mapping):
        profiles = {"": profiles}
    for name, table in profiles.items():
        if not isinstance(table, Mapping):
            text = f"a profile holds settings, expected a table, got {table!r}"
            ledger.problems.append(Problem(text, document.place(layer, ("profiles", name))))
            continue

        def place(key: tuple[str, ...], name: str = name) -> Any:
            return document.place(Layer.PROFILE, ("profiles", name, *key))

        enter_profile(ledger, members, name, table, Source(place, names_elements=False))


def enter_given(ledger: Ledger, members: Members, given: Iterable[Given], *, folds: bool) -> None:
    """Read variables or arguments, each a table of one value."""
    for table, place in given:
        walk = Walk(ledger, Source(lambda key, place=place: place, names_elements=False, folds=folds))  # type: ignore[misc]
        walk.table(members, table)
        walk.enter_names()
        walk.enter_values()
