"""What nobody can run without is told once, in one piece, and soon; a run does not try for minutes."""

from __future__ import annotations

import gc
import socket

import pytest

from pipeline.adapters.docker_client import client_of
from pipeline.adapters.docker_errors import docker_in_use
from pipeline.errors import EngineError
from tests.docker.house import DockerProject

NOBODY = "docker.host=unix:///nobody/docker.sock"
"""Short, because a socket's path may only have about 100 characters."""


def test_a_daemon_that_never_answers_ends_the_run(project: DockerProject) -> None:
    """After three tries: the reason is told once where it was met and once at the end, with the way out."""
    project.sleepers(files=2, count=2, seconds=0)
    running = project.start(NOBODY)

    assert running.end() == 2, running.output
    assert running.output.count("does not answer: No such file or directory") == 2, running.output
    assert "\\n" not in running.output
    assert "DOCKER_HOST" in running.output


def test_a_missing_registry_is_told_before_anything_is_done(project: DockerProject) -> None:
    """Nobody waits for packages and tests to learn that a setting is missing."""
    project.sleepers(files=1, count=1, seconds=0)
    running = project.start("registry.url=")

    assert running.end() == 3, running.output
    assert "'registry.url' is missing" in running.output
    assert "collect" not in running.output


def test_doctor_tries_the_daemon_that_runs_workers(project: DockerProject) -> None:
    """It is needed although no step is built by it."""
    project.sleepers(files=1, count=1, seconds=0)
    running = project.start("doctor", NOBODY)

    assert running.end() == 3, running.output
    assert "BAD  Docker daemon" in running.output


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_user_without_rights_is_told_of_the_group() -> None:
    """The commonest trouble of a new user."""
    refusal = PermissionError(13, "Permission denied")
    with pytest.raises(EngineError, match="does not answer: Permission denied\n") as caught, docker_in_use("x", "y"):
        raise ConnectionError("Connection aborted.") from refusal

    assert "docker $USER" in caught.value.hint


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_port_where_nobody_listens_is_told_in_the_systems_words() -> None:
    """Without the names of the client's classes."""
    with socket.socket() as own:
        own.bind(("127.0.0.1", 0))
        with pytest.raises(EngineError, match="does not answer: Connection refused\n"):
            client_of(f"tcp://127.0.0.1:{own.getsockname()[1]}")
    gc.collect()
