"""Platforms of images: `os/architecture[/variant]`, and which of an index's manifests suits one.

Variants as in https://github.com/containerd/platforms: a newer machine runs what was made for an older one. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from attrs import frozen

from pipeline.errors import UsageError
from pipeline.model.images import Descriptor

ALIASES: Final = {
    "x86_64": "amd64",
    "x86-64": "amd64",
    "aarch64": "arm64",
    "armhf": "arm",
    "armv7l": "arm",
    "i386": "386",
}
DEFAULT_VARIANTS: Final = {"arm64": (8,), "arm": (7,), "amd64": (1,)}
_VARIANT: Final = re.compile(r"v?(\d{1,3})(?:\.(\d{1,3}))?")


@frozen
class Platform:
    """A platform with its variant as numbers; an empty variant where the architecture has none."""

    os: str
    architecture: str
    variant: tuple[int, ...] = ()

    def __str__(self) -> str:
        usual = DEFAULT_VARIANTS.get(self.architecture, ())
        ending = "" if self.variant == usual else "/v" + ".".join(map(str, self.variant))
        return f"{self.os}/{self.architecture}{ending}"


def platform(os: str, architecture: str, variant: str = "") -> Platform:
    """A platform in its usual spelling. Raises `UsageError` for a variant that is no number."""
    architecture = ALIASES.get(architecture.lower(), architecture.lower())
    usual = DEFAULT_VARIANTS.get(architecture, ())
    found = _VARIANT.fullmatch(variant.lower()) if variant else None
    if variant and not found:
        raise UsageError(f"{variant!r} is no variant of {architecture!r}", hint="write it as v7 or v8")
    numbers = tuple(int(number) for number in found.groups() if number) if found else usual
    return Platform(os.lower(), architecture, numbers)


def parse_platform(text: str) -> Platform:
    """Read `linux/arm64/v8`. Raises `UsageError`."""
    parts = text.split("/")
    if len(parts) not in (2, 3) or not all(parts):
        raise UsageError(f"{text!r} is no platform", hint="write os/architecture, like linux/amd64 or linux/arm/v7")
    return platform(*parts)


def suits(offered: Platform, wanted: Platform) -> bool:
    """Whether a machine that wants one platform runs what was made for the other."""
    same = (offered.os, offered.architecture) == (wanted.os, wanted.architecture)
    return same and offered.variant <= wanted.variant


def choose(offered: Sequence[tuple[Platform, Descriptor]], wanted: Platform, name: str) -> Descriptor:
    """The manifest for a platform, of the newest variant that suits; the first of equals.

    `name` is the image's, for the error. Raises `UsageError` that names the platforms there are.
    """
    fitting = [one for one in offered if suits(one[0], wanted)]
    if not fitting:
        there = ", ".join(dict.fromkeys(str(one) for one, _ in offered)) or "none"
        raise UsageError(f"image {name!r} has no manifest for {str(wanted)!r}", hint=f"it has: {there}")
    return max(fitting, key=lambda one: one[0].variant)[1]
