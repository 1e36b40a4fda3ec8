"""A daemon or a registry that goes away, loses what it had or is full: no false failure, a clear word, and it goes on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from tests.docker.house import DockerProject
from tests.engines.faults import Answer
from tests.engines.own import own_docker as own_docker_with
from tests.engines.own import own_registry as own_registry_with
from tests.engines.proxy import FaultProxy
from tests.engines.registries import PlainRegistry
from tests.faults.conftest import DOCKER
from tests.faults.project import until

pytestmark = pytest.mark.parametrize("project", [DOCKER], indirect=True)


def small(project: DockerProject) -> int:
    """Few tests: it is not they that take time here."""
    project.busy()
    for number in range(2, 8):
        (project.root / f"test_f{number}.py").unlink()
    return 8


def assert_green(project: DockerProject, tests: int, *, repeats: int = 0) -> None:
    """One good verdict for every test, and no more repeats than promised."""
    assert Counter(project.verdicts().values()) == {"passed": tests}
    assert 0 <= len(project.traces()) - tests <= repeats


@pytest.mark.parametrize("live_restore", [False, True])
def test_a_restarted_daemon_is_no_failure(project: DockerProject, live_restore: bool) -> None:
    """Killed with the run under way: with live-restore its containers go on, else others take their place."""
    shared_host, shared_client = project.host, project.client
    with own_docker_with(live_restore=live_restore) as engine:
        project.host, project.client = engine.host, engine.client()
        try:
            tests = project.busy()
            running = project.start()
            running.until_begun(tests // 4)
            engine.kill()
            engine.restart()

            assert running.end(150) == 0, running.output
            assert_green(project, tests, repeats=0 if live_restore else project.workers)
            until(lambda: not project.left(), project.left, 15)
        finally:
            project.client.close()
            project.host, project.client = shared_host, shared_client
            project.seen.clear()


def test_images_that_the_registry_has_lost_are_made_and_sent_again(
    own_registry: PlainRegistry, project: DockerProject
) -> None:
    """Pushed, then the registry lost everything: the same command makes and sends them anew."""
    project.registry, tests = own_registry.address, small(project)
    assert project.start("push").end() == 0
    own_registry.kill()
    for path in sorted(own_registry.storage.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    own_registry.restart()

    running = project.start()

    assert running.end() == 0, running.output
    assert_green(project, tests)


def test_a_base_that_is_nowhere_is_a_wrong_setting(project: DockerProject) -> None:
    """Told before anything runs, with the setting's name."""
    small(project)
    running = project.start(f"images.base={project.registry}/fleet-tests/nowhere:1")

    assert running.end() == 3, running.output
    assert "nowhere:1" in running.output
    assert "images.base" in running.output
    assert "Traceback" not in running.output


def test_a_registry_that_is_down_at_push_ends_the_run_with_a_word(
    own_registry: PlainRegistry, project: DockerProject
) -> None:
    """Exit code 2 and the registry's name; once it is back the same command ends green."""
    project.registry, tests = own_registry.address, small(project)
    own_registry.kill()
    first = project.start()

    assert first.end(150) == 2, first.output
    assert project.registry in first.output
    assert "Traceback" not in first.output
    assert project.left() == []
    own_registry.restart()
    second = project.start()
    assert second.end() == 0, second.output
    assert_green(project, tests)


def test_a_registry_that_stumbles_at_pull_is_asked_again(
    project: DockerProject, fault_proxy: Callable[[str], FaultProxy]
) -> None:
    """The daemon's pulls are refused with 503 for a while: containers start a little later."""
    proxy = fault_proxy(project.registry)
    project.registry, tests = proxy.address, small(project)
    assert project.start("push").end() == 0
    proxy.add(Answer(status=503), method="GET", path="/manifests/", times=6)

    running = project.start()

    assert running.end() == 0, running.output
    assert_green(project, tests)
    assert any(request.status == 503 for request in proxy.requests)


def test_a_full_registry_ends_the_run_with_a_word(project: DockerProject) -> None:
    """Exit code 2, what happened and where; nothing is left."""
    small(project)
    with own_registry_with(mebibytes=8) as full:
        project.registry = full.address
        running = project.start()

        assert running.end(150) == 2, running.output
        assert full.address in running.output
        assert "Traceback" not in running.output
    assert project.left() == []
