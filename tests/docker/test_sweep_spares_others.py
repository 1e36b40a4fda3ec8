"""Many projects share a daemon: sweeping one of them removes nothing of another."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from attrs import define

from tests.docker.house import DockerProject

pytestmark = pytest.mark.timeout(240)


@define
class Left:
    """Containers that somebody has left, by what they are."""

    ids: dict[str, str]


@pytest.fixture
def left(project: DockerProject) -> Iterator[Left]:
    """One of this project's store, one of another store, one of another program; none of them runs."""
    project.sleepers(files=1, count=1, seconds=1)
    running = project.start()
    running.until_begun(1)
    (worker,) = project.containers()[:1]
    labels = dict(worker.labels)
    assert running.end() == 0, running.output
    kinds = {
        "ours": {**labels, "doit-fleet.run": "gone-1", "doit-fleet.project": "x"},
        "another store's": {**labels, "doit-fleet.store": "0" * 16, "doit-fleet.project": "x"},
        "another program's": {"doit-fleet.run": labels["doit-fleet.run"]},
    }
    api = project.client.api
    made = {
        kind: api.create_container(project.base, command=["true"], labels=given)["Id"] for kind, given in kinds.items()
    }
    yield Left(made)
    for one in made.values():
        if api.containers(all=True, filters={"id": one}):
            api.remove_container(one, force=True)


def test_only_containers_of_its_own_store_are_removed(project: DockerProject, left: Left) -> None:
    """A container of a run that this store does not have goes; those that other stores or programs made stay."""
    sweep = project.start("sweep", "--all")
    assert sweep.end() == 0, sweep.output

    api = project.client.api
    there = {kind for kind, one in left.ids.items() if api.containers(all=True, filters={"id": one})}
    assert there == {"another store's", "another program's"}
