"""What is sent to workers in containers and pods: the frozen tests, the files that were made, and paths as they are there."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from extensions.agent import LocalAgent
from extensions.fleet import Fleet
from extensions.image_steps import Steps
from pipeline.launchers.collecting import there
from pipeline.model.images import Places
from tests.any_command.bench import Bench
from tests.harness_command.driving import Harness, finals

SUITE = """
files = ["plans/*.txt"]
command = ["grep", "-q", "plan", "{file}"]
keep = ["**/*.log"]
env.TOKEN = "hidden"
[tool.doit-fleet.suites.bench.generate]
command = "mkdir -p plans; for n in $(cat seeds); do echo plan $n > plans/$n.txt; done"
inputs = ["seeds"]
outputs = ["plans"]
[tool.doit-fleet.suites.bench.setups.all]
per = "worker"
teardown = "true"
teardown_timeout_seconds = 100
"""


@pytest.fixture
def agent(bench: Bench) -> Iterator[LocalAgent]:
    """An agent whose project's tests are made by a command and ignored by git."""
    bench.suite(SUITE)
    bench.write(seeds="1 2", __gitignore="plans\nbuild\n.fleet\n")
    bench.by_hand("git init -q .")
    environment = {"PATH": os.environ["PATH"], "XDG_CACHE_HOME": str(bench.root.parent / "cache")}
    arguments = {"suites.bench.python": sys.executable, "reports.formats": "junit"}
    fleet = Fleet.build(bench.root, environment=environment, arguments=arguments, home=bench.root.parent)
    fleet.check()
    made = LocalAgent(fleet)
    yield made
    made.close()


def test_the_tests_layer_alone_is_enough(agent: LocalAgent, tmp_path: Path) -> None:
    """A harness that is started with nothing else, in another place, finds every test and runs it."""
    elsewhere = tmp_path / "elsewhere"
    files = Steps(agent, print)._files
    for name in files:
        (elsewhere / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(agent.root / name, elsewhere / name)
    spec = there(agent.workforce.specs["bench"], str(agent.root), Places(project=str(elsewhere)))

    shutil.rmtree(agent.root)

    assert spec.cwd == str(elsewhere)
    assert spec.env == {}
    assert spec.options["stop_seconds"] == 110
    harness = Harness.of(elsewhere, dict(spec.options))
    with harness:
        harness.send("collect-all")
        tests = harness.until("collected")[-1]["tests"]
        harness.run(*(test[0] for test in tests))
        harness.send("finish")
        results = finals(harness.until("bye"))

    assert [test[0] for test in tests] == ["plans/1.txt", "plans/2.txt"]
    assert [one["verdict"] for one in results] == ["passed", "passed"]
    assert len(list(elsewhere.glob("build/command/bench/runs/*/*/output.log"))) == 2


def test_what_is_kept_comes_home(agent: LocalAgent) -> None:
    """The patterns that workers elsewhere send home lie below the folders of tests."""
    carried = agent.workforce.specs["bench"].options["carries"]

    assert carried == {
        "root": str(agent.root),
        "globs": ["build/command/bench/runs/*/*/**/*.log", "build/command/bench/runs/*/*/output.log"],
    }
