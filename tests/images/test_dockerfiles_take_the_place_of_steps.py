"""Steps built by a Docker daemon: with which files, how failures are told, and how often."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engines.fixtures import DockerEngine
from tests.images.conftest import MakeSite

pytestmark = pytest.mark.timeout(240)


def test_a_dockerfile_of_the_users_builds_on_the_step_before(
    make_site: MakeSite, docker_engine: DockerEngine, tmp_path: Path
) -> None:
    """It sees the files it was allowed, gets its arguments, and is not built again for nothing."""
    site = make_site(
        daemon=docker_engine.host,
        settings=(
            "images.tests_step.dockerfile=ci/tests.Dockerfile",
            "images.tests_step.context=ci/motd",
            "images.tests_step.arguments=GREETING=hello",
        ),
    )
    site.write("ci/motd", "welcome\n")
    site.write(
        "ci/tests.Dockerfile",
        "ARG BASE\nFROM $BASE\nARG GREETING\nADD tests.tar /\nCOPY ci/motd /etc/motd\nUSER 0\n"
        'RUN test ! -e /project/.git && echo "$GREETING" > /greeting\n',
    )

    first = site.push()
    again = site.push()
    files = site.files(site.image(), tmp_path)

    assert "docker build: Step" in first
    assert "docker build" not in again and "push is up to date" in again
    assert {"etc/motd", "greeting", "project/shop.py"} <= set(files)
    assert site.image().config["config"]["User"] == "65532:0"


def test_a_failing_build_names_the_line_and_shows_the_end_of_the_output(
    make_site: MakeSite, docker_engine: DockerEngine
) -> None:
    """The line of the user's Dockerfile, not only the daemon's number of the step."""
    site = make_site(daemon=docker_engine.host, settings=("images.base_step.dockerfile=Dockerfile",))
    site.write("Dockerfile", "# ours\nARG BASE\nFROM $BASE\n\nUSER 0\nRUN echo about to fail \\\n && exit 7\n")

    done = site.fleet("-v2", "push")

    assert done.returncode == 2
    assert "line 6: RUN echo about to fail" in done.stdout
    assert "about to fail" in done.stdout.partition("cannot be built")[2].partition("RUN")[2]


def test_a_secret_may_not_be_a_build_argument(make_site: MakeSite) -> None:
    """It is refused before anything is built, by name and never by value."""
    site = make_site(environment={"DOIT_FLEET_SECRET_TOKEN": "t0ps3cret"})
    site.write("Dockerfile", "ARG BASE\nFROM $BASE\n")
    site.write(
        "fleet.toml",
        '[images.base_step]\ndockerfile = "Dockerfile"\narguments = { TOKEN = { secret = "token" } }\n',
    )

    done = site.fleet("push")

    assert done.returncode == 3
    assert "'TOKEN'" in done.stdout and "t0ps3cret" not in done.stdout


def test_without_a_daemon_the_way_out_is_told(make_site: MakeSite) -> None:
    """Only who wants Dockerfiles built needs one."""
    site = make_site(settings=("images.builder=docker",))

    done = site.fleet("push")

    assert done.returncode == 2
    assert "Docker daemon" in done.stdout and "DOCKER_HOST" in done.stdout


def test_a_base_that_only_the_daemon_has_goes_to_our_registry_first(
    make_site: MakeSite, docker_engine: DockerEngine, base_image: str
) -> None:
    """Such an image is named as users name it, and pushed once."""
    name = "e-images-only-here:1"
    docker_engine.client.images.pull(base_image)
    docker_engine.client.images.get(base_image).tag(name)
    site = make_site(daemon=docker_engine.host)
    site.base = name
    try:
        said = site.push()
        again = site.push()
    finally:
        docker_engine.client.images.remove(name)

    assert f"pushing base image {name}" in said
    assert "pushing base image" not in again and "push is up to date" in again
