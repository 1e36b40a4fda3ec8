"""Which distributions never change once released, and so may be kept: those of released versions with a digest."""

from __future__ import annotations

import re

from pipeline.model.dependencies import Artifact

SHA256 = re.compile(r"[0-9a-f]{64}")


def why_fresh(version: str, artifacts: tuple[Artifact, ...]) -> str:
    """Why a distribution must be resolved each time; empty when it is immutable."""
    from packaging.version import InvalidVersion, Version

    if not artifacts:
        return "it has no file with a sha256 digest"
    try:
        parsed = Version(version)
    except InvalidVersion:
        return f"{version!r} is no version of a release"
    if parsed.is_devrelease:
        return f"{version} is a development snapshot"
    return f"{version} is a local build" if parsed.local else ""
