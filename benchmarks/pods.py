"""What the agent adds to a cluster's own pace: workers on kwok's nodes from their hiring until nothing is left, against the bare Job.

Ours is the launcher with one Indexed Job (`images.mode = "shared"`): hire all, hear of each one's end, clear away. Against it an equal Job
by plain requests that is watched to its end and deleted. The agent's memory and its requests are told, too. Needs
`python -m tests.engines start kubernetes kwok`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.output import Row, show
from benchmarks.racing import parser, row
from pipeline.adapters.kubernetes_client import KubernetesClient
from pipeline.launchers.kubernetes.jobs import job_of
from pipeline.launchers.kubernetes.launcher import KubernetesLauncher
from pipeline.launchers.kubernetes.terms import PodTerms
from pipeline.launchers.local import LocalLauncher
from pipeline.model.images import Places, RunImages
from pipeline.ports.places import Hiring
from tests.engines.kubernetes.api import Api
from tests.engines.kubernetes.cluster import Kubernetes
from tests.engines.kubernetes.kwok_nodes import MARK, kwok_nodes

AIM = 1.1
MOST_MEGABYTES = 300
PODS_PER_NODE = 110
LEASE_SECONDS = 60.0
IMAGE = "example.invalid/worker@sha256:" + "0" * 64
TEMPLATE = {
    "spec": {
        "nodeSelector": {"type": "kwok"},
        "tolerations": [{"key": MARK, "operator": "Exists"}],
        "restartPolicy": "Never",
    }
}


class CountingClient(KubernetesClient):
    """Counts requests."""

    requests = 0

    def send(self, *told: Any, **more: Any) -> Any:
        """One more."""
        self.requests += 1
        return super().send(*told, **more)


def terms() -> PodTerms:
    """The smallest pod of ours."""
    return PodTerms(
        project="bench", pool="", store="s3://bucket/x", store_label="0", template=TEMPLATE, user="65532:0", cpus=0.01
    )


def hirings(count: int, run: str) -> list[Hiring]:
    """One for each slot."""
    return [
        Hiring(run=run, term=1, worker=f"w{slot}-1", nonce=f"{slot:08x}", slot=slot, identity={})
        for slot in range(count)
    ]


async def live(count: int, kubeconfig: str, namespace: str) -> dict[str, float]:
    """Hire so many, see all of them end, clear away."""
    run = f"bench-{uuid.uuid4().hex[:8]}"
    client = CountingClient(kubeconfig)
    with tempfile.TemporaryDirectory() as folder:
        local = LocalLauncher({}, Path(folder), slots=count, lease_seconds=LEASE_SECONDS)
        images = RunImages(mode="shared", by_slot=(IMAGE,))
        launcher = KubernetesLauncher(
            local, client, namespace, dict.fromkeys(range(count), terms()), lambda: images, {}, "/"
        )

        async def life(hiring: Hiring) -> None:
            await launcher.begin(hiring)
            await launcher.ended(hiring)

        began = time.perf_counter()
        await asyncio.gather(*map(life, hirings(count, run)))
        ended = time.perf_counter()
        await launcher.clear(run, term=None)
        took = time.perf_counter() - began
        await launcher.close()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": took, "hired": ended - began, "megabytes": peak, "requests": client.requests}


def ours(count: int, kubeconfig: str, namespace: str) -> dict[str, float]:
    """In a process of its own, whose memory counts."""
    command = [sys.executable, "-m", "benchmarks.pods", "--agent", kubeconfig, namespace, "--pods", str(count)]
    told: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return told


def bare(api: Api, count: int, namespace: str) -> float:
    """Seconds of the equal Job from its making until it is deleted with all its pods."""
    job = job_of(terms(), hirings(count, "bare"), IMAGE, Places(), indexed=True)
    jobs, name = f"/apis/batch/v1/namespaces/{namespace}/jobs", job["metadata"]["name"]
    secret = {"metadata": {"name": "bare"}, "stringData": {"a": "b"}}
    began = time.perf_counter()
    api.create(f"/api/v1/namespaces/{namespace}/secrets", secret)
    api.create(jobs, job)
    while not api.get(f"{jobs}/{name}")["status"].get("completionTime"):
        time.sleep(0.5)
    api.delete(f"{jobs}/{name}", propagationPolicy="Foreground")
    while api.find(f"{jobs}/{name}"):
        time.sleep(0.5)
    api.delete(f"/api/v1/namespaces/{namespace}/secrets/bare")
    return time.perf_counter() - began


@contextmanager
def namespace_of(api: Api) -> Iterator[str]:
    """An empty one."""
    name = f"bench-{uuid.uuid4().hex[:8]}"
    api.create("/api/v1/namespaces", {"metadata": {"name": name}})
    try:
        yield name
    finally:
        api.delete(f"/api/v1/namespaces/{name}")


def measure(rounds: int, count: int) -> list[Row]:
    """In each round the bare Job, then ours."""
    engine = Kubernetes()
    theirs, mine = [], []
    with kwok_nodes(engine, -(-count // PODS_PER_NODE)), namespace_of(engine.api) as namespace:
        for _ in range(rounds):
            theirs.append(bare(engine.api, count, namespace))
            mine.append(ours(count, str(engine.kubeconfig), namespace))
    told = row(f"{count} pods", [each["seconds"] for each in mine], "Job", theirs, AIM)
    most = max(each["megabytes"] for each in mine)
    calls = max(each["requests"] for each in mine) / count
    return [{**told, "MB": most, "aim_MB": MOST_MEGABYTES, "calls_per_pod": calls}]


def main() -> None:
    """Measure and show."""
    options = parser("pods", __doc__, rounds=1)
    options.add_argument("--pods", type=int, default=10_000, help="how many (default: 10,000)")
    options.add_argument("--agent", nargs=2, help=argparse.SUPPRESS)
    asked = options.parse_args()
    if asked.agent:
        print(json.dumps(asyncio.run(live(asked.pods, *asked.agent))))
        return
    show("pods", measure(asked.rounds, asked.pods), as_json=asked.json)


if __name__ == "__main__":
    main()
