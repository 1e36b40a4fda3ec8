"""A run can be closed after the first bad verdicts, by our setting or by pytest's own options."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.compatibility.project import TEST_SECONDS, Project

pytestmark = pytest.mark.timeout(TEST_SECONDS)

TEXT = """
    import pytest, time
    @pytest.mark.parametrize("n", range(40))
    def test_n(n):
        time.sleep(0.05)
        assert n % 10 != 2
"""


@pytest.mark.parametrize(("addopts", "arguments"), [("", ["run.fail_fast=true"]), ("--maxfail=1", []), ("-x", [])])
def test_the_rest_is_not_run(project: Project, addopts: str, arguments: list[str]) -> None:
    """Exit code 1; the tests that were left are told as not run."""
    project.settings("-p no:cacheprovider", addopts)
    project.write(test_a__py=TEXT, test_b__py=TEXT)

    done = project.fleet(*arguments)

    counts = Counter(done.verdicts.values())
    assert done.code == 1, done.output
    assert 1 <= counts["failure"] <= 3
    assert counts["skipped"] > 20, "what was not run"
    assert "not-run" in done.output


def test_our_setting_stands_above_pytests(project: Project) -> None:
    """`run.fail_fast` decides where both are given."""
    project.settings("-p no:cacheprovider", "-x")
    project.write(test_a__py="import pytest\n@pytest.mark.parametrize('n', range(6))\ndef test_n(n): assert 0\n")

    done = project.fleet("run.fail_fast=100")

    assert list(done.verdicts.values()) == ["failure"] * 6, done.output
