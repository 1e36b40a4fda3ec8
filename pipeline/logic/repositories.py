"""Names and places that follow from settings: our repository, the default base image, its interpreter. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.errors import UsageError
from pipeline.model.references import parse_reference


def repository_of(url: str, project: str) -> str:
    """`host:port/name` of `registry.url`. Raises `UsageError`."""
    if not url:
        raise UsageError(
            "setting 'registry.url' is missing: workers run images, which must be pushed somewhere",
            hint='registry.url = "registry.acme.net/ci/{project}", and `docker login registry.acme.net` once',
        )
    scheme, separator, rest = url.partition("://")
    name = (rest if separator else scheme).rstrip("/").replace("{project}", slug(project))
    found = parse_reference(name if "/" in name else f"{name}/{slug(project)}")
    if found.tag or found.digest:
        raise UsageError(f"registry.url {url!r} names one image", hint="give a repository, without tag or digest")
    return found.repository


def slug(project: str) -> str:
    """A project's name as part of a repository's."""
    return re.sub(r"[^a-z0-9]+", "-", project.lower()).strip("-") or "project"


def default_base(versions: Sequence[tuple[int, ...]]) -> str:
    """Docker's Python image of the suites' version. Raises `UsageError` when they have several."""
    short = sorted({f"{version[0]}.{version[1]}" for version in versions})
    if len(short) != 1:
        raise UsageError(
            f"suites run in Python {', '.join(short)}, and no usual base image has them all",
            hint="set images.base to one that has",
        )
    return f"docker.io/library/python:{short[0]}-slim"


def python_of(config: Mapping[str, Any]) -> str:
    """The base image's interpreters, `{version}` standing for X.Y: where Docker's Python images have them, else Debian's."""
    environment = (config.get("config") or {}).get("Env") or []
    is_dockers = any(str(line).startswith("PYTHON_VERSION=") for line in environment)
    return "/usr/local/bin/python{version}" if is_dockers else "/usr/bin/python{version}"
