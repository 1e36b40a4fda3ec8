"""The faults that only containers know, on the same project as all others."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.docker.house import DockerProject


@pytest.mark.parametrize("project", ["docker"], indirect=True)
def test_killing_every_container_once_is_no_failure(project: DockerProject) -> None:
    """Both of two containers are killed half way: others take their place, and only what was in flight runs again."""
    tests = project.sleepers(files=4, count=5, seconds=0.3)
    running = project.start("workers.max_losses=10")
    running.until_begun(tests // 3)
    for container in project.containers():
        container.kill()

    assert running.end() == 0, running.output
    assert Counter(project.verdicts().values()) == {"passed": tests}
    assert len(project.traces()) - tests <= 2
