"""Pods of a real cluster: from the trigger to the first tests, many trivial tests on S3, and pods that are evicted once each.

- `trigger`: `doit-fleet launch` with ten workers once `push` is done, against `kubectl apply` of an equal bare Indexed Job of the same image,
  whose pods run `pytest` on one file each. Each test says when it began.
- `trivial`: 20,000 tests that do nothing, on four pods with the store in S3, against four local workers.
- `evicted`: a run whose pods are each evicted once, against the run without; repeats are beginnings beyond one for each test.

Nodes are warm. Needs `python -m tests.engines start registry s3 images kubernetes`.
"""

from __future__ import annotations

import json
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.output import Row, show
from benchmarks.racing import parser, row
from tests.docker.house import make_environment
from tests.engines import images
from tests.engines.fixtures import Bucket
from tests.engines.kubernetes.cluster import Kubernetes
from tests.engines.kubernetes.disruptions import evict
from tests.engines.kubernetes.namespaces import fresh_namespace
from tests.engines.registries import PlainRegistry
from tests.engines.s3 import S3Server
from tests.faults.project import Project, until
from tests.kubernetes.house import KubernetesProject, agent_of

WORKERS = 10
STAMP = """import os, pathlib, time
def test_stamp():
    began = time.time()
    pathlib.Path({shared!r}, "stamp-{number}").write_text(str(began))
    time.sleep(2)
"""
"""Long enough that no worker takes the tests of others."""
TRIVIAL = "import pytest\n\n@pytest.mark.parametrize('n', range({count}))\ndef test_trivial(n):\n    pass\n"
SECONDS_TO_END = 1800.0


@contextmanager
def project(workers: int) -> Iterator[KubernetesProject]:
    """An empty project whose workers are pods in a namespace of its own."""
    engine, registry, s3 = Kubernetes(), PlainRegistry(), S3Server()
    base = images.find(images.BASE, registry)
    if base is None:
        raise RuntimeError("start the engines first: python -m tests.engines start registry s3 images kubernetes")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.chmod(0o755)
        cluster = stack.enter_context(fresh_namespace(engine, registry.address, folder))
        client = s3.client()
        bucket = Bucket(
            bucket=stack.enter_context(s3.bucket()),
            client=client,
            **{key: s3.facts[key] for key in ("url", "access_key", "secret_key")},
        )
        (folder / "project").mkdir()
        made = KubernetesProject(
            folder / "project",
            launcher="kubernetes",
            cluster=cluster,
            bucket=bucket,
            kubeconfig=agent_of(cluster),
            registry=registry.address,
            base=base,
            store_url=cluster.reachable(bucket.url),
            python=make_environment(folder / "venv"),
        )
        made.arguments = (f"workers.count={workers}",)
        yield made
        client.close()


def run(on: Project, *words: str) -> float:
    """Seconds of that command. Raises `RuntimeError`."""
    began = time.perf_counter()
    running = on.start(*words)
    if running.end(SECONDS_TO_END):
        raise RuntimeError(running.output[-4000:])
    return time.perf_counter() - began


def stamped(on: KubernetesProject, work: Callable[[], object]) -> list[float]:
    """Seconds from the beginning of that work to each worker's first test, in order."""
    for path in on.shared.glob("stamp-*"):
        path.unlink()
    began = time.time()
    work()
    until(lambda: len(list(on.shared.glob("stamp-*"))) == WORKERS, "all workers begin")
    return sorted(float(path.read_text()) - began for path in on.shared.glob("stamp-*"))


def bare_job(on: KubernetesProject, image: str) -> dict[str, object]:
    """What `kubectl apply` is given: the same image, limits and place for stamps; pytest by itself."""
    test = "exec /opt/project/3.11/bin/python -m pytest -q -p no:cacheprovider test_stamp_$JOB_COMPLETION_INDEX.py"
    container = {
        "name": "worker",
        "image": image,
        "command": ["sh", "-c", test],
        "workingDir": "/project",
        "resources": {"limits": {"cpu": "1", "memory": "384Mi"}, "requests": {"cpu": "0.1", "memory": "384Mi"}},
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        "volumeMounts": [{"name": f"v{n}", "mountPath": one["mountPath"]} for n, one in enumerate(on.volumes)],
    }
    volumes = [
        {"name": f"v{n}", **{key: value for key, value in one.items() if key != "mountPath"}}
        for n, one in enumerate(on.volumes)
    ]
    spec = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "securityContext": {"runAsNonRoot": True, "runAsUser": 65532, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [container],
        "volumes": volumes,
    }
    counts = {"completions": WORKERS, "parallelism": WORKERS, "completionMode": "Indexed"}
    metadata = {"name": "bare", "namespace": on.cluster.namespace}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": metadata,
        "spec": {**counts, "template": {"spec": spec}},
    }


def trigger(rounds: int) -> list[Row]:
    """First tests of ten pods."""
    ours: list[list[float]] = []
    theirs: list[list[float]] = []
    with project(WORKERS) as on:
        on.settle()
        for number in range(WORKERS):
            on.write(f"test_stamp_{number}.py", STAMP.format(shared=str(on.shared), number=number))
        on.cluster.kubectl("delete", "resourcequota", "--all")
        manifest = on.cluster.folder / "bare.json"
        for number in range(-1, rounds):  # The first warms the nodes.
            on.write("data.txt", str(number))
            run(on, "push")
            told = json.loads((on.root / "build" / "push" / "images.json").read_text("utf-8"))
            ours.append(stamped(on, lambda: run(on, "launch")))
            manifest.write_text(json.dumps(bare_job(on, told["by_slot"][0])), "utf-8")
            theirs.append(stamped(on, lambda: on.cluster.kubectl("apply", "--filename", str(manifest))))
            on.cluster.kubectl("delete", "job", "bare", "--cascade=foreground")
    return [
        row(
            f"first test of the {which} of {WORKERS}",
            [each[at] for each in ours[1:]],
            "bare Job",
            [each[at] for each in theirs[1:]],
            1.3,
        )
        for which, at in (("first", 0), ("last", -1))
    ]


def trivial(rounds: int, tests: int) -> list[Row]:
    """Four pods against four local workers."""
    pods, local = [], []
    with project(4) as on:
        for number in range(20):
            on.write(f"test_trivial_{number}.py", TRIVIAL.format(count=tests // 20))
        on.settle()
        plain = Project(on.root.parent / "plain" / "project", arguments=on.arguments)
        shutil.copytree(on.root, plain.root)
        (plain.root / "pyproject.toml").write_text("", "utf-8")
        for _ in range(rounds):
            pods.append(run(on, "-a"))
            local.append(run(plain, "-a"))
    return [row(f"{tests:,} trivial tests, 4 workers", pods, "local", local, 1.5)]


def evicted(rounds: int) -> list[Row]:
    """Each pod once, at some time."""
    calm, hurt, repeats = [], [], 0
    rng = random.Random(7)
    with project(4) as on:
        tests = on.sleepers(files=30, count=8, seconds=0.5)
        on.arguments = ("workers.count=4",)
        for _ in range(rounds):
            calm.append(run(on, "-a"))
            before = len(on.traces())
            began = time.perf_counter()
            running = on.start("-a")
            running.until_begun(before + 8)
            for pod in on.running():
                time.sleep(rng.uniform(0.5, 3.0))
                evict(on.cluster, pod["metadata"]["name"])
            if running.end(SECONDS_TO_END):
                raise RuntimeError(running.output[-4000:])
            hurt.append(time.perf_counter() - began)
            repeats = max(repeats, len(on.traces()) - before - tests)
    return [row(f"{tests} tests, each of 4 pods evicted once, {repeats} repeats", hurt, "calm", calm, 1.25)]


def main(arguments: Sequence[str]) -> int:
    """Measure what was asked for, or everything."""
    options = parser("clusters", __doc__, 3)
    options.add_argument("--tests", type=int, default=20_000, help="how many are trivial (default: 20,000)")
    options.add_argument("rows", nargs="*", default=["trigger", "trivial", "evicted"], help="which")
    asked = options.parse_args(arguments)
    made = {"trigger": lambda: trigger(asked.rounds), "trivial": lambda: trivial(asked.rounds, asked.tests)}
    made["evicted"] = lambda: evicted(asked.rounds)
    show("clusters", [row for name in asked.rows for row in made[name]()], as_json=asked.json)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
