"""Where an installed distribution came from, and so whether it stays as it is: https://peps.python.org/pep-0610/. Pure."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote, urlsplit

from pipeline.logic.immutable import why_fresh
from pipeline.model.dependencies import Artifact
from pipeline.model.environments import Installed

_SOME_FILE = (Artifact(sha256="0" * 64),)


def why_not_kept(one: Installed) -> str:
    """Why it is taken anew each time; empty when it is a release."""
    told = _told(one)
    if "vcs_info" in told:
        return "it comes from version control"
    if "dir_info" in told:
        return "it is installed in place" if told["dir_info"].get("editable") else "it comes from a folder"
    if "archive_info" in told and not (told["archive_info"].get("hash") or told["archive_info"].get("hashes")):
        return "it comes from a file without a digest"
    return why_fresh(one.version, _SOME_FILE)


def folder_of(one: Installed) -> str:
    """The folder it was installed from or in; empty when it came from elsewhere."""
    told = _told(one)
    url = urlsplit(str(told.get("url", "")))
    return unquote(url.path).rstrip("/") if "dir_info" in told and url.scheme == "file" else ""


def is_editable(one: Installed) -> bool:
    """Whether it is imported from the folder it is developed in."""
    return bool(_told(one).get("dir_info", {}).get("editable"))


def _told(one: Installed) -> dict[str, Any]:
    try:
        told = json.loads(one.origin or "{}")
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
