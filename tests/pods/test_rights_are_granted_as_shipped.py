"""The rights that code names are those that the manifests in `deploy/` grant, no more and no fewer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from pipeline.launchers.kubernetes.rights import CAPACITY, NEEDED, Right, manifest_of, needed_rights

DEPLOY = Path(__file__).parents[2] / "deploy" / "kubernetes"


def granted(rules: list[dict[str, Any]]) -> set[tuple[str, str, str]]:
    """(group, resource, verb) of all rules."""
    return {
        (group, resource, verb)
        for rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def wanted(rights: tuple[Right, ...]) -> set[tuple[str, str, str]]:
    """The same of rights."""
    return set().union(*(granted([right.rule]) for right in rights))


@pytest.mark.parametrize(
    ("file", "kind", "rights"), [("role.yaml", "Role", NEEDED), ("capacity.yaml", "ClusterRole", CAPACITY)]
)
def test_manifests_grant_what_code_names(file: str, kind: str, rights: tuple[Right, ...]) -> None:
    """Nothing else, and no wildcard."""
    objects = {each["kind"]: each for each in yaml.safe_load_all((DEPLOY / file).read_text("utf-8"))}

    assert granted(objects[kind]["rules"]) == wanted(rights)
    assert "*" not in str(objects[kind]["rules"])
    assert objects[f"{kind}Binding"]["roleRef"]["name"] == objects[kind]["metadata"]["name"]


def test_the_printed_manifest_is_the_shipped_one() -> None:
    """But for how rules are grouped, and rules of the user's own kinds."""
    shipped = {each["kind"]: each for each in yaml.safe_load_all((DEPLOY / "role.yaml").read_text("utf-8"))}
    printed = {each["kind"]: each for each in manifest_of(needed_rights())["items"]}
    swept = manifest_of(needed_rights(["acme.io/v1/databases"]))["items"][1]["rules"]

    assert granted(printed["Role"].pop("rules")) == granted(shipped["Role"].pop("rules"))
    assert printed == shipped
    assert ("acme.io", "databases", "deletecollection") in granted(swept)


def test_rights_are_told_as_kubectl_takes_them() -> None:
    """So that anybody can try."""
    names = [right.name for right in needed_rights(["acme.io/v1/databases", "v1/configmaps"])]

    assert {"create jobs.batch", "get pods/log", "delete databases.acme.io", "deletecollection configmaps"} <= {*names}


def test_every_right_says_what_is_lost_without_it() -> None:
    """In words that follow "without it", and each right once."""
    assert all((right.why and right.why[0].islower()) or right.why.startswith("workers.") for right in NEEDED)
    assert len({right.name for right in NEEDED}) == len(NEEDED)
