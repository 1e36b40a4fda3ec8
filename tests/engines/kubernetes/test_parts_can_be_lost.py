"""A cluster of a test's own: each part dies and comes back, nodes are lost in each way, and nothing is left at the end."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.engines.fixtures import Bucket
from tests.engines.kubernetes.api import until
from tests.engines.kubernetes.bodies import indexed_job, pod_spec
from tests.engines.kubernetes.fixtures import own_kubernetes
from tests.engines.kubernetes.namespaces import Cluster
from tests.engines.kubernetes.test_cluster_runs_pods import SECONDS, SLEEP, is_complete, start
from tests.engines.processes import lives

pytestmark = pytest.mark.timeout(300)
LOSS_SECONDS = 60
"""Until a silent node is not ready: grace, and the monitor's own pace on a busy machine."""
ANSWERS = "import urllib.request as r, time\nprint('up', flush=True)\nwhile True:\n print(r.urlopen({url!r}).status, flush=True); time.sleep(0.5)"


def deletion(cluster: Cluster, name: str) -> dict[str, Any]:
    """Why a pod is being deleted, if it is."""
    found = cluster.api.find(cluster.path("pods", name)) or {"status": {}}
    reasons = [each for each in found["status"].get("conditions", ()) if each["type"] == "DisruptionTarget"]
    return reasons[0] if reasons else {}


@pytest.mark.parametrize("name", ["apiserver", "etcd", "controller-manager", "scheduler"])
def test_a_part_dies_and_comes_back(own_cluster: Cluster, base_image: str, name: str) -> None:
    """What was there is there again, and a Job completes."""
    engine = own_cluster.engine
    part = engine.parts[name]
    part.kill()
    assert not part.running()
    assert engine.record is None
    part.start()
    assert part.running()
    assert until(lambda: all(engine.are_ready().values()), LOSS_SECONDS)
    spec = pod_spec(base_image, ("python3", "-c", "print('done')"))
    own_cluster.api.create(own_cluster.path("jobs", group="batch/v1"), indexed_job("two", spec, 2))
    assert until(lambda: is_complete(own_cluster, "two"), SECONDS)


def test_a_node_without_power_is_noticed_and_comes_back(own_cluster: Cluster, base_image: str) -> None:
    """Its pods are told to go by the taint manager; it returns with the same name and takes pods."""
    engine = own_cluster.engine
    start(own_cluster, "lost", pod_spec(base_image, SLEEP, nodeSelector={"kubernetes.io/hostname": "node-1"}))
    node = engine.nodes["node-1"]
    assert node.processes()
    node.lose_power()
    assert not node.processes()
    assert until(lambda: engine.are_ready() == {"node-1": False, "node-2": True}, LOSS_SECONDS)
    assert until(lambda: deletion(own_cluster, "lost").get("reason") == "DeletionByTaintManager", LOSS_SECONDS)

    node.start()
    assert until(lambda: all(engine.are_ready().values()), LOSS_SECONDS)
    assert until(lambda: own_cluster.api.find(own_cluster.path("pods", "lost")) is None, LOSS_SECONDS)
    start(own_cluster, "next", pod_spec(base_image, SLEEP, nodeSelector={"kubernetes.io/hostname": "node-1"}))


def test_containers_go_on_when_their_node_crashes(own_cluster: Cluster, base_image: str) -> None:
    """Kubelet, containerd and shims are killed; the processes they watched live."""
    start(own_cluster, "orphan", pod_spec(base_image, SLEEP, nodeSelector={"kubernetes.io/hostname": "node-2"}))
    node = own_cluster.engine.nodes["node-2"]
    before = node.processes()
    node.kill()
    assert not node.runs
    assert node.containerd.shims() == []
    assert [who for who in before if lives(who)]


def test_a_node_cut_off_goes_on_alone(own_cluster: Cluster, base_image: str, s3: Bucket) -> None:
    """Without its cable a pod reaches nothing; cut off from the API only, it reaches the store while the node is lost."""
    engine, node = own_cluster.engine, own_cluster.engine.nodes["node-1"]
    url = own_cluster.reachable(f"{s3.url}/health")
    spec = pod_spec(
        base_image, ("python3", "-uc", ANSWERS.format(url=url)), nodeSelector={"kubernetes.io/hostname": node.name}
    )
    start(own_cluster, "alone", spec)
    log = next(Path(node.kubelet.folder, "logs").glob(f"{own_cluster.namespace}_alone_*/main/0.log"))

    def answers() -> int:
        return log.read_text("utf-8").count(" F 200")

    node.cut_off_from_api()
    assert until(lambda: not engine.are_ready()[node.name], LOSS_SECONDS)
    seen = answers()
    assert until(lambda: answers() > seen, 10)
    assert node.kubelet.record

    node.cut_off()
    seen = answers() + 1  # One may be under way.
    assert not until(lambda: answers() > seen, 2)
    node.mend()
    assert until(lambda: all(engine.are_ready().values()), LOSS_SECONDS)


def test_nothing_is_left_when_it_stops(base_image: str) -> None:
    """No process, mount, control group, bridge, name space or rule."""
    with own_kubernetes() as engine:
        spec = pod_spec(base_image, ("python3", "-c", "print('done')"))
        engine.api.create("/api/v1/namespaces/default/pods", {"metadata": {"name": "one"}, "spec": spec})
        where = "/api/v1/namespaces/default/pods/one"
        assert until(lambda: engine.api.get(where)["status"].get("phase") == "Succeeded", SECONDS)
        found = engine.record
        assert found
        assert traces(engine.folder, engine.tag)
        engine.stop()
        assert not any(map(lives, found.processes))
        assert traces(engine.folder, engine.tag) == []


def traces(folder: Path, tag: str) -> list[str]:
    """What of it is on this machine outside its folder."""
    mounts = [line for line in Path("/proc/self/mounts").read_text("utf-8").splitlines() if str(folder) in line]
    rules = subprocess.run(["iptables-save"], capture_output=True, text=True, check=True).stdout.splitlines()
    links = [
        str(link) for link in Path("/var/log/containers").glob("*") if str(link.readlink()).startswith(str(folder))
    ]
    groups = map(str, Path("/sys/fs/cgroup").glob(f"*/doit-fleet-{tag}"))
    named = [
        path
        for place in ("/sys/class/net", "/run/netns", "/var/lib/cni/results")
        for path in Path(place).glob(f"*{tag}*")
    ]
    return [*mounts, *(rule for rule in rules if tag in rule), *links, *groups, *map(str, named)]
