"""Give collected tests their ids: pure, and the only place that knows what an id looks like."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pipeline.errors import UntrustworthyRun
from pipeline.model.tests import Test


def test_id(suite: str, native: str, occurrence: int) -> str:
    """`suite::native id`, followed by ` #2` and so on for a native id that occurs again."""
    name = f"{suite}::{native}"
    return name if occurrence == 0 else f"{name} #{occurrence + 1}"


test_id.__test__ = False  # type: ignore[attr-defined]


def name_tests(suite: str, rows: Iterable[Sequence[str | int]]) -> tuple[Test, ...]:
    """Make tests of a harness's rows `[native, occurrence, unit, exclusive, file]`.

    Raises `UntrustworthyRun` when two tests would share an id.
    """
    tests: dict[str, Test] = {}
    for native, occurrence, unit, exclusive, file in rows:
        test = Test(
            id=test_id(suite, str(native), int(occurrence)),
            suite=suite,
            native=str(native),
            occurrence=int(occurrence),
            file=str(file),
            unit=str(unit),
            exclusive=str(exclusive),
        )
        if test.id in tests:
            raise UntrustworthyRun(f"two tests are called {test.id!r}", hint="rename one of them")
        tests[test.id] = test
    return tuple(tests.values())
