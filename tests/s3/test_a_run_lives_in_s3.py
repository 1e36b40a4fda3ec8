"""Whole runs from the command line with their store in a bucket: green, resumed, through an outage; refused where unfit."""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.engines.s3 import S3Server
from tests.faults.project import Project, until
from tests.s3.stores import address
from tests.s3.tamperer import Tamperer

WORKERS = 4
REQUESTS_PER_WORKER_SECOND = 8.3
"""10,000 for 20 workers in a minute."""
FIXED_REQUESTS = 250
"""Trying the store out, planning, births, ends, the merge."""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project of its own."""
    root = tmp_path / "project"
    root.mkdir()
    return Project(root=root)


@pytest.fixture
def own_server(s3: Any, tmp_path: Path) -> Iterator[S3Server]:
    """A server that the test may kill; `s3` says whether there can be one."""
    server = S3Server(tmp_path / "server")
    server.start()
    yield server
    server.discard()


def _settings(url: str) -> tuple[str, ...]:
    return (f"store.url={url}", f"workers.count={WORKERS}")


def _assert_green(project: Project, tests: int, *, repeats: int) -> None:
    begun = Counter(project.traces())
    assert Counter(project.verdicts().values()) == {"passed": tests}
    assert len(begun) == tests
    assert sum(begun.values()) - tests <= repeats


def test_it_is_green_and_thrifty(project: Project, s3: Any, tamperer: Tamperer) -> None:
    """Verdicts are those of any store, nothing is left to local chance, and requests stay far below the limit."""
    project.arguments = _settings(address(s3, endpoint=tamperer.url))
    tests = project.sleepers(files=8, count=4, seconds=0.5)
    running = project.start()

    assert running.end() == 0, running.output
    _assert_green(project, tests, repeats=0)
    assert len(tamperer.seen) <= FIXED_REQUESTS + tests * 0.5 * REQUESTS_PER_WORKER_SECOND
    assert not (project.root / ".fleet" / "store").exists()


def test_a_killed_agent_is_resumed(project: Project, s3: Any) -> None:
    """The same command goes on; repeats are at most what was in flight and one flush of each worker."""
    project.arguments = _settings(address(s3))
    tests = project.sleepers(files=8, count=25, seconds=0.1)
    first = project.start()
    first.until_begun(tests // 2)
    first.signal(signal.SIGKILL)
    first.end()
    before = len(project.traces())
    until(lambda: not project.processes(), "the dead agent's harnesses are gone")
    second = project.start()

    assert second.end() == 0, second.output
    assert before < tests
    _assert_green(project, tests, repeats=WORKERS * 14)


def test_agents_that_live_for_one_run_learn_from_each_other(project: Project, s3: Any, tmp_path: Path) -> None:
    """Another machine's clone knows what this one has measured; a pull request's build does, too, and teaches nobody."""
    (tmp_path / "elsewhere").mkdir()
    clone = Project(root=tmp_path / "elsewhere" / "project")
    clone.root.mkdir()
    branch = {"GITHUB_REF_NAME": "main", "GITHUB_REF": "refs/heads/main"}
    request = {"GITHUB_REF_NAME": "main", "GITHUB_REF": "refs/pull/7/merge"}
    tests = 0
    for each in (project, clone):
        each.arguments = _settings(address(s3))
        tests = each.sleepers(files=2, count=2, seconds=0.1)

    def known(of: Project, env: dict[str, str]) -> dict[str, float]:
        running = of.start("history", "--json", env=env)
        assert running.end() == 0, running.output
        found: dict[str, float] = json.loads(running.output)
        return found

    assert known(clone, branch) == {}
    for each, env in ((project, branch), (clone, request)):
        running = each.start(env=env)
        assert running.end() == 0, running.output
        assert len(known(clone, branch)) == tests
    written = {
        one["Key"].split("/")[2]
        for one in s3.client.list_objects_v2(Bucket=s3.bucket)["Contents"]
        if one["Key"].startswith("store/history/")
    }
    assert written == {"trusted", "pr-7"}
    assert not list(project.root.rglob("history.db"))


def test_an_outage_is_waited_out(project: Project, own_server: S3Server) -> None:
    """The server dies in the middle and comes back: no test is repeated, none is lost."""
    with own_server.bucket() as bucket:
        project.arguments = _settings(f"s3://{bucket}/ci?endpoint={own_server.url}")
        tests = project.sleepers(files=8, count=10, seconds=0.2)
        running = project.start()
        running.until_begun(tests // 4)
        own_server.kill()
        until(lambda: "the run waits" in running.output, "the outage is told")
        own_server.restart()

        assert running.end() == 0, running.output
        _assert_green(project, tests, repeats=0)


def test_a_server_without_conditions_is_refused(project: Project, s3: Any, tamperer: Tamperer) -> None:
    """Before anything runs: exit code 3 and the broken promise; without a claim there is no test."""
    tamperer.decide = lambda method, path: "generous"
    project.arguments = _settings(address(s3, endpoint=tamperer.url))
    project.sleepers(files=1, count=1, seconds=0.0)
    running = project.start()

    assert running.end() == 3, running.output
    assert "were told that it is theirs" in running.output
    assert project.traces() == []


@pytest.mark.parametrize(
    ("fate", "code", "told"), [(None, 0, "conditions are honoured"), ("generous", 3, "not fit for runs")]
)
def test_the_doctor_tries_the_store_out(
    project: Project, s3: Any, tamperer: Tamperer, fate: str | None, code: int, told: str
) -> None:
    """A sound store is called so and nothing is left in it, an unfit one by the promise it breaks."""
    tamperer.decide = lambda method, path: fate
    project.sleepers(files=1, count=1, seconds=0.0)
    running = project.start("doctor", *_settings(address(s3, endpoint=tamperer.url)))

    assert running.end() == code, running.output
    assert told in running.output
    left = [one["Key"] for one in s3.client.list_objects_v2(Bucket=s3.bucket).get("Contents", ())]
    assert left == [] or code, "a server that breaks its promises may break that of deletions, too"


@pytest.mark.parametrize(
    ("bucket", "key", "told"),
    [
        ("there-is-none", "", "there is no such bucket"),
        ("", "nobody", "the access key is not known there"),
    ],
)
def test_what_is_wrong_is_told_with_the_way_out(project: Project, s3: Any, bucket: str, key: str, told: str) -> None:
    """No traceback, no waiting: what S3 refuses, in words, and what to do."""
    project.arguments = _settings(f"s3://{bucket or s3.bucket}/ci?endpoint={s3.url}")
    project.sleepers(files=1, count=1, seconds=0.0)
    running = project.start(env={"AWS_ACCESS_KEY_ID": key or os.environ["AWS_ACCESS_KEY_ID"]})

    assert running.end() == 2, running.output
    assert told in running.output
    assert "hint:" in running.output
    assert "Traceback" not in running.output


def test_credentials_in_the_address_are_refused_and_not_shown(project: Project, s3: Any) -> None:
    """They would reach every log; the refusal itself does not repeat them."""
    project.arguments = _settings(f"s3://AKIA:hunter2@{s3.bucket}/ci?endpoint={s3.url}")
    project.sleepers(files=1, count=1, seconds=0.0)
    running = project.start()

    assert running.end() == 3, running.output
    assert "holds credentials" in running.output
    assert "hunter2" not in running.output
