"""The config of the images that workers run: who they are, what starts, what the environment is. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import Any

from pipeline.model.environments import ROOT
from pipeline.model.images import Image, Places

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def worker_config(
    base: Image,
    places: Places,
    *,
    user: str,
    environment: Mapping[str, str],
    home: str,
    labels: Mapping[str, str],
) -> dict[str, Any]:
    """Changes for `image_manifests.append`. The project's own environments come first on PATH; a single one is active."""
    known = dict(str(line).partition("=")[::2] for line in (base.config.get("config") or {}).get("Env") or [])
    folders = [str(PurePosixPath(python).parent) for python in places.pythons.values()]
    path = [*dict.fromkeys(folders), *(known.get("PATH") or DEFAULT_PATH).split(":")]
    return {
        "User": user,
        "WorkingDir": places.project,
        "Entrypoint": [f"{places.runtime}/worker"],
        "Env": {
            "PATH": ":".join(dict.fromkeys(path)),
            "HOME": home,
            "USER": "fleet",
            **active(places.pythons.values()),
            **environment,
        },
        "Labels": dict(labels),
        "Healthcheck": None,
        "ExposedPorts": None,
        "Volumes": None,
    }


def active(pythons: Iterable[str]) -> dict[str, str]:
    """What activating the one virtual environment that we made would set; nothing where there are several, or none."""
    prefixes = {str(PurePosixPath(python).parent.parent) for python in pythons}
    ours = [prefix for prefix in prefixes if prefix.startswith(f"{ROOT}/")]
    return {"VIRTUAL_ENV": ours[0]} if len(ours) == len(prefixes) == 1 else {}
