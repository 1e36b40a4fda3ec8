"""A run whose workers are containers: the same verdicts as on this machine, within limits, and nothing left."""

from __future__ import annotations

import json

import pytest

from tests.docker.house import DockerProject
from tests.faults.project import Project, until

pytestmark = pytest.mark.timeout(240)  # Containers of a busy machine take long over everything.

NASTY = """\
import os, time, pytest

@pytest.mark.parametrize("n", range(6))
def test_passes(n): pass
def test_fails(): assert "this" == "that"
@pytest.mark.skip(reason="not here")
def test_skipped(): pass
@pytest.mark.xfail(reason="known")
def test_expected(): assert 0
@pytest.mark.xfail
def test_unexpected(): pass
@pytest.fixture
def broken(): raise RuntimeError("no fixture")
def test_error(broken): pass
def test_endless(): time.sleep(60)
def test_exits(): os._exit(3)
"""


def verdicts(project: Project) -> dict[str, str]:
    """By test id, as the latest run's report for machines tells them."""
    told = json.loads((project.root / "build" / "reports" / "ctrf.json").read_text())
    return {test["name"]: test.get("rawStatus") or test["status"] for test in told["results"]["tests"]}


def test_verdicts_are_those_of_local_workers(project: DockerProject) -> None:
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


def test_containers_carry_labels_and_limits(project: DockerProject) -> None:
    """A container says whose it is, and may use no more than its pool allows, nor gain rights."""
    project.sleepers(files=2, count=3, seconds=1)
    running = project.start("workers.memory=256Mi", "workers.cpus=0.5")
    running.until_begun(1)
    seen = [one.attrs for one in project.containers()]
    assert running.end() == 0, running.output

    assert seen
    for one in seen:
        labels, limits = one["Config"]["Labels"], one["HostConfig"]
        assert set(labels) >= {"doit-fleet.run", "doit-fleet.term", "doit-fleet.worker", "doit-fleet.project"}
        assert (limits["Memory"], limits["MemorySwap"], limits["NanoCpus"]) == (2**28, 2**28, 500_000_000)
        assert limits["ReadonlyRootfs"] and limits["CapDrop"] == ["ALL"]
        assert any("no-new-privileges" in option for option in limits["SecurityOpt"])
        assert one["Config"]["User"].endswith(":0")
        assert not one["Config"]["User"].startswith("0")


def test_nothing_is_left_but_logs(project: DockerProject) -> None:
    """After a good run there are no containers and no volumes, but the log of every worker."""
    project.sleepers(files=2, count=2, seconds=0.3)
    running = project.start()
    running.until_begun(1)
    assert project.containers()
    assert project.seen

    assert running.end() == 0, running.output
    assert project.containers() == []
    assert not project.seen & project.volumes()
    logs = list((project.root / ".fleet").glob("local/agent-*/containers/*.log"))
    assert logs
    assert all("begins" in log.read_text() for log in logs)


def test_tests_see_what_image_and_settings_give(project: DockerProject) -> None:
    """None of our names, folders that can be written, the suite's own variables, the project's folder."""
    project.suite = {"env": {"COLOUR": "green"}}
    project.write(
        "test_world.py",
        """\
import os, pathlib, tempfile

def test_world(tmp_path):
    ours = {name for name in os.environ if name.startswith("DOIT_FLEET")}
    assert ours <= {"DOIT_FLEET_AGENT", "DOIT_FLEET_ATTEMPT", "DOIT_FLEET_LABEL", "DOIT_FLEET_RUN_ID"}
    assert os.environ["COLOUR"] == "green"
    assert os.getcwd() == "/project"
    assert os.getuid() != 0
    pathlib.Path("made").write_text("x")
    pathlib.Path.home().joinpath("made").write_text("x")
    tempfile.NamedTemporaryFile().close()
    (tmp_path / "made").write_text("x")
""",
    )
    running = project.start()

    assert running.end() == 0, running.output


def test_a_secret_reaches_its_suite_and_nothing_else(project: DockerProject) -> None:
    """Tests see the value; inspection, arguments, logs, store, images and reports do not hold it."""
    secret = f"hush-{project.marker}"
    project.suite = {"env": {"PASSWORD": {"secret": "db"}, "FLEET_TRACE": str(project.trace_file)}}
    project.write("trace_support.py", "")
    project.write(
        "test_secret.py",
        """\
import os, time
def test_secret():
    assert os.environ["PASSWORD"].startswith("hush-")
    with open(os.environ["FLEET_TRACE"], "a") as file:
        file.write("begun\\n")
    time.sleep(1)
""",
    )
    running = project.start(env={"DOIT_FLEET_SECRET_DB": secret})
    running.until_begun(1)
    told = [json.dumps(one.attrs) + json.dumps(one.top()) for one in project.containers()]
    images = {one.attrs["Image"] for one in project.containers()}
    told += [json.dumps([project.client.api.inspect_image(one), project.client.api.history(one)]) for one in images]
    assert running.end() == 0, running.output

    assert told
    assert not [text for text in told if secret in text]
    files = [path for folder in (".fleet", "build") for path in (project.root / folder).rglob("*") if path.is_file()]
    assert not [path for path in files if secret.encode() in path.read_bytes()]
    assert secret not in running.output


def test_a_container_out_of_memory_blames_its_test(project: DockerProject) -> None:
    """A test that eats all memory has crashed after two times, as out of memory; the others are good."""
    project.write(
        "test_hungry.py",
        """\
import pytest
@pytest.mark.parametrize("n", range(3))
def test_modest(n): pass
def test_hungry():
    eaten = []
    while True:
        eaten.append(bytearray(b"x" * 2**24))
""",
    )
    running = project.start("workers.memory=160Mi", "workers.count=1")

    assert running.end() == 1, running.output
    found = verdicts(project)
    assert sorted(found.values()) == ["crashed", "passed", "passed", "passed"], running.output
    assert "out of memory" in running.output
    assert "killed its harness 2 times" in running.output


def test_images_of_another_plan_are_refused(project: DockerProject) -> None:
    """A worker whose image belongs to another plan does not begin, and says so."""
    project.sleepers(files=1, count=2, seconds=0.1)
    first = project.start()
    assert first.end() == 0, first.output
    images = (project.root / "build" / "push" / "images.json").read_text()
    project.write("test_more.py", "def test_more():\n    pass\n")
    second = project.start("push")
    assert second.end() == 0, second.output
    (project.root / "build" / "push" / "images.json").write_text(images)

    third = project.start("launch")

    assert third.end() == 2, third.output
    assert "the image is for plan" in third.output
    until(lambda: not project.containers(), "nothing is left", 10)
