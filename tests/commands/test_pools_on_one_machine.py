"""Pools share this machine's workers: as many as the largest asks for, the first of them for a smaller one's tests."""

from __future__ import annotations

import pytest

from tests.compatibility.project import TEST_SECONDS, Project

pytestmark = pytest.mark.timeout(TEST_SECONDS)

SETTINGS = """\
[suites.light]
paths = ["light"]
[suites.heavy]
paths = ["heavy"]
pool = "big"
[pools.default]
count = 3
[pools.big]
count = 1
"""
TESTS = """\
import os, time, pytest

@pytest.mark.parametrize("n", range(6))
def test_one(n):
    with open("seen", "a") as file:
        file.write(" ".join(["{suite}", os.environ["PYTEST_XDIST_WORKER"], os.environ["PYTEST_XDIST_WORKER_COUNT"]]) + "\\n")
    time.sleep(0.3)
"""


@pytest.fixture
def pooled(project: Project) -> Project:
    """A project with two suites in two pools."""
    (project.root / "fleet.toml").write_text(SETTINGS)
    for suite in ("light", "heavy"):
        (project.root / suite).mkdir()
        (project.root / suite / f"test_{suite}.py").write_text(TESTS.replace("{suite}", suite))
    return project


def test_a_smaller_count_bounds_who_runs_a_pools_tests(pooled: Project) -> None:
    """One worker for the heavy ones, up to three for the light ones; each sees how many there are."""
    done = pooled.fleet()
    assert done.code == 0, done.output
    seen = [line.split() for line in (pooled.root / "seen").read_text().splitlines()]

    assert len(seen) == 12
    assert {worker for suite, worker, _ in seen if suite == "heavy"} == {"gw0"}
    assert {worker for suite, worker, _ in seen if suite == "light"} & {"gw1", "gw2"}
    assert {count for *_, count in seen} == {"3"}


def test_pools_of_several_launchers_are_refused_before_anything_runs(pooled: Project) -> None:
    """With a way out, and without a traceback."""
    done = pooled.fleet("pools.big.launcher=docker")

    assert done.code == 3, done.output
    assert "pool 'default' 'local', pool 'big' 'docker'" in done.output
    assert "Traceback" not in done.output
    assert not (pooled.root / "seen").exists()
