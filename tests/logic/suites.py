"""Made-up suites for the tests of this folder."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from pipeline.logic.batching import make_batches
from pipeline.logic.grouping import make_buckets
from pipeline.logic.naming import test_id
from pipeline.logic.planning import freeze
from pipeline.model.plans import Plan
from pipeline.model.tests import Test


def a_test(
    name: str, seconds: float = 1.0, *, suite: str = "unit", file: str = "a.py", unit: str = "", exclusive: str = ""
) -> Test:
    """A test named within its file."""
    native = f"{file}::{name}"
    return Test(
        id=test_id(suite, native, 0),
        suite=suite,
        native=native,
        file=file,
        unit=unit,
        exclusive=exclusive,
        seconds=seconds,
    )


def uniform(count: int, seconds: float, files: int = 1) -> list[Test]:
    """So many tests of equal length, file after file."""
    return [a_test(f"test_{at}", seconds, file=f"f{at * files // count}.py") for at in range(count)]


def planned(tests: Sequence[Test], workers: int, seed: int = 0) -> Plan:
    """The plan of these tests."""
    batches = make_batches(tests, workers, seed=seed)
    return freeze(tests, batches, make_buckets(tests, batches, workers), seed=seed)


@st.composite
def suites(draw: st.DrawFn) -> list[Test]:
    """Tests of up to two suites with units and exclusive resources that overlap."""
    rows = draw(
        st.lists(
            st.tuples(
                st.sampled_from("ab"),
                st.integers(0, 4),
                st.sampled_from(["", "", "", "u1", "u2"]),
                st.sampled_from(["", "", "", "", "db", "gpu"]),
                st.one_of(st.floats(0, 20), st.just(0.0), st.floats(0, 0.01)),
            ),
            max_size=25,
        )
    )
    return [
        a_test(
            f"t{at}",
            seconds,
            suite=suite,
            file=f"f{file}.py",
            unit=unit,
            exclusive=f"{suite}-{exclusive}" if exclusive else "",
        )
        for at, (suite, file, unit, exclusive, seconds) in enumerate(rows)
    ]
