"""`base`: the shared image of a run: base, dependencies, worker, tests. Made and pushed once for all workers.

Leaves `build/base/base.json`: `{image, places}`. Layers of ours are appended in the registry; a step with a Dockerfile is built
by the Docker daemon on the image of the step before. Does not depend on the plan.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import UntrustworthyRun
from pipeline.graph.catalog import Catalog
from pipeline.graph.task import Action, Digest, Handle, TaskSpec
from pipeline.stages.agent import Agent
from pipeline.stages.imaging import MakeImaging

if TYPE_CHECKING:
    from pipeline.model.images import Image, Places
    from pipeline.stages.imaging import Imaging, Shape

DOC = "make the image that all workers share: base, dependencies, worker, tests"


def register(catalog: Catalog, agent: Agent, imaging: MakeImaging, before: tuple[Handle, ...]) -> Handle:
    """Add the task, after `compile` (what cannot be compiled is not worth an image) and `artifacts`."""
    return catalog.add("base", lambda: _spec(agent, imaging, before), doc=DOC, exists=agent.runs_images)


def _spec(agent: Agent, imaging: MakeImaging, before: tuple[Handle, ...]) -> TaskSpec:
    """Raises `UsageError` when nobody has said where images go: before anything is fetched or collected."""
    _ = imaging().repository
    return TaskSpec(
        name="base",
        actions=(Action(make, {"agent": agent, "imaging": imaging}),),
        needs=before,
        digest=lambda: _digest(imaging()),
        lost=lambda: "" if _is_held(agent, imaging()) else "the registry does not hold it",
        targets=(output(agent),),
    )


def output(agent: Agent) -> Path:
    """The file this stage leaves."""
    return agent.build / "base" / "base.json"


def _digest(imaging: Imaging) -> Digest:
    shape = imaging.shape()
    return {
        "base image": shape.base.manifest.digest,
        "steps": {step.name: step.key for step in shape.steps},
        "config": hashlib.sha256(json.dumps(shape.changes, sort_keys=True).encode()).hexdigest(),
        "repository": imaging.repository,
    }


def _is_held(agent: Agent, imaging: Imaging) -> bool:
    """Whether the registry still has what was made; an index of a run on top of it answers for all that is below."""
    from pipeline.stages import push

    try:
        image, _ = read(agent)
    except UntrustworthyRun:
        return False
    done = push.read(agent)
    if done is not None and done[1] == image.manifest.digest:
        repository, _, digest = done[0].index.partition("@")
        return imaging.is_there(repository, digest)
    return imaging.is_there(image.repository, image.manifest.digest)


def make(agent: Agent, imaging: MakeImaging) -> dict[str, Any]:
    """Make it. Raises `EngineError`, `UsageError`."""
    from pipeline.logic.run_images import image_to_json
    from pipeline.stages.building import Building

    used = imaging()
    shape = used.shape()
    image = Building(used, shape.base).build(shape.steps, shape.changes)
    path = output(agent)
    path.parent.mkdir(parents=True, exist_ok=True)
    told = {"image": image_to_json(image), "places": _places(shape)}
    path.write_text(json.dumps(told), encoding="utf-8")
    return {"image": image.reference}


def _places(shape: Shape) -> dict[str, Any]:
    from attrs import asdict

    return asdict(shape.places)


def read(agent: Agent) -> tuple[Image, Places]:
    """What `base` left. Raises `UntrustworthyRun` when it cannot be read."""
    from pipeline.logic.run_images import image_from_json
    from pipeline.model.images import Places

    try:
        told = json.loads(output(agent).read_text("utf-8"))
        return image_from_json(told["image"]), Places(**told["places"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UntrustworthyRun(
            f"cannot read {str(output(agent))!r}: {error}", hint="make it again with `doit -a base`"
        ) from error
