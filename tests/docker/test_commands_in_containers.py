"""Tests that are commands run in containers as they do here."""

from __future__ import annotations

import signal

import pytest

from tests.any_command import elsewhere
from tests.docker.house import DockerProject

pytestmark = pytest.mark.timeout(240)  # Containers of a busy machine take long over everything.


def test_a_matrix_of_commands(project: DockerProject) -> None:
    """Typed values, set-ups, generated files, time-outs, what is measured and kept."""
    project.suite = elsewhere.SUITE
    elsewhere.write(project)

    running = project.start()

    assert running.end() == 1, running.output
    elsewhere.assert_as_here(project, running.output)


def test_what_a_run_shares_outlives_its_agent(project: DockerProject) -> None:
    """Containers that go on alone find it standing; the next agent takes it over, and tears it down once."""
    project.suite = {
        "framework": "command",
        "rows": [{"name": f"t{n}"} for n in range(8)],
        "command": 'echo "unit::$DOIT_FLEET_TEST" >> "$FLEET_TRACE"; sleep 1; test -e "$CLUSTER"',
        "setups": {
            "cluster": {
                "per": "run",
                "command": 'echo up >> "$LOG"; touch "$STANDS"; echo "CLUSTER=$STANDS" > $DOIT_FLEET_EXPORT',
                "teardown": 'rm "$CLUSTER"; echo down >> "$LOG"',
            }
        },
    }
    log, stands = project.shared / "log", project.shared / "stands"
    running = project.start(env={"LOG": str(log), "STANDS": str(stands)})
    running.until_begun(3)
    running.signal(signal.SIGKILL)
    running.end()
    project.until_missed([], 8)
    before = (stands.exists(), log.read_text())
    again = project.start(env={"LOG": str(log), "STANDS": str(stands)})
    assert again.end() == 0, again.output

    assert before == (True, "up\n")
    assert (stands.exists(), log.read_text()) == (False, "up\ndown\n")
    assert set(project.verdicts().values()) == {"passed"}
    assert sorted(project.traces()) == [f"unit::t{n}" for n in range(8)]
