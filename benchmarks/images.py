"""A hundred images that differ in one tiny layer: made and sent by us, by Docker's SDK (build, push) and by `crane append`.

The layers they share, 125 MiB, are in the registry already. Needs the engines of the tests: `python -m tests.engines
start docker registry`. Docker and crane make one image after the other, as they are used; we send many at once.
"""

from __future__ import annotations

import io
import random
import subprocess
import sys
import tarfile
import tempfile
import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from benchmarks.output import Row, show
from benchmarks.racing import parser, row
from pipeline.adapters.layer_store import LayerStore
from pipeline.adapters.layer_writer import small_layer, write_archive
from pipeline.adapters.registry import HttpRegistry
from pipeline.logic.image_manifests import append, index
from pipeline.model.images import Descriptor, Image
from pipeline.model.layer_entries import LayerEntry, file
from pipeline.ports.images import OutgoingImage
from tests.engines.binaries import build
from tests.engines.docker import Docker
from tests.engines.registries import PlainRegistry

SHARED_MIB = 125
SHARED_LAYERS = 3
TESTS = 200
"""In each bucket."""
AIM_SECONDS = 0.018
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


def bucket(run: str, number: int) -> list[LayerEntry]:
    """The entries of one worker's layer; no other run has had the same."""
    tests = "\n".join(f"tests/test_{number}.py::test_{n}[{run}]" for n in range(TESTS))
    plan = f'{{"bucket": {number}, "plan": "{run}"}}'
    return [
        file(f"opt/doit-fleet/bucket/test-group-{number}", tests.encode()),
        file("opt/doit-fleet/bucket/bucket.json", plan.encode()),
    ]


def shared_image(registry: HttpRegistry, repository: str, folder: Path) -> Image:
    """Layers of bytes that cannot be compressed, in the registry, with a tag `shared`."""
    nothing = Descriptor(media_type=DOCKER_MANIFEST, digest=f"sha256:{0:064}", size=0)
    config = {"os": "linux", "architecture": "amd64", "rootfs": {"type": "layers", "diff_ids": []}}
    base = Image(repository=repository, manifest=nothing, config_blob=nothing, config=config, layers=())
    store, layers, contents = LayerStore(folder), [], {}
    for number in range(SHARED_LAYERS):
        data = random.Random(number).randbytes((SHARED_MIB << 20) // SHARED_LAYERS)
        layers.append(store.layer([file(f"project/data-{number}", data)]))
        contents[layers[-1].blob.digest] = store.content(layers[-1])
    made = append(base, layers, {"Cmd": ["/bin/true"]})
    registry.send_images([OutgoingImage(made=made, contents=contents, tag="shared")], lambda _: None)
    return made.image


def ours(registry: HttpRegistry, base: Image, run: str, count: int) -> None:
    """Layers, configs, manifests, and the index that names them all."""
    outgoing = []
    for number in range(count):
        layer, data = small_layer(bucket(run, number), created_by="bucket")
        made = append(base, [layer], {"Env": {"BUCKET": str(number)}})
        opener: Callable[[], io.BytesIO] = lambda data=data: io.BytesIO(data)  # type: ignore[misc]  # noqa: E731
        outgoing.append(OutgoingImage(made=made, contents={layer.blob.digest: opener}))
    registry.send_images(outgoing, lambda _: None)
    media_type, data = index([one.made.image for one in outgoing])
    registry.send_manifest(base.repository, media_type, data, tag=f"run-{run}")


def by_docker(client: Any, base: Image, run: str, count: int) -> None:
    """Build from the shared image, push, one after the other."""
    for number in range(count):
        context = io.BytesIO()
        with tarfile.open(fileobj=context, mode="w") as tar:
            text = f"FROM {base.repository}:shared\nCOPY opt /opt\n".encode()
            for name, data in (("Dockerfile", text), *((one.path, one.content) for one in bucket(run, number))):
                assert isinstance(data, bytes)
                member = tarfile.TarInfo(name)
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))
        context.seek(0)
        tag = f"docker-{run}-{number}"
        client.images.build(fileobj=context, custom_context=True, tag=f"{base.repository}:{tag}", rm=True)
        pushed = client.images.push(base.repository, tag=tag)
        if "errorDetail" in pushed:
            raise RuntimeError(pushed)


def by_crane(crane: Path, base: Image, run: str, count: int, folder: Path) -> None:
    """One process for each image."""
    layer = folder / "bucket.tar"
    for number in range(count):
        with layer.open("wb") as target:
            write_archive(bucket(run, number), target)
        tag = f"{base.repository}:crane-{run}-{number}"
        command = [str(crane), "append", "-b", f"{base.repository}:shared", "-f", str(layer), "-t", tag]
        subprocess.run(command, check=True, capture_output=True)


def seconds(work: Callable[[str], None]) -> float:
    """How long it takes with a new run's name."""
    run = uuid.uuid4().hex
    began = time.perf_counter()
    work(run)
    return time.perf_counter() - began


def measure(rounds: int, count: int) -> list[Row]:
    """In each round everybody once; then an unchanged run again."""
    client, crane = Docker().client(), build("crane")
    repository = f"{PlainRegistry().address}/benchmark/images-{uuid.uuid4().hex[:8]}"
    with tempfile.TemporaryDirectory() as scratch, closing(client), closing(HttpRegistry()) as registry:
        base = shared_image(registry, repository, Path(scratch, "layers"))
        client.images.pull(repository, tag="shared")
        walls: dict[str, list[float]] = {"ours": [], "docker SDK build + push": [], "crane append": []}
        folder = Path(scratch)
        for _ in range(rounds):
            walls["ours"].append(seconds(lambda run: ours(registry, base, run, count)))
            walls["docker SDK build + push"].append(seconds(lambda run: by_docker(client, base, run, count)))
            walls["crane append"].append(seconds(lambda run: by_crane(crane, base, run, count, folder)))
        for image in client.images.list(repository):
            client.images.remove(image.id, force=True)
    what = f"{count} images over {SHARED_MIB} MiB"
    mine = walls.pop("ours")
    aims = {"docker SDK build + push": 1 / 8, "crane append": 1 / 2}
    rows = [row(what, mine, against, theirs, aims[against]) for against, theirs in walls.items()]
    return [*rows, row(what, mine, f"{AIM_SECONDS * 1000:.0f} ms an image", [AIM_SECONDS * count], 1.0)]


def main(arguments: Sequence[str]) -> int:
    """Measure and print a table."""
    options = parser("images", __doc__, 3)
    options.add_argument("--images", type=int, default=100, help="how many each makes (default: 100)")
    chosen = options.parse_args(arguments)
    show("images", measure(chosen.rounds, chosen.images), as_json=chosen.json)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
