"""A run whose workers are pods of a real cluster: the same verdicts as on this machine, under the shipped role, and nothing left."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.docker.house import PACKAGES
from tests.docker.test_what_tests_leave_comes_home import SHOP, TESTS, told
from tests.docker.test_workers_in_containers import NASTY, verdicts
from tests.kubernetes.house import KubernetesProject, make_environment

pytestmark = pytest.mark.timeout(300)  # Pods of a busy machine take long over everything.


def objects(project: KubernetesProject) -> dict[str, list[dict[str, Any]]]:
    """All of the namespace that could be ours, by kind."""
    kinds = {"jobs": "batch/v1", "pods": "v1", "secrets": "v1", "events": "v1", "configmaps": "v1"}
    get, path = project.cluster.api.get, project.cluster.path
    return {kind: get(path(kind, group=group))["items"] for kind, group in kinds.items()}


@pytest.mark.parametrize("mode", ["per-worker", "shared"])
def test_a_run_in_pods_is_green_and_leaves_nothing_but_logs(project: KubernetesProject, mode: str) -> None:
    """Each worker has a Job of its own, or all share an Indexed one; `restricted` and the quota let them in."""
    project.sleepers(files=8, count=4, seconds=0.5)  # Else one pod may come when all is done.
    running = project.start(f"images.mode={mode}")
    running.until_begun(1)
    seen = objects(project)
    assert running.end() == 0, running.output

    assert [job["spec"]["completions"] for job in seen["jobs"]] == ([1, 1] if mode == "per-worker" else [2])
    assert len({pod["spec"]["containers"][0]["image"] for pod in seen["pods"]}) == (2 if mode == "per-worker" else 1)
    assert len(seen["secrets"]) == 1
    assert all(job["metadata"]["labels"]["doit-fleet.io/project"] == project.marker for job in seen["jobs"])
    assert set(project.verdicts().values()) == {"passed"}
    assert project.left() == []
    logs = list((project.root / ".fleet").glob("local/agent-*/pods/*.log"))
    assert {log.stem for log in logs} == {pod["metadata"]["name"] for pod in seen["pods"]}
    assert all("begins" in log.read_text() for log in logs)


def test_verdicts_are_those_of_local_workers(project: KubernetesProject) -> None:
    """Passed, failed, skipped, expected, in error, timed out, crashed: each test gets what it gets on this machine."""
    project.suite = {"timeout_seconds": 2}
    project.write("test_nasty.py", NASTY)

    inside = project.start()
    assert inside.end() == 1, inside.output
    found = verdicts(project)
    project.launcher = "local"
    local = project.start("-a")
    assert local.end() == 1, local.output

    assert found == verdicts(project)
    assert len(set(found.values())) >= 6


SECRETIVE = """\
import os, time
from trace_support import trace

def test_secret():
    assert os.environ["PASSWORD"].startswith("hush-")
    assert not [name for name in os.environ if name.startswith(("AWS_", "DOIT_FLEET_SECRET"))]
    assert not [name for _, _, files in os.walk("/run") for name in files if "secret" in name]
    trace("begun")
    time.sleep(2)
"""


def test_secrets_are_in_one_secret_and_nowhere_else(project: KubernetesProject) -> None:
    """Not in Jobs, pods, events, logs, the store, reports or files of ours; neither a suite's nor the store's own."""
    hush = {"suite": f"hush-{project.marker}", "store": project.bucket.secret_key}
    shared = str(project.trace_file)
    project.suite = {"env": {"PASSWORD": {"secret": "db"}, "FLEET_TRACE": shared}}
    project.sleepers(files=1, count=1, seconds=0.1)
    project.write("test_secret.py", SECRETIVE)
    running = project.start(env={"DOIT_FLEET_SECRET_DB": hush["suite"]})
    running.until_begun(1)
    seen = objects(project)
    assert running.end() == 0, running.output

    (secret,) = seen.pop("secrets")
    assert secret["immutable"] is True
    assert all(seen[kind] for kind in ("jobs", "pods", "events"))
    files = [path for folder in (".fleet", "build") for path in (project.root / folder).rglob("*") if path.is_file()]
    keys = project.bucket.client.list_objects_v2(Bucket=project.bucket.bucket).get("Contents", [])
    bodies = [
        project.bucket.client.get_object(Bucket=project.bucket.bucket, Key=key["Key"])["Body"].read() for key in keys
    ]
    places = [json.dumps(seen).encode(), running.output.encode(), *bodies, *(path.read_bytes() for path in files)]
    assert len(bodies) > 5
    for name, value in hush.items():
        assert not [place[:200] for place in places if value.encode() in place], name


@pytest.fixture(scope="module")
def measuring(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with pytest-cov."""
    return make_environment(tmp_path_factory.mktemp("measuring") / "venv", (*PACKAGES, "coverage", "pytest-cov"))


def test_coverage_and_declared_outputs_come_home(project: KubernetesProject, measuring: Path) -> None:
    """Two pods run a part each: together they measured what a local run measures, and their files are here."""
    project.python, project.layers = measuring, None
    project.suite = {"args": ["--cov=shop", "--cov-report=json:measured.json"], "outputs": ["notes/*.txt"]}
    project.write("shop.py", SHOP)
    for kind in ("book", "pen"):
        project.write(f"test_{kind}.py", TESTS.format(kind=kind))

    running = project.start()
    assert running.end() == 0, running.output
    written = sorted(path.name for path in (project.root / "build" / "outputs").glob("*/unit/notes/*.txt"))
    assert written == ["book.txt", "pen.txt"]
    inside = told(project.root / "measured.json")

    project.launcher = "local"
    local = project.start("-a")
    assert local.end() == 0, local.output
    assert inside == told(project.root / "measured.json")


def test_a_pod_that_is_told_to_stop_seals_and_goes_within_seconds(project: KubernetesProject) -> None:
    """SIGTERM reaches it: status 143 in under 5 s, its tombstone is its own, another one comes."""
    project.busy()
    running = project.start("workers.count=1", "workers.lease_seconds=60s")
    running.until_begun(4)
    (pod,) = project.running()
    ends: list[dict[str, Any]] = []
    about = pod["metadata"]
    watching = threading.Thread(target=lambda: ends.extend(ended(project, about["uid"], about["resourceVersion"])))
    watching.start()
    project.cluster.api.delete(project.cluster.path("pods", pod["metadata"]["name"]))
    assert running.end() == 0, running.output
    watching.join()

    (end,) = ends
    assert end["exitCode"] == 143
    assert seconds(end["finishedAt"]) - (seconds(end["deadline"]) - end["grace"]) <= 5
    assert len({event["worker"] for event in project.events("WorkerStarted")}) == 2
    assert project.events("WorkerLost") == []
    assert len(set(project.traces())) == len(project.verdicts())


def ended(project: KubernetesProject, uid: str, since: str) -> list[dict[str, Any]]:
    """How the worker of a pod ended, and when it was asked to, as a watch from a version of it on tells it."""
    from pipeline.adapters.kubernetes_api import KubernetesApi
    from pipeline.adapters.kubernetes_client import KubernetesClient
    from pipeline.launchers.kubernetes.ends import terminated

    client = KubernetesClient(str(project.cluster.kubeconfig))
    api, path, found = KubernetesApi(client), project.cluster.path("pods"), []
    for _, pod in api.watch(path, since, 60):
        told = terminated(pod)
        if pod["metadata"].get("uid") == uid and told:
            grace = pod["metadata"]["deletionGracePeriodSeconds"]
            found = [{**told, "deadline": pod["metadata"]["deletionTimestamp"], "grace": grace}]
            break
    client.close()
    return found


def seconds(time: str) -> float:
    """Since the epoch."""
    from pipeline.launchers.kubernetes.stories import seconds_of

    return seconds_of(time)
