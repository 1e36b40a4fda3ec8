"""What tests do to pods really happens to them, and to no others."""

from __future__ import annotations

from pathlib import Path

from tests.engines import only_outside
from tests.engines.errors import EngineTrouble
from tests.engines.kubernetes import disruptions
from tests.engines.kubernetes.api import until
from tests.engines.kubernetes.bodies import pod, pod_spec
from tests.engines.kubernetes.containers import PodOnNode
from tests.engines.kubernetes.namespaces import Cluster
from tests.engines.kubernetes.test_cluster_runs_pods import SECONDS, SLEEP, phase, start
from tests.engines.processes import lives

TICKS = "import itertools, pathlib, time\nprint('up', flush=True)\nfor n in itertools.count():\n pathlib.Path('/shared/n').write_text(str(n)); time.sleep(0.05)"


def test_a_pod_is_frozen_and_thawed_and_killed(cluster: Cluster, base_image: str, tmp_path: Path) -> None:
    """Its processes are seen from outside, stop and go on; it writes into a folder of this machine."""
    only_outside("a pod's processes are seen by the machine only")
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    spec = pod_spec(base_image, ("python3", "-uc", TICKS))
    spec["volumes"] = [{"name": "shared", "persistentVolumeClaim": {"claimName": cluster.volume("shared", shared)}}]
    spec["containers"][0]["volumeMounts"] = [{"name": "shared", "mountPath": "/shared"}]
    found = start(cluster, "ticks", spec)
    place = PodOnNode(engine=cluster.engine, uid=found["metadata"]["uid"])
    assert len(place.supervisors()) == 1

    def number() -> str:
        return (shared / "n").read_text()

    place.freeze()
    seen = number()
    assert not until(lambda: number() != seen, 0.5)
    place.thaw()
    assert until(lambda: number() not in (seen, ""), 5)
    place.kill()
    assert until(lambda: phase(cluster, "ticks") == "Failed", SECONDS)
    ended = cluster.api.get(cluster.path("pods", "ticks"))["status"]["containerStatuses"][0]["state"]["terminated"]
    assert ended["exitCode"] == 137


def test_a_pod_deleted_by_force_may_still_run(own_cluster: Cluster, base_image: str) -> None:
    """Its node is cut off: the object is gone, its processes are not, until the cable is back."""
    found = start(own_cluster, "zombie", pod_spec(base_image, SLEEP, nodeSelector={"kubernetes.io/hostname": "node-1"}))
    place = PodOnNode(engine=own_cluster.engine, uid=found["metadata"]["uid"])
    before = place.processes()
    node = own_cluster.engine.nodes["node-1"]
    node.cut_off_from_api()
    disruptions.force_delete(own_cluster, "zombie")
    assert disruptions.gone(own_cluster, "zombie", 5)
    assert before
    assert all(map(lives, before))
    node.mend()
    assert until(lambda: not any(map(lives, before)), SECONDS)


def test_a_pod_of_higher_priority_takes_the_place_of_others(own_cluster: Cluster, base_image: str) -> None:
    """The scheduler preempts who has less: the condition names it."""
    wants = {"requests": {"cpu": "1100m", "memory": "64Mi"}, "limits": {"cpu": "1100m", "memory": "64Mi"}}
    spec = pod_spec(base_image, SLEEP, nodeSelector={"kubernetes.io/hostname": "node-2"})
    spec["containers"][0]["resources"] = wants
    start(own_cluster, "victim", spec)
    where = own_cluster.path("pods", "victim")
    own_cluster.api.merge(where, {"metadata": {"finalizers": ["tests/kept"]}})
    with disruptions.priority(own_cluster) as name:
        body = disruptions.preemptor("first", base_image, "node-2", "1100m", name)
        own_cluster.api.create(own_cluster.path("pods"), body)
        assert until(lambda: phase(own_cluster, "first") == "Running", SECONDS)
    conditions = own_cluster.api.get(where)["status"]["conditions"]
    assert [found["reason"] for found in conditions if found["type"] == "DisruptionTarget"] == ["PreemptionByScheduler"]
    own_cluster.api.merge(where, {"metadata": {"finalizers": []}})


def test_a_spot_notice_takes_no_new_pods_and_evicts(own_cluster: Cluster, base_image: str) -> None:
    """What was there gets its SIGTERM, what comes waits, and afterwards the node is as before."""
    before = own_cluster.api.get("/api/v1/nodes/node-2")["spec"].get("taints")
    selector = {"kubernetes.io/hostname": "node-2"}
    start(own_cluster, "old", pod_spec(base_image, SLEEP, nodeSelector=selector))
    with disruptions.spot_notice(own_cluster, "node-2"):
        assert disruptions.gone(own_cluster, "old", SECONDS)
        own_cluster.api.create(own_cluster.path("pods"), pod("new", pod_spec(base_image, SLEEP, nodeSelector=selector)))
        assert not until(lambda: phase(own_cluster, "new") != "Pending", 2)
    assert own_cluster.api.get("/api/v1/nodes/node-2")["spec"].get("taints") == before
    assert until(lambda: phase(own_cluster, "new") == "Running", SECONDS)


def test_rights_are_taken_away_and_given_back(cluster: Cluster) -> None:
    """A service account may do nothing meanwhile."""
    config = cluster.service_account([{"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}])

    def said() -> str:
        try:
            return cluster.kubectl("get", "pods", f"--kubeconfig={config}", "-o", "name")
        except EngineTrouble as trouble:
            return str(trouble)

    assert until(lambda: said() == "", 10)
    with disruptions.without_rights(cluster):
        assert until(lambda: "forbidden" in said(), 10)
    assert until(lambda: said() == "", 10)
