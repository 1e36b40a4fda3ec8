"""`push`: send each worker's image, many at once, and an index that names them all. `push:<n>` sends one.

Leaves `build/push/images.json`: `model.images.RunImages`, what launchers start workers from. The index keeps the images of a run
together, so that one question tells whether all are there, and sweeping them is one thing.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import UntrustworthyRun
from pipeline.graph.catalog import Catalog
from pipeline.graph.task import Action, Handle, TaskSpec
from pipeline.stages import base, image
from pipeline.stages.agent import Agent
from pipeline.stages.imaging import MakeImaging

if TYPE_CHECKING:
    from pipeline.model.images import RunImages
    from pipeline.ports.images import OutgoingImage
    from pipeline.stages.imaging import Imaging

DOC = "send the workers' images to the registry"
TAG = "run-"
"""What tags of indexes begin with; the rest is the beginning of the plan's digest."""
SHARED = "shared"
"""The file with the digest of the shared image below."""
STEPS = 10
"""So many times at most is said how far it is."""


def register(catalog: Catalog, agent: Agent, imaging: MakeImaging, imaged: Handle) -> Handle:
    """Add the family, after `image`."""
    catalog.family(
        "push",
        lambda: image.names(agent, imaging()),
        lambda key: TaskSpec(
            name=f"push:{key}",
            actions=(Action(push_one, {"agent": agent, "imaging": imaging, "name": key}),),
            needs=(Handle(f"image:{key}"),),
            always=True,
        ),
        doc=DOC,
        has=lambda key: key in image.names(agent, imaging()),
        whole=lambda: TaskSpec(
            name="push",
            actions=(Action(push, {"agent": agent, "imaging": imaging}),),
            needs=(imaged,),
            digest=lambda: {"repository": imaging().repository},
            lost=lambda: _lost(agent, imaging()),
            targets=(output(agent),),
        ),
        exists=agent.runs_images,
    )
    return Handle("push")


def output(agent: Agent) -> Path:
    """The file this stage leaves."""
    return agent.build / "push" / "images.json"


def _lost(agent: Agent, imaging: Imaging) -> str:
    done = read(agent)
    repository, _, digest = done[0].index.partition("@") if done else ("", "", "")
    return "" if digest and imaging.is_there(repository, digest) else "the registry does not hold them"


def push(agent: Agent, imaging: MakeImaging) -> dict[str, Any]:
    """Send all. Raises `EngineError`, `UsageError`."""
    from pipeline.logic.image_manifests import index
    from pipeline.logic.run_images import to_json
    from pipeline.model.images import RunImages
    from pipeline.stages.sweep_images import note

    used, told = imaging(), image.read(agent)
    _, places = base.read(agent)
    outgoing = [_outgoing(agent, name) for name in told["names"]]
    sent = used.registry.send_images(outgoing, _Progress(used, len(outgoing)))
    media_type, data = index([one.made.image for one in outgoing])
    digest = used.registry.send_manifest(used.repository, media_type, data, tag=TAG + str(told["plan"])[:16])
    note(used, str(told["plan"]), digest)
    used.progress(
        f"pushed {len(outgoing)} image{'s' if len(outgoing) > 1 else ''}, {sent:,} bytes sent: {used.repository}@{digest}"
    )
    references = [one.made.image.reference for one in outgoing]
    made = RunImages(
        mode=used.mode,
        by_slot=tuple(references if len(references) > 1 else references * agent.slots()),
        index=f"{used.repository}@{digest}",
        places=places,
    )
    path = output(agent)
    path.parent.mkdir(parents=True, exist_ok=True)
    (path.parent / SHARED).write_text(str(told["shared"]), encoding="utf-8")
    path.write_text(to_json(made), encoding="utf-8")
    return {"index": made.index}


def push_one(agent: Agent, imaging: MakeImaging, name: str) -> None:
    """Send one image; the index stays as it was."""
    used = imaging()
    one = _outgoing(agent, name)
    sent = used.registry.send_images([one], lambda _: None)
    used.progress(f"pushed {one.made.image.reference}, {sent:,} bytes sent")


def _outgoing(agent: Agent, name: str) -> OutgoingImage:
    from pipeline.ports.images import OutgoingImage

    made, layer = image.read_one(agent, name)
    return OutgoingImage(made=made, contents={made.image.layers[-1].blob.digest: lambda: io.BytesIO(layer)})


class _Progress:
    """Says now and then how many are done."""

    def __init__(self, imaging: Imaging, total: int) -> None:
        self._imaging, self._total, self._done = imaging, total, 0
        self._step = max(1, total // STEPS)

    def __call__(self, sent: OutgoingImage) -> None:
        self._done += 1
        if self._done % self._step == 0 and self._done < self._total:
            self._imaging.progress(f"pushing images: {self._done} of {self._total}")


def read(agent: Agent) -> tuple[RunImages, str] | None:
    """What `push` left, and the digest of the shared image below; None when there is nothing to read."""
    from pipeline.logic.run_images import from_json

    try:
        shared = (output(agent).parent / SHARED).read_text("utf-8")
        return from_json(output(agent).read_text("utf-8")), shared
    except (OSError, ValueError, KeyError, TypeError):
        return None


def images(agent: Agent) -> RunImages:
    """The images that workers are started from. Raises `UntrustworthyRun` when `push` left none."""
    done = read(agent)
    if done is None:
        raise UntrustworthyRun(f"cannot read {str(output(agent))!r}", hint="make it again with `doit -a push`")
    return done[0]
