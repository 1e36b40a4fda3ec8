"""Which file of a distribution is installed: the wheel whose tags the target likes best, else the source."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from pipeline.logic.target_platform import tags
from pipeline.model.dependencies import Artifact, Target

if TYPE_CHECKING:
    from packaging.tags import Tag

SOURCES = (".tar.gz", ".zip", ".tar.bz2", ".tar.xz")


def choose(artifacts: Iterable[Artifact], target: Target) -> Artifact | None:
    """The wheel that fits best, else a source distribution, else None. Names that are no file of a release count not."""
    found = list(artifacts)
    order = {tag: rank for rank, tag in enumerate(tags(target))}
    wheels = [(rank, one.filename, one) for one in found if (rank := _rank(one, order)) is not None]
    if wheels:
        return min(wheels)[2]
    sources = [one for one in found if one.filename.endswith(SOURCES)]
    return min(sources, key=lambda one: (SOURCES.index(_ending(one)), one.filename)) if sources else None


def _rank(artifact: Artifact, order: Mapping[Tag, int]) -> tuple[int, tuple[int, str]] | None:
    """Place in the order of tags; among equals the higher build number wins."""
    from packaging.utils import InvalidWheelFilename, parse_wheel_filename

    if not artifact.is_wheel:
        return None
    try:
        _, _, build, offered = parse_wheel_filename(artifact.filename)
    except InvalidWheelFilename:
        return None
    ranks = [order[tag] for tag in offered if tag in order]
    number = (-build[0], build[1]) if build else (1, "")
    return (min(ranks), number) if ranks else None


def _ending(artifact: Artifact) -> str:
    return next(ending for ending in SOURCES if artifact.filename.endswith(ending))
