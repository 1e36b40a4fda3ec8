"""What `sweep` does in the registry: removes images of runs that this agent has pushed and nobody needs any more.

Kept are the newest runs, the one whose images `build/push` names, and every run that is still open in the store. Runs of other agents
are theirs. Blobs go when the registry collects garbage.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pipeline.stages import push

if TYPE_CHECKING:
    from pipeline.stages.agent import Agent
    from pipeline.stages.imaging import Imaging

LEDGER = "pushed-runs"
"""Under this key: `[[repository, plan, digest of the index]…]`, oldest first."""


def note(imaging: Imaging, plan: str, index: str) -> None:
    """Remember that a run's images were pushed."""
    entry = [imaging.repository, plan, index]
    others = [one for one in pushed(imaging) if one != entry]
    imaging.layers.remember(LEDGER, json.dumps([*others, entry]))


def pushed(imaging: Imaging) -> list[list[str]]:
    """What was pushed, oldest first."""
    try:
        return [[str(part) for part in one] for one in json.loads(imaging.layers.recall(LEDGER) or "[]")]
    except (ValueError, TypeError):
        return []


def sweep_images(agent: Agent, imaging: Imaging, open_plans: frozenset[str]) -> tuple[list[str], dict[str, str]]:
    """(what was removed, why what had to stay stayed). Raises `EngineError` when the registry does not answer."""
    done = push.read(agent)
    current = done[0].index.partition("@")[2] if done else ""
    known = pushed(imaging)
    newest = known[-imaging.keep_runs :] if imaging.keep_runs else []
    stay = [one for one in known if one in newest or one[1] in open_plans or one[2] == current]
    needed = {child for repository, _, index in stay for child in imaging.registry.children(repository, index)}
    removed: list[str] = []
    kept: dict[str, str] = {}
    for repository, plan, index in [one for one in known if one not in stay]:
        if _remove(imaging, repository, index, needed):
            removed.append(f"{repository}:{push.TAG}{plan[:16]}")
        else:
            kept[f"images {repository}:{push.TAG}{plan[:16]}"] = "the registry does not let manifests be deleted"
            stay.append([repository, plan, index])
    imaging.layers.remember(LEDGER, json.dumps([one for one in known if one in stay]))
    return removed, kept


def _remove(imaging: Imaging, repository: str, index: str, needed: set[str]) -> bool:
    """Remove an index and the manifests that no other needs; whether it is gone."""
    children = imaging.registry.children(repository, index)
    is_gone = imaging.registry.delete_manifest(repository, index) or not imaging.registry.has_manifest(
        repository, index
    )
    for child in children if is_gone else ():
        if child not in needed:
            imaging.registry.delete_manifest(repository, child)
    return is_gone
