"""What a target means to markers and file names: the marker environment and the tags of wheels that run there.

Linux and CPython only, because images hold nothing else. Must not look at the machine this runs on.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from pipeline.errors import UsageError
from pipeline.model.dependencies import Target

if TYPE_CHECKING:
    from packaging.tags import Tag

OLDEST_GLIBC_MINOR = 5
"""manylinux1, https://peps.python.org/pep-0600/."""
LEGACY = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
MACHINES = {"amd64": "x86_64", "arm64": "aarch64", "386": "i686", "arm": "armv7l"}
"""What the machines of OCI platforms are called in Python."""


def machine_of(platform: str) -> str:
    """Python's name for the machine of an OCI platform like `linux/amd64`."""
    parts = platform.split("/")
    if parts[0] != "linux" or len(parts) < 2:
        raise UsageError(f"platform {platform!r} is no Linux", hint="workers in images run on Linux")
    return MACHINES.get(parts[1], parts[1])


def marker_environment(target: Target) -> dict[str, str]:
    """Values of environment markers, https://peps.python.org/pep-0508/."""
    full = ".".join(map(str, target.python))
    return {
        "implementation_name": "cpython",
        "implementation_version": full,
        "os_name": "posix",
        "platform_machine": target.machine,
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_system": "Linux",
        "platform_version": "",
        "python_full_version": full,
        "python_version": target.short,
        "sys_platform": "linux",
    }


@lru_cache(maxsize=8)
def tags(target: Target) -> tuple[Tag, ...]:
    """Tags of wheels that run there, best first."""
    from packaging.tags import compatible_tags, cpython_tags

    platforms = list(_platforms(target))
    version = target.python[:2]
    interpreter = f"cp{version[0]}{version[1]}"
    native = cpython_tags(version, abis=[interpreter], platforms=platforms)
    return (*native, *compatible_tags(version, interpreter, platforms))


def _platforms(target: Target) -> Iterator[str]:
    kind, _, text = target.libc.partition("-")
    numbers = text.split(".")
    if kind not in ("glibc", "musl") or len(numbers) != 2 or not all(one.isdigit() for one in numbers):
        raise UsageError(f"libc {target.libc!r} is not understood", hint="write it like 'glibc-2.28' or 'musl-1.2'")
    major, minor = int(numbers[0]), int(numbers[1])
    if kind == "musl":
        yield from (f"musllinux_{major}_{least}_{target.machine}" for least in range(minor, -1, -1))
    else:
        for least in range(minor, OLDEST_GLIBC_MINOR - 1, -1):
            yield f"manylinux_{major}_{least}_{target.machine}"
            if least in LEGACY:
                yield f"{LEGACY[least]}_{target.machine}"
    yield f"linux_{target.machine}"
