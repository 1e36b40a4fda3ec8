"""Hosts files in GNU parallel's manner (`--sshloginfile`), the plain part of it. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from attrs import frozen

from pipeline.errors import UsageError

LINE = re.compile(r"(?:(?P<slots>[0-9]+)/)?(?:(?P<user>[^@/\s]+)@)?(?P<host>[^@/\s]+)")


@frozen(kw_only=True)
class ListedHost:
    """One line."""

    host: str
    """`:` is this machine."""
    user: str = ""
    slots: int | None = None


def read_hosts(text: str, name: str) -> Sequence[ListedHost]:
    """The hosts in their order. Raises `UsageError` with the line's number."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        plain = line.partition("#")[0].strip()
        if not plain:
            continue
        match = LINE.fullmatch(plain)
        if match is None:
            raise UsageError(f"{name}:{number}: {plain!r} is no host", hint="write `user@host`, `4/user@host` or `:`")
        slots = match["slots"]
        found.append(ListedHost(host=match["host"], user=match["user"] or "", slots=int(slots) if slots else None))
    return found
