"""Choose tests by node ids: whole ids, or what stands above them (a folder, a file, a class, a test without parameters).

Expressions over names and marks are the framework's own business. Knows nothing of where the ids come from.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Sequence

from pipeline.errors import UsageError
from pipeline.model.tests import Test


def select(
    tests: Sequence[Test], wanted: Collection[str] | None = None, unwanted: Collection[str] = ()
) -> tuple[Test, ...]:
    """Keep the wanted tests (None: all) that are not unwanted, in their order.

    Raises `UsageError` for an id that names no test.
    """
    asked = None if wanted is None else frozenset(wanted)
    refused = frozenset(unwanted)
    met: set[str] = set()
    kept = []
    for test in tests:
        names = set(names_of(test))
        met |= names & refused if asked is None else names & (asked | refused)
        if (asked is None or names & asked) and not names & refused:
            kept.append(test)
    _check_met(tests, [*(asked or ()), *refused], met)
    return tuple(kept)


def names_of(test: Test) -> Iterator[str]:
    """Everything that selects this test, with and without its suite; the id comes first."""
    yield test.id
    for name in _native_names(test):
        yield name
        yield f"{test.suite}::{name}"


def _native_names(test: Test) -> Iterator[str]:
    native, file = test.native, test.file
    yield native
    if not (file and native.startswith(file)):
        return
    yield from (file[:at] for at, letter in enumerate(file) if letter == "/" and at)
    yield file
    plain, bracket, _ = native[len(file) :].partition("[")
    if bracket:
        yield file + plain
    yield from (file + plain[:at] for at in range(1, len(plain)) if plain.startswith("::", at))


def _check_met(tests: Sequence[Test], asked: Sequence[str], met: Collection[str]) -> None:
    unknown = sorted(set(asked) - set(met))
    if unknown:
        near = difflib.get_close_matches(unknown[0], sorted({test.native for test in tests})[:5_000], n=1)
        more = f" (and {len(unknown) - 1} more)" if len(unknown) > 1 else ""
        raise UsageError(
            f"no test is called {unknown[0]!r}{more}",
            hint=f"did you mean {near[0]!r}?" if near else "`doit plan` lists what there is",
        )
