"""`image`: each worker's own image: its bucket's layer, its config, its manifest. `image:<n>` makes one. Sends nothing.

Leaves `build/image/images.json`: `{mode, shared, plan, by_slot: [digest…]}` and a folder for each image with the bytes to be sent:
`layer`, `config`, `manifest`, and `image.json`, which describes them. They depend on the plan, the bucket and the shared image only.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pipeline.errors import UntrustworthyRun
from pipeline.graph.catalog import Catalog
from pipeline.graph.task import Action, Handle, TaskSpec
from pipeline.stages import base, group
from pipeline.stages.agent import Agent
from pipeline.stages.imaging import MakeImaging

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.model.images import Image, MadeImage
    from pipeline.model.plans import Plan
    from pipeline.stages.imaging import Imaging

DOC = "make each worker's image: the shared one and the worker's bucket"
SHARED = "shared"
"""The folder, and mode, of the image with all buckets."""


def register(catalog: Catalog, agent: Agent, imaging: MakeImaging, grouped: Handle, based: Handle) -> Handle:
    """Add the family, after `group` and `base`."""

    def spec(name: str, only: str) -> TaskSpec:
        return TaskSpec(
            name=name,
            actions=(Action(make, {"agent": agent, "imaging": imaging, "only": only}),),
            needs=(grouped, based),
            digest=lambda: {"mode": imaging().mode, "workers": str(agent.slots())},
            targets=(output(agent),) if not only else (folder(agent) / only / "image.json",),
        )

    catalog.family(
        "image",
        lambda: names(agent, imaging()),
        lambda key: spec(f"image:{key}", key),
        doc=DOC,
        has=lambda key: key in names(agent, imaging()),
        whole=lambda: spec("image", ""),
        exists=agent.runs_images,
    )
    return Handle("image")


def names(agent: Agent, imaging: Imaging) -> list[str]:
    """The images there are to be: numbers of slots, or the one of all."""
    return [SHARED] if imaging.mode == SHARED else [str(slot) for slot in range(agent.slots())]


def folder(agent: Agent) -> Path:
    """Where this stage leaves its files."""
    return agent.build / "image"


def output(agent: Agent) -> Path:
    """The file that names all images."""
    return folder(agent) / "images.json"


def make(agent: Agent, imaging: MakeImaging, only: str) -> dict[str, Any]:
    """Make all images, or one by name."""
    from pipeline.logic.group_files import group_files

    used, plan = imaging(), group.read(agent)
    shared, places = base.read(agent)
    below = _Below(shared=shared, runtime=places.runtime, plan=plan, groups=group_files(plan))
    wanted = [only] if only else names(agent, used)[: max(1, len(plan.buckets))]  # Slots beyond share them.
    if not only:
        shutil.rmtree(folder(agent), ignore_errors=True)
    digests = {name: _make_one(folder(agent) / name, used, below, name) for name in wanted}
    if only:
        return {"image": digests[only]}
    told = {"mode": used.mode, "shared": shared.manifest.digest, "plan": plan.digest, "names": wanted}
    output(agent).write_text(json.dumps(told), encoding="utf-8")
    used.progress(f"made {len(wanted)} image{'s' if len(wanted) > 1 else ''} for plan {plan.digest[:12]}")
    return {"images": digests}


class _Below(NamedTuple):
    """What all images have in common."""

    shared: Image
    runtime: str
    plan: Plan
    groups: Mapping[str, str]


def _make_one(place: Path, imaging: Imaging, below: _Below, name: str) -> str:
    """Make one image and write its files; its manifest's digest."""
    from pipeline.logic.bucket_files import bucket_entries
    from pipeline.logic.image_manifests import append
    from pipeline.logic.run_images import image_to_json

    shared, plan = below.shared, below.plan
    entries = bucket_entries(plan, below.groups, None if name == SHARED else int(name), below.runtime)
    layer, content = imaging.layers.small(entries, f"doit-fleet: bucket {name} of plan {plan.digest[:12]}")
    made = append(shared, [layer], {"Labels": {"doit-fleet.plan": plan.digest, "doit-fleet.bucket": name}})
    place.mkdir(parents=True, exist_ok=True)
    (place / "layer").write_bytes(content)
    (place / "config").write_bytes(made.config)
    (place / "manifest").write_bytes(made.manifest)
    (place / "image.json").write_text(json.dumps(image_to_json(made.image)), encoding="utf-8")
    return made.image.manifest.digest


def read(agent: Agent) -> dict[str, Any]:
    """What names all images. Raises `UntrustworthyRun` when it cannot be read."""
    return dict(_read(output(agent)))


def read_one(agent: Agent, name: str) -> tuple[MadeImage, bytes]:
    """One image and its bucket's layer. Raises `UntrustworthyRun` when it cannot be read."""
    from pipeline.logic.run_images import image_from_json
    from pipeline.model.images import MadeImage

    place = folder(agent) / name
    try:
        image = image_from_json(_read(place / "image.json"))
        made = MadeImage(
            image=image, config=(place / "config").read_bytes(), manifest=(place / "manifest").read_bytes()
        )
        return made, (place / "layer").read_bytes()
    except (OSError, KeyError, TypeError) as error:
        raise _unreadable(place, error) from error


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> UntrustworthyRun:
    return UntrustworthyRun(f"cannot read {str(path)!r}: {error}", hint="make it again with `doit -a image`")
