"""Suites written for pytest-xdist run unchanged, and what they ask of it in addopts does no harm."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from tests.compatibility.project import TEST_SECONDS, Project, same
from tests.compatibility.rows import row

pytestmark = pytest.mark.timeout(TEST_SECONDS)

LOOKS = """
    import os, pytest
    def test_worker(worker_id, testrun_uid, request, record_property):
        assert worker_id == os.environ["PYTEST_XDIST_WORKER"] == request.config.workerinput["workerid"]
        assert os.environ["PYTEST_XDIST_WORKER_COUNT"] == "2"
        assert testrun_uid == os.environ["PYTEST_XDIST_TESTRUNUID"]
        record_property("seen", worker_id)
        record_property("uid", testrun_uid)
    @pytest.mark.parametrize("n", range(4))
    @pytest.mark.xdist_group("database")
    def test_grouped(n, worker_id, record_property): record_property("group", worker_id)
"""


@row("pytest-xdist")
def test_looks(project: Project) -> None:
    """`worker_id`, `testrun_uid`, `workerinput` and `PYTEST_XDIST_*` are there; an `xdist_group` stays on one worker."""
    project.settings("-p no:randomly", "-n 2", "--dist loadgroup")
    project.write(test_a__py=LOOKS, test_b__py=LOOKS)

    done = project.fleet()

    assert done.code == 0, done.output
    assert len(done.verdicts) == 10
    uids = {one["uid"] for one in done.properties.values() if "uid" in one}
    assert len(uids) == 1
    assert len({one["group"] for one in done.properties.values() if "group" in one}) == 1


@row("worker_id without pytest-xdist")
def test_looks_without_the_plugin(project: Project) -> None:
    """The same looks are there where pytest-xdist is not installed."""
    project.settings("-p no:randomly", "-p no:xdist", "--strict-markers")
    project.write(test_a__py=LOOKS, test_b__py=LOOKS)

    done = project.fleet()

    assert done.code == 0, done.output


@row("addopts of pytest-xdist")
def test_options(project: Project) -> None:
    """`-n auto --dist loadfile --maxprocesses` in addopts start nothing of their own."""
    project.settings("-p no:randomly", "-n auto", "--dist loadfile", "--maxprocesses 2")
    text = "import pytest\n@pytest.mark.parametrize('n', range(5))\ndef test_n(n): assert n != 3\n"
    project.write(test_a__py=text, test_b__py=text)

    assert sorted(same(project).verdicts.values()) == ["failure"] * 2 + ["passed"] * 8


@row("addopts `-x`, `--maxfail`")
def test_stopping(project: Project) -> None:
    """The run is closed after that many bad verdicts; the rest is told as not run."""
    project.settings("-p no:randomly", "-x")
    text = "import pytest, time\n@pytest.mark.parametrize('n', range(30))\ndef test_n(n):\n time.sleep(.1)\n assert n != 2\n"
    project.write(test_a__py=text, test_b__py=text)

    done = project.fleet()

    assert done.code == 1, done.output
    assert "not-run" in done.output
    assert 1 <= list(done.verdicts.values()).count("failure") <= 2


@row("addopts `--junitxml`")
def test_junit(project: Project) -> None:
    """One report of the whole run is written where the option says."""
    project.settings("-p no:randomly", "--junitxml=out/report.xml")
    project.write(test_a__py="def test_a(): pass\n", test_b__py="def test_b(): assert 0\n")

    done = project.fleet()

    names = [case.get("name") for case in ElementTree.parse(project.root / "out" / "report.xml").iter("testcase")]
    assert sorted(map(str, names)) == ["test_a", "test_b"], done.output
