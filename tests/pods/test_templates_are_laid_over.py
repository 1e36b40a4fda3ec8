"""The user's part of a pod template wins, field by field, and changes nothing else."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pipeline.launchers.kubernetes.jobs import job_of
from pipeline.launchers.kubernetes.overlay import laid_over, stacked
from tests.pods.given import IMAGE, PLACES, hiring, plain_terms

SCALARS = st.one_of(st.booleans(), st.integers(-5, 5), st.text("xyz", max_size=3))
WORDS = st.sampled_from(["a", "b", "c", "spec"])
NAMED = st.lists(
    st.dictionaries(st.sampled_from(["x", "y"]), SCALARS).flatmap(
        lambda item: st.sampled_from("pqr").map(lambda name: {"name": name, **item})
    ),
    max_size=3,
    unique_by=lambda item: item["name"],
)
TREES = st.recursive(
    st.one_of(SCALARS, st.lists(SCALARS, max_size=3)),
    lambda inner: (
        st.dictionaries(WORDS, inner, max_size=3) | st.fixed_dictionaries({"containers": NAMED, "env": NAMED})
    ),
    max_leaves=8,
)
MAPS = st.dictionaries(WORDS, TREES, max_size=3)


def is_in(over: Any, result: Any) -> bool:
    """Whether all that is said is so in the result."""
    if isinstance(over, dict):
        return isinstance(result, dict) and all(name in result and is_in(over[name], result[name]) for name in over)
    if isinstance(over, list) and over and all(isinstance(item, dict) for item in over):
        found = {item["name"]: item for item in result}
        return all(is_in(item, found[item["name"]]) for item in over)
    return bool(over == result) or over == []


@given(base=MAPS, over=MAPS)
def test_what_the_user_says_is_so(base: dict[str, Any], over: dict[str, Any]) -> None:
    """Whatever was there; laying it over again changes nothing, and what was given is not changed."""
    before = copy.deepcopy((base, over))

    result = laid_over(base, over)

    assert is_in(over, result)
    assert laid_over(result, over) == result
    assert (base, over) == before


@given(base=MAPS)
def test_nothing_laid_over_changes_nothing(base: dict[str, Any]) -> None:
    """Nor does a part that repeats what is there."""
    assert laid_over(base, {}) == base
    assert laid_over(base, base) == base


@given(base=MAPS, over=MAPS)
def test_what_the_user_does_not_name_stays(base: dict[str, Any], over: dict[str, Any]) -> None:
    """At the top; below it the same holds for each map."""
    result = laid_over(base, over)

    assert {name: value for name, value in result.items() if name not in over} == {
        name: value for name, value in base.items() if name not in over
    }


PATCHED = st.sampled_from([{}, {}, {}, {"$patch": "delete"}, {"$patch": "replace"}])
ITEMS = st.lists(
    st.tuples(st.sampled_from("pqr"), st.dictionaries(st.sampled_from(["x", "y"]), SCALARS), PATCHED).map(
        lambda told: {"name": told[0], **told[1], **told[2]}
    ),
    max_size=3,
    unique_by=lambda item: item["name"],
)
PARTS = st.recursive(
    SCALARS | st.none(),
    lambda inner: st.tuples(st.dictionaries(WORDS, inner, max_size=3), PATCHED, ITEMS).map(
        lambda told: {**told[0], **told[1], "env": told[2]}
    ),
    max_leaves=8,
)
PATCHES = st.dictionaries(WORDS, PARTS, max_size=3)


def in_order(value: Any) -> Any:
    """The same with items that have names in the order of these: one that was removed and comes again may be elsewhere."""
    if isinstance(value, dict):
        return {name: in_order(inner) for name, inner in value.items()}
    if isinstance(value, list) and all(isinstance(item, dict) for item in value):
        return sorted(map(in_order, value), key=lambda item: str(item["name"]))
    return value


@given(base=MAPS, lower=PATCHES, higher=PATCHES)
def test_parts_of_several_layers_become_one(
    base: dict[str, Any], lower: dict[str, Any], higher: dict[str, Any]
) -> None:
    """What holds for all pools, and a pool's own on top of it, act as one after the other would."""
    once, twice = laid_over(base, stacked(lower, higher)), laid_over(laid_over(base, lower), higher)

    assert in_order(once) == in_order(twice)


def spec_with(**spec: Any) -> dict[str, Any]:
    """A pod's spec with a template laid over it."""
    job = job_of(plain_terms(template={"spec": spec}), [hiring()], IMAGE, PLACES)
    found: dict[str, Any] = job["spec"]["template"]["spec"]
    return found


def test_containers_are_matched_by_name() -> None:
    """Ours is changed, another one is added behind it."""
    worker, proxy = spec_with(containers=[{"name": "proxy", "image": "p"}, {"name": "worker", "tty": True}])[
        "containers"
    ]

    assert (worker["name"], worker["tty"], worker["image"]) == ("worker", True, IMAGE)
    assert proxy == {"name": "proxy", "image": "p"}


def test_lists_within_containers_are_matched_by_their_keys() -> None:
    """Variables by name, mounts by path."""
    env = [{"name": "DOIT_FLEET_TERM", "value": "7"}, {"name": "LANG", "value": "C"}]
    mounts = [{"mountPath": "/tmp", "name": "mine"}]
    (worker,) = spec_with(containers=[{"name": "worker", "env": env, "volumeMounts": mounts}])["containers"]

    assert {"name": "DOIT_FLEET_TERM", "value": "7"} in worker["env"]
    assert worker["env"][-1] == {"name": "LANG", "value": "C"}
    assert {"mountPath": "/tmp", "name": "mine", "subPath": "tmp"} in worker["volumeMounts"]
    assert len([mount for mount in worker["volumeMounts"] if mount["mountPath"] == "/tmp"]) == 1


def test_other_lists_are_replaced() -> None:
    """Taints and commands mean what they say as a whole."""
    terms = plain_terms(tolerations=({"key": "a"},), template={"spec": {"tolerations": [{"key": "b"}]}})

    assert job_of(terms, [hiring()], IMAGE, PLACES)["spec"]["template"]["spec"]["tolerations"] == [{"key": "b"}]


def test_fields_and_items_can_be_removed_and_replaced() -> None:
    """By `$patch`, since TOML has no null; by None in dodo.py."""
    gone = {"$patch": "delete"}
    spec = spec_with(
        enableServiceLinks=None,
        securityContext={"seccompProfile": gone, "$patch": "replace", "runAsUser": 7},
        volumes=[{"name": "handed", "$patch": "delete"}],
        terminationGracePeriodSeconds=gone,
    )

    assert "enableServiceLinks" not in spec
    assert "terminationGracePeriodSeconds" not in spec
    assert spec["securityContext"] == {"runAsUser": 7, "seccompProfile": {}} or spec["securityContext"] == {
        "runAsUser": 7
    }
    assert "handed" not in [volume["name"] for volume in spec["volumes"]]
