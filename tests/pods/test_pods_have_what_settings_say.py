"""Settings of pods as tests meet them on a real cluster: who they are, what they find, what they may write, and where."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.faults.project import until
from tests.kubernetes.house import KubernetesProject

pytestmark = pytest.mark.timeout(300)  # Pods of a busy machine take long over everything.

TESTS = """\
import os, pathlib, subprocess
import pytest

def test_who_runs_it():
    assert (os.getuid(), os.getgid()) == (1000660000, 0)
    assert "NoNewPrivs:\\t1" in pathlib.Path("/proc/self/status").read_text()
    assert "CapEff:\\t0000000000000000" in pathlib.Path("/proc/self/status").read_text()

def test_there_is_no_token():
    assert not os.path.exists("/var/run/secrets/kubernetes.io")

def test_what_it_is_given():
    assert os.environ["FROM_SETTINGS"] == "yes"
    assert os.environ["FROM_SECRET"] == "sesame"
    assert os.environ["FROM_TEMPLATE"] == "of all pools"
    assert os.environ["FROM_POOL"] == "of this pool"
    assert pathlib.Path("/data/greeting").read_text() == "hello"

def test_the_project_can_be_written():
    pathlib.Path("new").write_text("x")
    pathlib.Path(__file__).write_text(pathlib.Path(__file__).read_text())
    os.makedirs("deep/er")
    os.rename("new", "deep/er/new")

def test_folders_for_temporary_files_can_be_written(tmp_path):
    (tmp_path / "x").write_text("x")
    pathlib.Path("/var/tmp/x").write_text("x")
    assert os.stat("/tmp").st_mode & 0o7777 == 0o1777
    assert pathlib.Path(os.environ["HOME"], "x").write_text("x")

def test_the_image_cannot_be_written():
    for folder in ("/", "/opt/doit-fleet", "/usr/lib"):
        with pytest.raises(OSError):
            pathlib.Path(folder, "x").write_text("x")

def test_programs_of_the_project_run():
    assert subprocess.run(["./say"], capture_output=True, text=True, check=True).stdout == "hello\\n"
"""


@pytest.fixture
def given(project: KubernetesProject) -> dict[str, Any]:
    """Objects that are in the namespace already, and settings that name them."""
    cluster = project.cluster
    cluster.api.create(cluster.path("secrets"), {"metadata": {"name": "db"}, "stringData": {"password": "sesame"}})
    cluster.api.create(cluster.path("configmaps"), {"metadata": {"name": "data"}, "data": {"greeting": "hello"}})
    project.sleepers(files=0, count=0, seconds=0)
    project.write("say", "#!/bin/sh\necho hello\n")
    (project.root / "say").chmod(0o755)
    project.write("test_inside.py", TESTS)
    project.reach(project.shared)
    project.volumes.append({"mountPath": "/data", "configMap": {"name": "data"}, "readOnly": True})

    def variable(name: str, value: str) -> dict[str, Any]:
        return {"spec": {"containers": [{"name": "worker", "env": [{"name": name, "value": value}]}]}}

    project.kubernetes = {
        "user": "1000660000:0",
        "environment": {"FROM_SETTINGS": "yes"},
        "secret_environment": {"FROM_SECRET": "db/password"},
        "node_selector": {"kubernetes.io/os": "linux"},
        "topology_spread": [
            {"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway"}
        ],
        "labels": {"team": "shop"},
        "template": variable("FROM_TEMPLATE", "of all pools"),
    }
    project.tables = {"pools.default.kubernetes": {"template": variable("FROM_POOL", "of this pool")}}
    return project.kubernetes


def test_settings_reach_the_tests(project: KubernetesProject, given: dict[str, Any]) -> None:
    """Under any user of group 0, as OpenShift would choose one, with the image read-only."""
    running = project.start("workers.count=1")

    assert running.end() == 0, running.output
    assert len(project.verdicts()) == 7
    assert project.left() == []


def test_an_image_that_may_be_written_needs_no_copy(project: KubernetesProject, given: dict[str, Any]) -> None:
    """The project belongs to group 0 in the image, too; secrets are handed over and gone as ever."""
    given["read_only"] = False
    project.write("test_inside.py", TESTS.replace('("/", "/opt/doit-fleet", "/usr/lib")', '("/usr/lib",)'))
    running = project.start("workers.count=1")
    until(project.pods, "there is a pod")
    (pod,) = project.pods()

    assert running.end() == 0, running.output
    assert "/project" not in pod["spec"]["initContainers"][0]["command"]
    assert project.left() == []


def test_a_store_can_be_a_volume(project: KubernetesProject, tmp_path: Path) -> None:
    """Of many writers, mounted at the store's own folder; here a folder within the claim."""
    project.sleepers(files=2, count=2, seconds=0.1)
    volume = tmp_path / "volume"
    (volume / "ci").mkdir(parents=True)
    for folder in (volume, volume / "ci"):
        folder.chmod(0o777)
    claim = project.cluster.volume("store", volume)
    project.kubernetes = {"store_claim": f"{claim}/ci"}

    running = project.start(f"store.url={volume / 'ci'}")

    assert running.end() == 0, running.output
    assert list((volume / "ci" / "runs").iterdir())
    assert project.left() == []
