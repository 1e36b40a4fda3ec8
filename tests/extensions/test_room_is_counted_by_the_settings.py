"""`workers.count = "auto"` in a cluster: what settings say of pods, of reserves and of objects beside them is counted with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen

from extensions import room
from extensions.fleet import Fleet
from extensions.room import UNSEEN, Room
from pipeline.adapters import kubernetes_capacity
from pipeline.adapters.kubernetes_errors import ClusterUnreachable
from pipeline.logic.capacity import Seen
from pipeline.logic.demand import demand

Look = Callable[..., None]
ARGUMENTS = {"store.url": "s3://bucket/fleet", "workers.memory": "1Gi"}
POOLS = """\
suites.one.objects.cpus = 2
suites.other.paths = []
suites.elsewhere = { objects.cpus = 8, pool = "big" }
pools.big = { cpus = 3, count = 1 }
"""


@frozen
class Suite:
    """As far as room is concerned."""

    name: str
    pool: str = "default"


def node(cpu: str = "8") -> dict[str, Any]:
    """With room."""
    told = {"allocatable": {"cpu": cpu, "memory": "64Gi", "pods": "110"}}
    return {
        "metadata": {"name": "a"},
        "spec": {},
        "status": {**told, "conditions": [{"type": "Ready", "status": "True"}]},
    }


@pytest.fixture
def look(monkeypatch: pytest.MonkeyPatch) -> Look:
    """Lets a cluster look like this, with what may not be seen."""

    @contextmanager
    def cluster(_: Fleet) -> Iterator[tuple[None, str]]:
        yield None, "ci"

    monkeypatch.setattr(room, "cluster", cluster)

    def look(seen: Seen, unseen: str = "") -> None:
        def see(api: object, namespace: str, tell: Callable[[str], None]) -> Seen:
            assert namespace == "ci"
            if unseen:
                tell(unseen)
            return seen

        monkeypatch.setattr(kubernetes_capacity, "see", see)

    return look


def fleet(root: Path, **arguments: str) -> Fleet:
    """Settings for pods."""
    dotted = {name.replace("__", "."): value for name, value in arguments.items()}
    made = Fleet.build(root, environment={}, arguments={**ARGUMENTS, **dotted}, home=root)
    made.check()
    return made


def size(tmp_path: Path, **arguments: str) -> tuple[int, str]:
    """Of the default pool."""
    return Room(fleet(tmp_path, **arguments), [Suite("pytest")]).sizes({"default": "auto"})["default"]  # type: ignore[list-item]


@pytest.mark.parametrize(
    ("arguments", "count"),
    [
        ({}, 8),
        ({"workers__cpus": "2"}, 4),
        ({"workers__cpus": "2", "kubernetes__cpu_request": "0.5"}, 16),
        ({"workers__memory": "30Gi"}, 2),
        ({"kubernetes__reserve__cpus": "2.5"}, 5),
        ({"kubernetes__reserve__memory": "61Gi"}, 3),
        ({"kubernetes__reserve__pods": "107"}, 3),
        ({"suites__pytest__objects__cpus": "3"}, 2),
        ({"suites__pytest__objects__memory": "31Gi"}, 2),
        ({"kubernetes__node_selector": '{disk = "ssd"}'}, 1),
    ],
)
def test_what_settings_say_is_counted_with(tmp_path: Path, look: Look, arguments: dict[str, str], count: int) -> None:
    """Size of the pods, what is reserved on nodes, what tests make beside, where pods may run."""
    look(Seen(nodes=[node()]))
    assert size(tmp_path, **arguments)[0] == count


@pytest.mark.parametrize(("which", "count"), [("peak", 2), ("average", 4)])
def test_of_several_suites_one_says_how_much_counts(tmp_path: Path, look: Look, which: str, count: int) -> None:
    """The one that needs most, or the mean of all in the pool."""
    look(Seen(nodes=[node()]))
    (tmp_path / "fleet.toml").write_text(POOLS, "utf-8")
    made = fleet(tmp_path, kubernetes__demand=which)
    suites: Any = [Suite("one"), Suite("other"), Suite("elsewhere", "big")]
    assert Room(made, suites).sizes({"default": "auto"})["default"][0] == count


def test_demand_is_rounded_up_and_counts_suites_without_any() -> None:
    """Each resource by itself."""
    suites = [{"cpu": 3}, {}, {"cpu": 1, "memory": 6}]
    assert demand(suites, is_average=True) == {"cpu": 2, "memory": 2}
    assert demand(suites, is_average=False) == {"cpu": 3, "memory": 6}
    assert demand([], is_average=True) == {}


def test_a_number_stands_and_takes_its_room_first(tmp_path: Path, look: Look) -> None:
    """Others get what is left."""
    look(Seen(nodes=[node()]))
    (tmp_path / "fleet.toml").write_text(POOLS, "utf-8")
    made = fleet(tmp_path)
    sizes = Room(made, []).sizes({"default": "auto", "big": 2})
    assert (sizes["default"][0], sizes["big"]) == (2, (2, ""))


def test_nothing_that_fits_is_one_for_the_cluster_to_decide(tmp_path: Path, look: Look) -> None:
    """With the reason."""
    look(Seen(nodes=[node(cpu="500m")]))
    count, why = size(tmp_path)
    assert count == 1
    assert why == (
        "none of cpu 1, memory 1Gi fits now; of 1 nodes 1: too little cpu left; one waits for room, the cluster decides"
    )


def test_a_missing_right_is_told_with_the_way_out(tmp_path: Path, look: Look) -> None:
    """Quotas alone, or a few where there are none."""
    quota = {"metadata": {"name": "q"}, "spec": {}, "status": {"hard": {"pods": "3"}, "used": {}}}
    look(Seen(nodes=None, quotas=[quota]), "cannot list nodes")
    count, why = size(tmp_path)
    assert count == 3
    assert "cannot list nodes" in why and "workers.count" in why and "ClusterRole" in why
    look(Seen(nodes=None), "cannot list nodes")
    count, why = size(tmp_path)
    assert count == UNSEEN and "nothing that can be seen bounds" in why and "workers.count" in why


def test_a_cluster_that_does_not_answer_is_no_end(tmp_path: Path, look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be back when workers are started."""

    def see(*_: object) -> Seen:
        raise ClusterUnreachable("away")

    monkeypatch.setattr(kubernetes_capacity, "see", see)
    (tmp_path / "fleet.toml").write_text(POOLS, "utf-8")
    made = Room(fleet(tmp_path), [])
    assert made.sizes({"default": "auto", "big": 7})["big"] == (7, "")
    count, why = made.sizes({"default": "auto"})["default"]
    assert count == UNSEEN and "away" in why


def test_what_more_fits_is_asked_of_pools_that_may_grow(tmp_path: Path, look: Look) -> None:
    """Pods of the run are among those that are there."""
    running = {
        "metadata": {"name": "p"},
        "spec": {"nodeName": "a", "containers": [{"name": "c", "resources": {"requests": {"cpu": "5"}}}]},
        "status": {"phase": "Running"},
    }
    look(Seen(nodes=[node()], pods=[running]))
    assert Room(fleet(tmp_path), []).more(["default"]) == {"default": 3}
    look(Seen(nodes=None))
    assert Room(fleet(tmp_path), []).more(["default"]) == {"default": 0}
