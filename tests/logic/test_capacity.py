"""How many worker pods fit now: as the scheduler counts, node by node, and within quotas."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.logic.capacity import MOST, Seen, Wanted, fit
from pipeline.logic.node_selection import why_not
from pipeline.logic.pod_requests import limits_of, requests_of
from pipeline.logic.quota_room import counts
from pipeline.model.kubernetes_quantities import MILLI, ONE, format_quantity, parse_quantity

GIB = 2**30 * ONE


def node(name: str = "a", *, cpu: str = "4", memory: str = "8Gi", pods: str = "110", **spec: Any) -> dict[str, Any]:
    """A node that is ready."""
    return {
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name, "size": "7"}},
        "spec": spec,
        "status": {
            "allocatable": {"cpu": cpu, "memory": memory, "pods": pods},
            "conditions": [{"type": "Ready", "status": "True"}],
        },
    }


def container(cpu: str = "1", memory: str = "1Gi", **more: Any) -> dict[str, Any]:
    """A container, or init container, that asks for this."""
    return {"name": "c", "resources": {"requests": {"cpu": cpu, "memory": memory}}, **more}


def pod(cpu: str = "1", memory: str = "1Gi", *, phase: str = "", **spec: Any) -> dict[str, Any]:
    """A pod of one container."""
    whole = {"containers": [container(cpu, memory)], **spec}
    return {"metadata": {"name": "p"}, "spec": whole, "status": {"phase": phase or "Running"}}


def quota(hard: dict[str, str], used: dict[str, str] | None = None, **spec: Any) -> dict[str, Any]:
    """A quota as it stands."""
    return {"metadata": {"name": "q"}, "spec": {"hard": hard, **spec}, "status": {"hard": hard, "used": used or {}}}


def fitting(seen: Seen, asked: Mapping[str, Any], **more: Any) -> int | None:
    """How many of one pool fit."""
    return fit(seen, [Wanted(pool="p", pod=asked, **more)])["p"].count


@pytest.mark.parametrize(
    ("text", "worth"),
    [
        ("250m", Fraction(1, 4)),
        ("2Gi", 2**31),
        ("1e3", 1000),
        ("1E", 10**18),
        ("1E3", 1000),
        ("1.5Ki", 1536),
        (".5", Fraction(1, 2)),
        ("5.", 5),
        ("-1", -1),
        ("12e-3", Fraction(12, 1000)),
        ("100u", Fraction(1, 10**4)),
        ("1n", Fraction(1, 10**9)),
        (3, 3),
    ],
)
def test_quantities_are_read_as_kubernetes_writes_them(text: str, worth: Fraction) -> None:
    """Every suffix, and exponents that look like one."""
    assert parse_quantity(text) == worth * ONE


@pytest.mark.parametrize("text", ["", ".", "1gi", "Gi", "1 Gi", "1e", "--1", "1K", "0x1", "1.2.3", "١"])
def test_what_is_no_quantity_is_refused(text: str) -> None:
    """Nothing is guessed."""
    with pytest.raises(ValueError, match="is no quantity"):
        parse_quantity(text)


def test_what_is_finer_than_a_billionth_is_rounded_up() -> None:
    """As the API server does."""
    assert parse_quantity("0.1n") == 1


def test_amounts_are_written_for_people() -> None:
    """Memory with its unit, processors with their fractions."""
    assert format_quantity("requests.memory", parse_quantity("1536Mi")) == "1.5Gi"
    assert format_quantity("cpu", parse_quantity("250m")) == "0.25"


@pytest.mark.parametrize(
    ("init", "cpu"),
    [
        ([], 2),
        ([container("5")], 5),  # A step that needs more than all that follows.
        ([container("3", restartPolicy="Always")], 5),  # A sidecar stays.
        ([container("3", restartPolicy="Always"), container("4")], 7),  # A step beside a sidecar.
        ([container("4"), container("3", restartPolicy="Always")], 5),  # A step before it.
    ],
)
def test_init_steps_and_sidecars_count_as_for_the_scheduler(init: list[dict[str, Any]], cpu: int) -> None:
    """The largest that is ever there at once."""
    asked = {"spec": {"containers": [container("2")], "initContainers": init}}
    assert requests_of(asked)["cpu"] == cpu * ONE


def test_overhead_and_what_a_pod_asks_for_as_a_whole_count() -> None:
    """The whole stands instead of the sum of containers."""
    whole = {"requests": {"cpu": "3"}}
    asked = {"spec": {"containers": [container("1")], "resources": whole, "overhead": {"cpu": "100m", "memory": "1Gi"}}}
    assert requests_of(asked) == {"cpu": 3 * ONE + 100 * MILLI, "memory": 2 * GIB, "pods": ONE}


def test_a_missing_request_is_its_limit() -> None:
    """As the API server fills it in; a limit has overhead only where there is one."""
    only = {"name": "c", "resources": {"limits": {"memory": "1Gi"}}}
    asked = {"spec": {"containers": [only], "overhead": {"cpu": "1"}}}
    assert requests_of(asked)["memory"] == GIB
    assert limits_of(asked) == {"memory": GIB}


@pytest.mark.parametrize(("refused", "cpu"), [(False, 4), (True, 3)])
def test_a_pod_that_is_resized_counts_with_what_it_has(refused: bool, cpu: int) -> None:
    """The larger of both, unless its node has refused for good."""
    there = pod("4")
    there["status"]["containerStatuses"] = [{"name": "c", "allocatedResources": {"cpu": "3"}}]
    reason = {"type": "PodResizePending", "reason": "Infeasible" if refused else "Deferred"}
    there["status"]["conditions"] = [reason]
    assert requests_of(there)["cpu"] == cpu * ONE


@given(
    nodes=st.lists(st.tuples(st.integers(0, 8000), st.integers(0, 64), st.integers(0, 12)), max_size=6),
    asked=st.tuples(st.integers(1, 3000), st.integers(1, 20)),
    used=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3000), st.integers(0, 20)), max_size=8),
)
def test_equal_pods_fit_as_often_as_each_node_has_room(
    nodes: list[tuple[int, int, int]], asked: tuple[int, int], used: list[tuple[int, int, int]]
) -> None:
    """Per node the scarcest of processors, memory and pod slots, never from the total."""
    names = [str(number) for number in range(len(nodes))]
    there = [
        node(name, cpu=f"{cpu}m", memory=f"{memory}Gi", pods=str(pods))
        for name, (cpu, memory, pods) in zip(names, nodes, strict=True)
    ]
    running = [pod(f"{cpu}m", f"{memory}Gi", nodeName=str(at)) for at, cpu, memory in used if at < len(nodes)]
    expected = 0
    for name, (cpu, memory, pods) in zip(names, nodes, strict=True):
        own = [(c, m) for at, c, m in used if str(at) == name]
        free = (cpu - sum(c for c, _ in own), memory - sum(m for _, m in own), pods - len(own))
        expected += max(0, min(free[0] // asked[0], free[1] // asked[1], free[2]))
    assert fitting(Seen(nodes=there, pods=running), pod(f"{asked[0]}m", f"{asked[1]}Gi")) == expected


@given(
    sizes=st.lists(st.tuples(st.integers(1, 4), st.integers(1, 4), st.none() | st.integers(0, 5)), max_size=4),
    nodes=st.lists(st.integers(0, 9), max_size=4),
    beside=st.integers(0, 2),
    bound=st.integers(0, 12),
)
def test_pools_never_get_more_than_there_is(
    sizes: list[tuple[int, int, int | None]], nodes: list[int], beside: int, bound: int
) -> None:
    """Together, with what their tests make, in nodes and in the quota; and each shares until nothing fits any more."""
    pools = [
        Wanted(pool=str(at), pod=pod(str(cpu), f"{memory}Gi"), most=most, beside={"cpu": beside * ONE})
        for at, (cpu, memory, most) in enumerate(sizes)
    ]
    there = [node(str(at), cpu=str(cpu), memory=f"{cpu}Gi") for at, cpu in enumerate(nodes)]
    found = fit(Seen(nodes=there, quotas=[quota({"requests.cpu": str(bound)})]), pools)
    autos = [(one, sizes[at][0], found[one.pool].count or 0) for at, one in enumerate(pools) if one.most is None]
    assert all(found[one.pool].count == one.most for one in pools if one.most is not None)
    used = sum(count * (cpu + beside) for _, cpu, count in autos)
    assert used <= min(bound, sum(nodes))
    for one, cpu, _ in autos:  # Nothing else fits, or the others' pods are counted wrongly.
        alone = fitting(Seen(nodes=there, quotas=[quota({"requests.cpu": str(bound)})]), one.pod, beside=one.beside)
        assert (found[one.pool].count or 0) <= (alone or 0)
        assert len(autos) > 1 or any(each[2] for each in sizes) or found[one.pool].count == alone
        assert cpu > 0


def test_pools_take_turns() -> None:
    """A second pool is not starved by the first."""
    pools = [Wanted(pool="a", pod=pod()), Wanted(pool="b", pod=pod())]
    assert {name: one.count for name, one in fit(Seen(nodes=[node(cpu="5")]), pools).items()} == {"a": 3, "b": 2}


def test_a_pool_with_a_number_comes_first_and_keeps_it() -> None:
    """And says how many of them fit."""
    pools = [Wanted(pool="a", pod=pod()), Wanted(pool="b", pod=pod(), most=9)]
    found = fit(Seen(nodes=[node(cpu="5")]), pools)
    assert (found["a"].count, found["b"].count) == (0, 9)
    assert found["b"].text.startswith("5 of them fit now (cpu 1, memory 1Gi): of 1 nodes 1: too little cpu left")


def test_pods_that_have_ended_take_nothing() -> None:
    """Their objects are still there."""
    ended = [pod("4", phase=phase, nodeName="a") for phase in ("Succeeded", "Failed")]
    assert fitting(Seen(nodes=[node()], pods=ended), pod()) == 4
    assert fitting(Seen(nodes=[node()], pods=[pod("4", phase="Pending", nodeName="a")]), pod()) == 0


def test_pods_that_wait_for_the_scheduler_come_first() -> None:
    """If they fit anywhere; one that fits nowhere, is gated or is deleted takes nothing."""
    gated = pod("2", schedulingGates=[{"name": "kueue"}])
    gone = pod("2")
    gone["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert fitting(Seen(nodes=[node()], pods=[pod("2"), pod("64"), gated, gone]), pod()) == 2


def test_a_reserve_is_left_alone_on_each_node() -> None:
    """In every resource it names."""
    pools = [Wanted(pool="p", pod=pod())]
    assert fit(Seen(nodes=[node("a"), node("b")]), pools, {"cpu": ONE})["p"].count == 6


@pytest.mark.parametrize(
    ("spec", "there", "reason"),
    [
        ({}, {"unschedulable": True}, "cordoned"),
        ({}, {"taints": [{"key": "gpu", "value": "yes", "effect": "NoSchedule"}]}, "taint gpu=yes:NoSchedule"),
        ({}, {"taints": [{"key": "gpu", "effect": "NoExecute"}]}, "taint gpu:NoExecute"),
        ({}, {"taints": [{"key": "gpu", "effect": "PreferNoSchedule"}]}, ""),
        (
            {"tolerations": [{"key": "gpu", "value": "yes"}]},
            {"taints": [{"key": "gpu", "value": "yes", "effect": "NoSchedule"}]},
            "",
        ),
        (
            {"tolerations": [{"key": "gpu", "value": "no"}]},
            {"taints": [{"key": "gpu", "value": "yes", "effect": "NoSchedule"}]},
            "taint",
        ),
        (
            {"tolerations": [{"key": "gpu", "operator": "Exists", "effect": "NoExecute"}]},
            {"taints": [{"key": "gpu", "effect": "NoSchedule"}]},
            "taint",
        ),
        ({"tolerations": [{"operator": "Exists"}]}, {"unschedulable": True}, ""),
        ({"nodeSelector": {"size": "7"}}, {}, ""),
        ({"nodeSelector": {"size": "8"}}, {}, "not among"),
        ({"nodeName": "b"}, {}, "not among"),
    ],
)
def test_nodes_are_left_out_as_by_the_scheduler(spec: dict[str, Any], there: dict[str, Any], reason: str) -> None:
    """By taints, cordons and selectors."""
    found = why_not(pod(**spec)["spec"], node(**there))
    assert found.startswith(reason) and bool(found) is bool(reason)


@pytest.mark.parametrize(
    ("terms", "selects"),
    [
        ([], False),
        ([{}], False),
        ([{"matchExpressions": [{"key": "size", "operator": "In", "values": ["6", "7"]}]}], True),
        ([{"matchExpressions": [{"key": "size", "operator": "NotIn", "values": ["7"]}]}], False),
        ([{"matchExpressions": [{"key": "none", "operator": "NotIn", "values": ["7"]}]}], True),
        ([{"matchExpressions": [{"key": "size", "operator": "Exists"}]}], True),
        ([{"matchExpressions": [{"key": "size", "operator": "DoesNotExist"}]}], False),
        ([{"matchExpressions": [{"key": "size", "operator": "Gt", "values": ["6"]}]}], True),
        ([{"matchExpressions": [{"key": "size", "operator": "Lt", "values": ["7"]}]}], False),
        ([{"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "Gt", "values": ["1"]}]}], False),
        ([{"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["a"]}]}], True),
        ([{"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["b"]}]}, {}], False),
        (
            [
                {"matchExpressions": [{"key": "none", "operator": "Exists"}]},
                {"matchExpressions": [{"key": "size", "operator": "Exists"}]},
            ],
            True,
        ),
    ],
)
def test_required_node_affinity_selects(terms: list[dict[str, Any]], selects: bool) -> None:
    """Any term, all of its expressions."""
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}
    assert (why_not(pod(affinity={"nodeAffinity": required})["spec"], node()) == "") is selects


def test_a_node_that_is_not_ready_takes_nothing() -> None:
    """Whatever it has."""
    lost = node()
    lost["status"]["conditions"] = [{"type": "Ready", "status": "Unknown"}]
    found = fit(Seen(nodes=[lost]), [Wanted(pool="p", pod=pod())])["p"]
    assert (found.count, found.text) == (0, "none of cpu 1, memory 1Gi fits now; of 1 nodes 1: not ready")


@pytest.mark.parametrize(
    ("hard", "used", "count"),
    [
        ({"requests.cpu": "5"}, {"requests.cpu": "2"}, 3),
        ({"cpu": "2500m"}, {}, 2),
        ({"pods": "3"}, {"pods": "2"}, 1),
        ({"count/jobs.batch": "2"}, {}, 2),
        ({"requests.memory": "2Gi", "requests.cpu": "100"}, {}, 2),
        ({"limits.cpu": "1"}, {}, 4),  # The pod has no limit.
        ({"pods": "1"}, {"pods": "4"}, 0),
        ({"configmaps": "0"}, {}, 4),
    ],
)
def test_quotas_bound(hard: dict[str, str], used: dict[str, str], count: int) -> None:
    """By every name a resource has in them."""
    assert fitting(Seen(nodes=[node()], quotas=[quota(hard, used)]), pod()) == count


def test_one_job_of_all_workers_takes_one() -> None:
    """So it does not bound."""
    assert fitting(Seen(nodes=[node()], quotas=[quota({"count/jobs.batch": "1"})]), pod(), jobs=0) == 4


@pytest.mark.parametrize(
    ("scope", "spec", "does"),
    [
        ({"scopes": ["NotTerminating"]}, {}, True),
        ({"scopes": ["Terminating"]}, {}, False),
        ({"scopes": ["Terminating"]}, {"activeDeadlineSeconds": 5}, True),
        ({"scopes": ["BestEffort"]}, {}, False),
        ({"scopes": ["NotBestEffort", "NotTerminating"]}, {}, True),
        ({"scopes": ["CrossNamespacePodAffinity"]}, {}, False),
        (
            {
                "scopeSelector": {
                    "matchExpressions": [{"scopeName": "PriorityClass", "operator": "In", "values": ["low"]}]
                }
            },
            {"priorityClassName": "low"},
            True,
        ),
        (
            {"scopeSelector": {"matchExpressions": [{"scopeName": "PriorityClass", "operator": "Exists"}]}},
            {},
            False,
        ),
    ],
)
def test_a_quota_counts_only_pods_of_its_scopes(scope: dict[str, Any], spec: dict[str, Any], does: bool) -> None:
    """All scopes must hold."""
    assert counts(quota({"pods": "0"}, **scope), pod(**spec)["spec"]) is does
    assert fitting(Seen(nodes=[node()], quotas=[quota({"pods": "0"}, **scope)]), pod(**spec)) == (0 if does else 4)


def test_what_tests_make_outside_their_pods_counts() -> None:
    """On all nodes together: a worker's pod fits here, its tests' objects there."""
    there = [node("a", cpu="2"), node("b", cpu="2")]
    found = fit(Seen(nodes=there), [Wanted(pool="p", pod=pod(), beside={"cpu": 3 * ONE})])["p"]
    assert found.count == 1
    assert "too little cpu left on all nodes for what tests make" in found.text


def test_without_nodes_quotas_alone_decide() -> None:
    """Without quotas nothing does."""
    wanted = [Wanted(pool="p", pod=pod())]
    assert fit(Seen(nodes=None, quotas=[quota({"pods": "7"})]), wanted)["p"].count == 7
    assert fit(Seen(nodes=None, quotas=[quota({"configmaps": "7"})]), wanted)["p"].count is None


def test_huge_clusters_are_counted_to_an_end() -> None:
    """Nobody wants so many."""
    assert fitting(Seen(nodes=[node(cpu="1M", memory="1Pi", pods="1M")]), pod()) == MOST
