"""The system's OpenSSH client: what it is started with. Who may log in, how, over which hosts, is its own configuration's business.

One process is one connection with one session, whatever the number of workers behind it: so no limit of sessions is met,
and no control socket can be left behind or be too long. Must not know what is said over it.
"""

from __future__ import annotations

import asyncio
import os
import shlex
from asyncio.subprocess import PIPE, Process

from attrs import field, frozen

from pipeline.adapters.relay_bootstrap import COMMAND
from pipeline.errors import EngineError

STREAM_LIMIT = 1 << 20


@frozen(kw_only=True)
class Address:
    """Where to log in. Empty and 0: as ssh's configuration says."""

    host: str
    """A name that ssh knows: of DNS, of its configuration, an address."""
    user: str = ""
    port: int = 0

    def __str__(self) -> str:
        name = f"{self.user}@{self.host}" if self.user else self.host
        return f"{name} port {self.port}" if self.port else name


@frozen(kw_only=True)
class Client:
    """The program and how long it may take."""

    program: str = "ssh"
    config: str = ""
    """A configuration file instead of the user's."""
    options: tuple[str, ...] = field(default=())
    """As after `-o`; they win over everything but what this module needs."""
    connect_seconds: float = 15.0
    alive_seconds: float = 5.0
    """Without a word from the server, it is asked; three times in vain, and the connection is over."""


FIXED = (
    "BatchMode=yes",
    "ClearAllForwardings=yes",
    "ControlMaster=no",
    "ControlPath=none",
    "ForwardAgent=no",
    "ForwardX11=no",
    "PermitLocalCommand=no",
    "RemoteCommand=none",
    "RequestTTY=no",
)
"""Nothing is asked of a person, no session of the user's own is shared or disturbed. Checking of host keys is as configured."""


def arguments(client: Client, address: Address) -> list[str]:
    """The command line. The remote command is one constant; whatever differs travels on standard input."""
    timing = (
        f"ConnectTimeout={max(1, round(client.connect_seconds))}",
        f"ServerAliveInterval={max(1, round(client.alive_seconds))}",
        "ServerAliveCountMax=3",
    )
    command = [client.program, "-T"]
    if client.config:
        command += ["-F", client.config]
    for option in (*FIXED, *client.options, *timing):  # The first value of an option wins.
        command += ["-o", option]
    if address.user:
        command += ["-l", address.user]
    if address.port:
        command += ["-p", str(address.port)]
    return [*command, "--", address.host, COMMAND]


async def connect(client: Client, address: Address) -> Process:
    """Start the client. Raises `EngineError` when it cannot be started."""
    try:
        return await asyncio.create_subprocess_exec(
            *arguments(client, address),
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            env={**os.environ, "LC_ALL": "C", "SSH_ASKPASS_REQUIRE": "never"},
            start_new_session=True,
            limit=STREAM_LIMIT,
        )
    except OSError as error:
        raise EngineError(
            f"cannot start {client.program!r}: {error.strerror}", hint="install OpenSSH's client, or set ssh.program"
        ) from error


def by_hand(client: Client, address: Address, *more: str) -> str:
    """What a person types to log in there as we do, for hints."""
    words = [client.program, *(["-F", client.config] if client.config else []), *more]
    words += ["-l", address.user] if address.user else []
    words += ["-p", str(address.port)] if address.port else []
    return shlex.join([*words, address.host])
