"""Tests that are commands run in pods as they do here."""

from __future__ import annotations

import pytest

from tests.any_command import elsewhere
from tests.kubernetes.house import KubernetesProject

pytestmark = pytest.mark.timeout(300)  # Pods of a busy machine take long over everything.


def test_a_matrix_of_commands(project: KubernetesProject) -> None:
    """Typed values, set-ups, generated files, time-outs, what is measured and kept."""
    project.suite = elsewhere.SUITE
    elsewhere.write(project)

    running = project.start()

    assert running.end() == 1, running.output
    elsewhere.assert_as_here(project, running.output)
