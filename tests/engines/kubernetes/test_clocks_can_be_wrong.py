"""One pod's time of day is moved, and nothing else."""

from __future__ import annotations

import time

from tests.engines import only_outside
from tests.engines.kubernetes.api import until
from tests.engines.kubernetes.bodies import pod, pod_spec
from tests.engines.kubernetes.namespaces import Cluster
from tests.engines.kubernetes.test_cluster_runs_pods import SECONDS, phase
from tests.engines.kubernetes.wrong_clock import environment, library

TELLS = """
import datetime, subprocess, threading, time
before = time.monotonic()
time.sleep(0.2)
threading.Event().wait(0.2)
assert 0.4 <= time.monotonic() - before < 60
print(time.time(), datetime.datetime.now().timestamp(), subprocess.check_output(["date", "+%s"], text=True))
"""


def test_a_pods_clock_is_an_hour_fast(cluster: Cluster, base_image: str) -> None:
    """For Python and for other programs; sleeping and waiting take as long as ever."""
    only_outside("its library is mounted from a folder of the machine")
    claim = cluster.volume("clock", library(), read_only=True)
    spec = pod_spec(base_image, ("python3", "-c", TELLS))
    spec["volumes"] = [{"name": "clock", "persistentVolumeClaim": {"claimName": claim}}]
    given = [{"name": name, "value": value} for name, value in environment("/clock", 3600).items()]
    spec["containers"][0] |= {"env": given, "volumeMounts": [{"name": "clock", "mountPath": "/clock"}]}
    before = time.time()
    cluster.api.create(cluster.path("pods"), pod("tells", spec))
    assert until(lambda: phase(cluster, "tells") in ("Succeeded", "Failed"), SECONDS)
    told = cluster.api.text(cluster.path("pods", "tells") + "/log")
    for said in map(float, told.split()):
        assert before - 2 <= said - 3600 <= time.time() + 1, told
    assert len(told.split()) == 3, told
