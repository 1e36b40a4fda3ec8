"""The faults that only pods know, on the shared cluster, none of whose nodes or parts is hurt."""

from __future__ import annotations

import shutil
import signal
from collections import Counter
from pathlib import Path

import pytest

from tests.engines.kubernetes import disruptions, wrong_clock
from tests.engines.kubernetes.namespaces import Cluster
from tests.faults.checks import assert_sound, raw_verdicts
from tests.faults.conftest import KUBERNETES
from tests.faults.project import until
from tests.faults.test_containers import HOG, OFFER_THE_FIRST_PROCESS
from tests.kubernetes.house import KubernetesProject

pytestmark = pytest.mark.parametrize("project", [KUBERNETES], indirect=True)
UNFLUSHED = 5
"""Tests of 0.2 s that had ended since the last flush to a store that is far: lost where nobody could say a last word."""
BAD = """\
import os, signal, time

def test_kills():
    os.kill(os.getpid(), signal.SIGKILL)

def test_hangs():
    time.sleep(600)
"""
CLOCK = """\
import os, time
from trace_support import trace

def test_clock():
    trace("clock")
    assert abs(time.time() - os.stat(os.environ["FLEET_TRACE"]).st_mtime) > 3000
"""


def few(project: KubernetesProject) -> int:
    """Eight short tests: it is not they that take time here."""
    project.busy()
    for number in range(2, 8):
        (project.root / f"test_f{number}.py").unlink()
    return 8


def test_pods_that_are_taken_away_are_no_failure(project: KubernetesProject) -> None:
    """All of them are deleted, their successors evicted, theirs deleted by force: only what was in flight runs again."""
    project.busy()
    tests = project.sleepers(files=8, count=5, seconds=0.3)
    running = project.start()
    ways = (disruptions.delete, disruptions.evict, disruptions.force_delete)
    for number, way in enumerate(ways):
        running.until_begun(tests * (number + 1) // 5)
        for pod in project.running():
            way(project.cluster, pod["metadata"]["name"])

    assert running.end() == 0, running.output
    assert_sound(project, tests, repeats=len(ways) * project.workers)


def test_pods_that_are_killed_or_frozen_are_replaced(project: KubernetesProject) -> None:
    """Killed: the kubelet's word is proof. Frozen: after a lease, and what it would still say does not count."""
    project.busy()
    tests = project.sleepers(files=8, count=5, seconds=0.3)
    running = project.start()
    running.until_begun(tests // 5)
    first, second = (project.on_node(pod) for pod in project.running())
    first.kill()
    until(lambda: project.events("WorkerLost"), "the death is noticed")
    second.freeze()

    assert running.end() == 0, running.output
    assert_sound(project, tests, repeats=2 * (1 + UNFLUSHED))
    assert [one["proof"] for one in project.events("WorkerLost")] == [True, False]
    second.thaw()  # In control groups of version 1 nobody else can end what is frozen.


def test_bad_tests_are_named_and_nobody_else(project: KubernetesProject) -> None:
    """One kills its process, one hangs past its limit, one eats all memory of its process and one of the whole pod."""
    tests = few(project)
    project.write("test_bad.py", BAD)
    project.write("test_hog.py", HOG.format(before="pass"))
    project.write("test_end.py", HOG.format(before=OFFER_THE_FIRST_PROCESS))
    project.suite["timeout_seconds"] = "5s"
    running = project.start("workers.memory=192Mi")

    assert running.end(150) == 1, running.output
    found = raw_verdicts(project)
    killed, hung = found.pop("test_bad.py::test_kills"), found.pop("test_bad.py::test_hangs")
    hogs = [found.pop(f"test_{name}.py::test_hog") for name in ("hog", "end")]
    assert (killed[0], hung[0]) == ("crashed", "timed-out")
    assert [(verdict, "memory" in message) for verdict, message in hogs] == [("crashed", True)] * 2, hogs
    assert Counter(verdict for verdict, _ in found.values()) == {"passed": tests}


def test_pods_of_a_lost_agent_finish_and_a_later_agent_gathers(project: KubernetesProject) -> None:
    """The agent dies at once and for good: the pods run all tests; whoever comes later runs none."""
    tests = project.busy()
    first = project.start()
    first.until_begun(1)
    first.signal(signal.SIGKILL)
    first.end()
    project.until_missed([], tests)
    until(lambda: not project.running(), "pods end for want of work", 60)

    second = project.start()

    assert second.end() == 0, second.output
    assert_sound(project, tests, repeats=0)


def test_another_clone_goes_on_where_a_lost_agent_stopped(project: KubernetesProject, tmp_path: Path) -> None:
    """The same sources in another folder, with the same store: the run is the same, and so are its pods."""
    tests = project.busy()
    first = project.start()
    first.until_begun(tests // 4)
    first.signal(signal.SIGKILL)
    first.end()
    project.root = shutil.copytree(project.root, tmp_path / "clone", ignore=shutil.ignore_patterns("build", ".fleet"))

    second = project.start()

    assert second.end() == 0, second.output
    assert_sound(project, tests, repeats=0)


def test_a_quota_for_one_pod_runs_all_tests_in_it(project: KubernetesProject) -> None:
    """Two are wanted and one may be: the run says so and goes on with fewer."""
    tests = few(project)
    limit(project.cluster, pods="1")
    running = project.start()

    assert running.end() == 0, running.output
    assert_sound(project, tests, repeats=0)
    assert "exceeded quota" in running.output


def test_a_quota_for_no_pod_ends_the_run_with_the_clusters_word(project: KubernetesProject) -> None:
    """None can ever start: soon, exit code 2, what the event says; nothing is left."""
    few(project)
    limit(project.cluster, pods="0")
    running = project.start()

    assert running.end(60) == 2, running.output
    assert "exceeded quota" in running.output
    assert "Traceback" not in running.output


def limit(cluster: Cluster, **hard: str) -> None:
    """Change the namespace's quota."""
    cluster.api.merge(cluster.path("resourcequotas", "quota"), {"spec": {"hard": hard}})


def test_rights_taken_away_are_told_and_fail_nothing(project: KubernetesProject) -> None:
    """Pods go on and their results count; what the agent may no longer remove is named, and swept once it may again."""
    tests = project.busy()
    running = project.start()
    running.until_begun(tests // 4)
    with disruptions.without_rights(project.cluster):
        assert running.end() == 0, running.output
        assert_sound(project, tests, repeats=0)
        assert "forbidden" in running.output
        assert "`doit-fleet sweep`" in running.output
        assert project.left()
    project.sweep()


def wrong_by_an_hour(project: KubernetesProject) -> None:
    """All pods' clocks are fast."""
    name = project.cluster.volume("clock", wrong_clock.library(), read_only=True)
    project.reach(project.shared)
    project.volumes.append({"mountPath": "/clock", "readOnly": True, "persistentVolumeClaim": {"claimName": name}})
    project.kubernetes["environment"] = wrong_clock.environment("/clock", 3600)


def test_pods_clocks_that_are_an_hour_fast_misjudge_nobody(project: KubernetesProject, tmp_path: Path) -> None:
    """With a store in a folder, which looks at no clock: none is compared with another's."""
    tests = few(project)
    wrong_by_an_hour(project)
    store = tmp_path / "store"
    store.mkdir()
    project.kubernetes["store_claim"] = project.cluster.volume("store", store)
    project.write("test_clock.py", CLOCK)
    running = project.start(f"store.url={store}")

    assert running.end() == 0, running.output
    assert_sound(project, tests + 1, repeats=0)


def test_pods_clocks_that_a_store_refuses_end_the_run_with_its_word(project: KubernetesProject) -> None:
    """S3 takes no request that was signed an hour ahead: exit code 2, the reason, no verdict; with right clocks it goes on."""
    tests = few(project)
    wrong_by_an_hour(project)
    first = project.start()

    assert first.end() == 2, first.output
    assert "clock is wrong" in first.output
    assert project.traces() == []
    project.kubernetes.clear()
    second = project.start()
    assert second.end() == 0, second.output
    assert_sound(project, tests, repeats=0)
