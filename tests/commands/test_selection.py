"""`select` and `exclude` decide which tests there are, by what pytest users know and by node ids."""

from __future__ import annotations

import pytest

from tests.compatibility.project import TEST_SECONDS, Done, Project

pytestmark = pytest.mark.timeout(TEST_SECONDS)

TEXT = """
    import pytest
    @pytest.mark.slow
    def test_slow(): pass
    def test_quick(): pass
    @pytest.mark.parametrize("v", ["a b", "[1]", "x::y"])
    def test_v(v): assert v != "[1]"
"""


@pytest.fixture
def suite(project: Project) -> Project:
    """Two files of five tests, one of them bad in each."""
    project.settings("-p no:cacheprovider", more="markers = slow\n")
    project.write(test_a__py=TEXT, sub_in_test_b__py=TEXT)
    return project


def names(done: Done) -> list[str]:
    """Which tests ran."""
    assert done.verdicts, done.output
    return sorted(done.verdicts)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["select.keyword=quick or slow", "exclude.marks=slow"], ["sub.test_b::test_quick", "test_a::test_quick"]),
        (["select.paths=sub", "select.marks=slow"], ["sub.test_b::test_slow"]),
        (["select.paths=test_a.py::test_v", "exclude.keyword=x::y"], ["test_a::test_v[[1]]", "test_a::test_v[a b]"]),
        (["exclude.paths=sub,test_a.py::test_v", "select.keyword=test"], ["test_a::test_quick", "test_a::test_slow"]),
    ],
    ids=["keyword-and-marks", "paths-and-marks", "node-id-and-keyword", "paths-left-out"],
)
def test_by_what_pytest_users_know(suite: Project, arguments: list[str], expected: list[str]) -> None:
    """Each criterion of `select` must hold, any of `exclude` suffices."""
    assert names(suite.fleet(*arguments)) == expected


def test_by_a_file_of_ids(suite: Project) -> None:
    """The files of a plan, as they are, name what to run or to leave out; the two halves make the whole."""
    suite.fleet("plan")
    first = suite.root / "build" / "group" / "test-group-0"
    ids = suite.root.parent / "ids"
    ids.write_text(first.read_text())
    count = len(ids.read_text().splitlines())

    chosen, rest = suite.fleet(f"select.ids_file={ids}"), suite.fleet(f"exclude.ids_file={ids}")

    assert 0 < count < 10
    assert len(names(chosen)) == count
    assert len({*names(chosen), *names(rest)}) == 10


def test_what_failed_last(suite: Project) -> None:
    """`select.last_failed` runs what was bad; once nothing is bad, everything."""
    assert suite.fleet().code == 1

    again = suite.fleet("select.last_failed=true")

    assert names(again) == ["sub.test_b::test_v[[1]]", "test_a::test_v[[1]]"]


def test_what_matches_nothing_is_told(suite: Project) -> None:
    """A selection of nothing is exit code 2, because it is mostly a typo."""
    done = suite.fleet("select.keyword=nothing_like_it")

    assert done.code == 2
    assert "no tests were found (10 deselected)" in done.output
