"""What is removed from the registry, what stays, and what `doctor` says of it all."""

from __future__ import annotations

import pytest

from pipeline.adapters.registry import HttpRegistry
from tests.engines.fixtures import DockerEngine
from tests.images.conftest import MakeSite

pytestmark = pytest.mark.timeout(180)


def test_sweep_leaves_the_newest_runs_and_says_what_it_removed(
    make_site: MakeSite, docker_engine: DockerEngine
) -> None:
    """Older runs' index and manifests are gone; the current run's images can still be pulled."""
    site = make_site(daemon=docker_engine.host, settings=("images.keep_runs=1",))
    site.push()
    old = site.pushed
    site.write("tests/test_new.py", "def test_new():\n    assert True\n")
    site.push()

    done = site.fleet("sweep")

    assert done.returncode == 0, done.stdout
    assert f"removed images {site.repository_url}:run-" in done.stdout
    client = HttpRegistry()
    assert not client.has_manifest(site.repository_url, old.index.partition("@")[2])
    assert [client.resolve(name) for name in old.by_slot] == [None, None]
    assert None not in [client.resolve(name) for name in site.pushed.by_slot]
    assert "removed images" not in site.fleet("sweep").stdout


def test_doctor_tries_the_registry_and_the_base_image(make_site: MakeSite) -> None:
    """Good ones are named with what they are; bad ones with the way out."""
    site = make_site()

    good = site.fleet("doctor").stdout
    bad = site.fleet("doctor", "registry.url=127.0.0.1:1/nobody").stdout

    assert f"ok   registry: {site.repository_url} can be pushed to" in good
    assert "ok   base image:" in good and "linux/amd64" in good
    assert "BAD  registry:" in bad
