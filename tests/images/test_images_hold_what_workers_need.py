"""What is in a worker's image, and what its config says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.engines.fixtures import DockerEngine
from tests.images.conftest import MakeSite

pytestmark = pytest.mark.timeout(180)


def test_each_worker_has_the_shared_layers_and_a_bucket_of_its_own(make_site: MakeSite, tmp_path: Path) -> None:
    """All layers but the last are the same for all workers; the last names plan and bucket and lists its tests."""
    site = make_site()

    site.push()

    first, second = site.image(0), site.image(1)
    assert first.layers[:-1] == second.layers[:-1]
    assert first.layers[-1] != second.layers[-1]
    files = site.files(first, tmp_path)
    assert {"project/shop.py", "project/tests/test_cart.py", "opt/doit-fleet/worker"} <= set(files)
    assert {"opt/doit-fleet/bucket/bucket.json", "opt/doit-fleet/bucket/test-group-0"} <= set(files)
    plan = json.loads((site.root / "build/group/plan.json").read_text("utf-8"))["digest"]
    assert first.config["config"]["Labels"]["doit-fleet.plan"] == plan


def test_files_belong_to_nobody_in_particular_and_the_group_may_write_them(make_site: MakeSite, tmp_path: Path) -> None:
    """Owner 65532, group 0 with the owner's rights; programs stay programs."""
    site = make_site()
    site.push()

    files = site.files(site.image(), tmp_path)

    ours = [entry for name, entry in files.items() if name.startswith(("project", "opt/doit-fleet"))]
    assert {(entry.uid, entry.gid) for entry in ours} == {(65532, 0)}
    assert all((entry.mode >> 6) & 7 == (entry.mode >> 3) & 7 for entry in ours if not entry.issym())
    assert files["project/data/tool.sh"].mode & 0o111
    assert not files["project/shop.py"].mode & 0o111


def test_only_tracked_and_unignored_files_enter(make_site: MakeSite, tmp_path: Path) -> None:
    """Neither our state nor our build, nor what looks like a secret, unless it is named; and it is said what stays out."""
    site = make_site(settings=("images.include=secrets/known.pem", "images.exclude=docs"))
    for name in (".env", "config/id_rsa", "secrets/known.pem", "docs/notes.md", "sample.env.example"):
        site.write(name, "content\n")

    said = site.push()

    names = {
        name.removeprefix("project/") for name in site.files(site.image(), tmp_path) if name.startswith("project/")
    }
    assert {"secrets/known.pem", "sample.env.example"} <= names
    assert not {".env", "config/id_rsa", "docs/notes.md"} & names
    assert not [name for name in names if name.startswith((".fleet", "build", ".git/"))]
    assert "left out of the images, for they look like secrets: .env, config/id_rsa" in said


def test_in_mode_shared_one_image_holds_all_buckets(make_site: MakeSite, tmp_path: Path) -> None:
    """Every worker is started from the same image."""
    site = make_site(settings=("images.mode=shared",))

    site.push()

    assert len(site.pushed.by_slot) == 2 and len(set(site.pushed.by_slot)) == 1
    assert {"opt/doit-fleet/bucket/test-group-0", "opt/doit-fleet/bucket/test-group-1"} <= set(
        site.files(site.image(), tmp_path)
    )


def test_a_container_of_the_image_starts_our_program(make_site: MakeSite, docker_engine: DockerEngine) -> None:
    """As another user, with a read-only root: the runtime runs, and says what it misses; the project's own Python starts."""
    site = make_site(daemon=docker_engine.host)
    site.push()
    name = site.pushed.by_slot[0]
    docker_engine.client.images.pull(name)

    container = docker_engine.client.containers.create(name, user="12345:0", read_only=True)
    try:
        container.start()
        status = container.wait(timeout=60)["StatusCode"]
        said = container.logs().decode()
    finally:
        container.remove(force=True)

    assert "DOIT_FLEET_WORKER is not set" in said
    assert status == 64


def test_no_launcher_that_runs_images_no_tasks_for_them(make_site: MakeSite) -> None:
    """With local workers there is no `push`; with docker's there are `base`, `image` and `push`."""
    site = make_site()

    local = site.fleet("push", "workers.launcher=local")
    listed = site.fleet("list", "-q").stdout.split()

    assert local.returncode == 3 and "there is no task 'push'" in local.stdout
    assert {"base", "image", "push"} <= set(listed)


def test_without_a_registry_the_way_out_is_told(make_site: MakeSite) -> None:
    """A missing `registry.url` is exit 3, with what to write."""
    done = make_site().fleet("push", "registry.url=")

    assert done.returncode == 3
    assert "registry.url" in done.stdout and "docker login" in done.stdout


def test_one_image_can_be_made_and_sent_alone(make_site: MakeSite) -> None:
    """`push:1` makes and sends the second worker's image only."""
    site = make_site()

    done = site.fleet("-v2", "push:1")

    assert done.returncode == 0, done.stdout
    assert [path.name for path in (site.root / "build/image").iterdir()] == ["1"]
