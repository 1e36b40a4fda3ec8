"""The image that holds a pod's namespaces: one static program of ours, as an archive that containerd imports."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from pathlib import Path

from tests.engines.binaries import build

PAUSE = "docker.io/doit-fleet/pause:1"


def pause_archive(place: Path) -> Path:
    """Write it there in the form of `docker save` (manifest.json, configuration, one layer)."""
    layer = _tar({"pause": build("pause").read_bytes()})
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Entrypoint": ["/pause"], "User": "65535:65535"},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
    }
    manifest = [{"Config": "config.json", "RepoTags": [PAUSE], "Layers": ["layer.tar"]}]
    files = {"manifest.json": json.dumps(manifest), "config.json": json.dumps(config)}
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(_tar({"layer.tar": layer, **{name: text.encode() for name, text in files.items()}}))
    return place


def _tar(files: dict[str, bytes]) -> bytes:
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), 0o755
            archive.addfile(member, io.BytesIO(content))
    return whole.getvalue()
