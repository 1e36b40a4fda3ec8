"""A file of hosts as GNU parallel's --sshloginfile has it: one or more a line, blank lines and `#` comments between.

`[@group[+group]/][slots/]login`, where a login is `:` (this machine), `host`, `user@host`, `user@host:port`, `[v6]:port`, a range
`node[01-12]`, or `ssh -p 2222 user@host` with options for OpenSSH. Pure: reads text, asks nobody whether a host is there.
Source of the format: parallel(1), --sshlogin.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import Final

from attrs import frozen

from pipeline.errors import UsageError

MOST_HOSTS: Final = 10_000
MOST_SLOTS: Final = 10_000

_SPLIT: Final = re.compile(r",(?![^\[]*\])")
_PREFIX: Final = re.compile(r"(?:@([^/\s]+)/)?(?:([^/\s]*)/)?(.*)")
_GROUP: Final = re.compile(r"[\w.-]+")
_LOGIN: Final = re.compile(r"(?:([^@\s]+)@)?(\[[0-9a-fA-F:.]+(?:%[\w.]+)?\]|[^@:\s\[\]]+)(?::([0-9]+))?")
_NAME: Final = re.compile(r"[A-Za-z0-9_][\w.%:-]*")
_RANGE: Final = re.compile(r"\[([0-9]+)-([0-9]+)\]")
_WITH_VALUE: Final = "BbcDEeFIiJLlmOopQRSWw"
"""Options of ssh(1) that take a value."""


@frozen(kw_only=True)
class Listed:
    """One host of the file."""

    host: str
    """Empty: this machine."""
    user: str = ""
    port: int | None = None
    slots: int | None = None
    """None: as many as the host has room for."""
    groups: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    """For OpenSSH, as they were written."""
    line: int

    @property
    def is_local(self) -> bool:
        """Whether it is this machine, reached without ssh."""
        return not self.host

    def __str__(self) -> str:
        if self.is_local:
            return ":"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return (f"{self.user}@" if self.user else "") + host + (f":{self.port}" if self.port else "")


def read_hosts(text: str, file: str) -> tuple[Listed, ...]:
    """The hosts in their order. Raises `UsageError` with file and line for what is none, and for one that is there twice."""
    found: dict[str, Listed] = {}
    for number, raw in enumerate(text.splitlines(), start=1):
        said = _without_comment(raw)
        for part in _SPLIT.split(said) if said else ():
            for host in _hosts(part.strip(), f"{file}:{number}", number):
                before = found.setdefault(str(host), host)
                if before is not host:
                    hint = f"give it its slots once: {(before.slots or 1) + (host.slots or 1)}/{host}"
                    raise UsageError(f"{file}:{number}: host {str(host)!r} is in line {before.line} already", hint=hint)
                if len(found) > MOST_HOSTS:
                    raise UsageError(f"{file}:{number}: more than {MOST_HOSTS} hosts")
    if not found:
        raise UsageError(f"{file}: no host in it", hint="write ':' for this machine, or user@host")
    return tuple(found.values())


def _without_comment(line: str) -> str:
    """A comment begins the line, or follows a blank."""
    return re.split(r"(?:^|\s)#", line, maxsplit=1)[0].strip()


def _hosts(said: str, where: str, line: int) -> Iterator[Listed]:
    if not said:
        raise UsageError(f"{where}: a comma without a host beside it")
    for each in _spread(said, where):
        yield _host(each, where, line)


def _spread(said: str, where: str) -> list[str]:
    """`node[01-03]` as three; zeros in front are kept. Several brackets multiply."""
    found = _RANGE.search(said)
    if found is None:
        return [said]
    first, last = int(found[1]), int(found[2])
    if last < first or last - first >= MOST_HOSTS:
        raise UsageError(f"{where}: {found[0]!r} runs backwards, or is more than {MOST_HOSTS} hosts")
    width = len(found[1]) if found[1].startswith("0") else 0
    return [
        each
        for number in range(first, last + 1)
        for each in _spread(f"{said[: found.start()]}{number:0{width}}{said[found.end() :]}", where)
    ]


def _host(said: str, where: str, line: int) -> Listed:
    prefix = _PREFIX.fullmatch(said)
    assert prefix is not None  # Everything in it may be empty.
    groups = tuple(prefix[1].split("+")) if prefix[1] else ()
    for group in groups:
        if not _GROUP.fullmatch(group):
            raise UsageError(f"{where}: {group!r} is no name of a group", hint="write @group/user@host")
    login, options = _without_options(prefix[3].strip(), where)
    if login == ":" and not options:
        return Listed(host="", slots=_slots(prefix[2], where), groups=groups, line=line)
    parts = _LOGIN.fullmatch(login)
    if parts is None or not _are_names(parts[1], parts[2]):
        hint = "write ':' for this machine, user@host, user@host:port or 4/user@host"
        raise UsageError(f"{where}: {login or said!r} is no host", hint=hint)
    slots, port = _slots(prefix[2], where), _port(parts[3], where)
    host, user = parts[2].strip("[]"), parts[1] or ""
    return Listed(host=host, user=user, port=port, slots=slots, groups=groups, options=options, line=line)


def _are_names(user: str | None, host: str) -> bool:
    """Nothing that ssh would take for an option, or a shell for more than a word."""
    return all(_NAME.fullmatch(name) for name in (user or "u", host.strip("[]").lstrip(":") or "v6"))


def _slots(said: str | None, where: str) -> int | None:
    if not said:
        return None
    if not said.isdecimal() or not 1 <= int(said) <= MOST_SLOTS:
        hint = "write 4/user@host for four at once"
        raise UsageError(f"{where}: {said!r} is no number of slots from 1 to {MOST_SLOTS}", hint=hint)
    return int(said)


def _port(said: str | None, where: str) -> int | None:
    if said is None:
        return None
    if not 1 <= int(said) <= 65535:
        raise UsageError(f"{where}: {said!r} is no port from 1 to 65535")
    return int(said)


def _without_options(login: str, where: str) -> tuple[str, tuple[str, ...]]:
    """(login, options) of a whole ssh command line; any other login has none."""
    if not re.search(r"\s", login):
        return login, ()
    try:
        words = shlex.split(login)
    except ValueError as problem:
        raise UsageError(f"{where}: {login!r} cannot be split into words: {problem}") from None
    if words[0].rpartition("/")[2] != "ssh":
        hint = "one host a line, several with commas; or 'ssh', its options and one host"
        raise UsageError(f"{where}: {login!r} is neither a host nor a command line of ssh", hint=hint)
    options: list[str] = []
    rest = words[1:]
    while len(rest) > 1 and rest[0].startswith("-"):
        size = 2 if rest[0][-1] in _WITH_VALUE and len(rest[0]) == 2 else 1
        options += rest[:size]
        rest = rest[size:]
    if len(rest) != 1:
        raise UsageError(f"{where}: {login!r} ends with no single host")
    return rest[0], tuple(options)
