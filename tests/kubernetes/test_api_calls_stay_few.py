"""What a run asks of the API server: nothing is polled, lists and watches do not grow with the number of pods."""

from __future__ import annotations

import asyncio
import re
import threading
import uuid
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from pipeline.adapters.kubernetes_client import KubernetesClient
from pipeline.launchers.kubernetes.launcher import KubernetesLauncher
from pipeline.launchers.kubernetes.rights import needed_rights, rules_of
from pipeline.launchers.kubernetes.terms import PodTerms
from pipeline.launchers.local import LocalLauncher
from pipeline.model.images import RunImages
from pipeline.ports.places import Hiring
from tests.engines.fixtures import running
from tests.engines.kubernetes.cluster import SharedKwok
from tests.engines.kubernetes.kwok_nodes import MARK, KwokNode, these_kwok_nodes
from tests.engines.kubernetes.namespaces import Cluster

GROUP = "doit-fleet-tests/group"
NAMES = re.compile(r"/namespaces/[^/]+/(\w+)(/[^/?]+)?(/\w+)?")
OWN = {"GET pods one log": 1, "POST jobs": 1, "DELETE jobs one": 1}
"""Requests that each pod is worth: its log is kept; where it has a Job of its own, that is made and removed."""


class CountingClient(KubernetesClient):
    """Knows what was asked."""

    def __init__(self, kubeconfig: str) -> None:
        super().__init__(kubeconfig)
        self.asked = Counter[str]()
        self._counting = threading.Lock()

    def send(self, method: str, path: str, *more: Any, stream: bool = False) -> Any:
        """Count, then send."""
        found = NAMES.search(path)
        kind, one, part = found.groups() if found else (path, None, None)
        watch = " watch" if "watch=1" in path else ""
        name = f"{method} {kind}{' one' if one else ''}{f' {part[1:]}' if part else ''}{watch}"
        with self._counting:
            self.asked[name] += 1
        return super().send(method, path, *more, stream=stream)


def asked_for(cluster: Cluster, folder: Path, count: int, mode: str, kubeconfig: Path) -> Counter[str]:
    """Requests of a launcher that has `count` workers in pods of kwok's nodes, from their beginning to a clean namespace."""
    group = f"g{uuid.uuid4().hex[:8]}"
    client = CountingClient(str(kubeconfig))
    terms = PodTerms(
        project="p",
        pool="default",
        store="s3://nowhere/x",
        store_label="1" * 16,
        cpus=0.01,
        memory_bytes=2**20,
        node_selector={GROUP: group},
        tolerations=({"key": MARK, "operator": "Exists"},),
        user="65532",
    )
    images = RunImages(mode=mode, by_slot=("nowhere/none:1",) * count)
    hirings = [
        Hiring(run=f"{group}-1", term=1, worker=f"w{slot}-1", nonce=uuid.uuid4().hex, slot=slot)
        for slot in range(count)
    ]

    async def live() -> None:
        local = LocalLauncher({}, folder / group, slots=1, lease_seconds=60)
        launcher = KubernetesLauncher(
            local, client, cluster.namespace, dict.fromkeys(range(count), terms), lambda: images, {}, str(folder)
        )

        async def work(hiring: Hiring) -> None:
            await launcher.begin(hiring)
            await launcher.ended(hiring)

        try:
            async with asyncio.timeout(240):
                await asyncio.gather(*(work(hiring) for hiring in hirings))
            await launcher.clear(f"{group}-1", term=None)
        finally:
            await launcher.close()

    nodes = [KwokNode(name=f"{group}-{at}", labels={GROUP: group}) for at in range(-(-count // 100))]
    with these_kwok_nodes(cluster.engine, *nodes):
        asyncio.run(live())
    return client.asked


@pytest.mark.timeout(400)
@pytest.mark.parametrize(("mode", "few", "many"), [("shared", 20, 1000), ("per-worker", 20, 60)])
def test_lists_and_watches_do_not_grow_with_the_pods(
    cluster: Cluster, tmp_path: Path, mode: str, few: int, many: int
) -> None:
    """Of a thousand pods (ten thousand: `benchmarks.pods`) each is worth what each of twenty is: at most its own log, and its own Job where it has one."""
    running(SharedKwok())
    cluster.api.delete(cluster.path("resourcequotas", "quota"))
    kubeconfig = cluster.service_account(rules_of(needed_rights()))
    found = {count: asked_for(cluster, tmp_path, count, mode, kubeconfig) for count in (few, many)}
    for count, asked in found.items():
        print(count, dict(asked))
        for name, each in OWN.items():
            assert asked[name] <= each * count
        shared = sum(number for name, number in asked.items() if name not in OWN)
        assert shared <= 30, asked
        assert sum(asked.values()) <= 3 * count + 30
