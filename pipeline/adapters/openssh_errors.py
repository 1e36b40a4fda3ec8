"""What OpenSSH's client says when it does not get in, as an error with the way out.

The texts are those of OpenSSH 7 to 10 (ssh.c, sshconnect.c, sshconnect2.c, packet.c) in the C locale. Pure.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import Final

from pipeline.adapters.openssh import Address, Client, by_hand
from pipeline.errors import EngineError, PlaceLost

SHOWN: Final = 300
KNOWN: Final[tuple[tuple[str, str, str, bool], ...]] = (
    (
        r"REMOTE HOST IDENTIFICATION HAS CHANGED|host key .*has changed",
        "its host key is another one than known_hosts has",
        "somebody may listen in; if the host was set up anew, remove the old key: {forget}",
        True,
    ),
    (
        r"Host key verification failed|No .* host key is known",
        "its host key is not known",
        "log in once by hand and compare the fingerprint: {ssh}",
        True,
    ),
    (
        r"Permission denied|Too many authentication failures|No more authentication methods",
        "it lets us not in",
        "see that `{batch} true` works: a key in its authorized_keys, an agent, or IdentityFile",
        True,
    ),
    (
        r"Bad configuration option|Bad owner or permissions|terminating, \d+ bad configuration|Can't open user config",
        "ssh's configuration is not accepted",
        "correct {config}",
        True,
    ),
    (
        r"Could not resolve hostname",
        "its name is not known",
        "see hosts.<name>.address, {config} and DNS",
        False,
    ),
    (
        r"Connection refused",
        "nobody listens there",
        "is sshd running, and is the port right?",
        False,
    ),
    (
        r"Exceeded MaxStartups|kex_exchange_identification|ssh_exchange_identification|Connection reset by|"
        r"Connection closed by|banner exchange",
        "it closed the connection before the login",
        "too many logins at once are refused so (MaxStartups of sshd_config); otherwise see sshd's log",
        False,
    ),
    (
        r"timed out|No route to host|Network is unreachable|Host is down|not responding",
        "it does not answer",
        "is it up, and may this machine reach it?",
        False,
    ),
    (
        r"administratively prohibited|open failed|Session open refused|channel \d+: open",
        "it opens no session for us",
        "raise MaxSessions in its sshd_config",
        False,
    ),
)
"""Pattern, what it means, the way out, whether trying again is pointless."""


def explain(client: Client, address: Address, said: str, status: int | None) -> EngineError:
    """The error for a client that ended without a session; `said` is its standard error."""
    fields = {
        "ssh": by_hand(client, address),
        "batch": by_hand(client, address, "-o", "BatchMode=yes"),
        "forget": _forgetting(client, address, said),
        "config": client.config or "~/.ssh/config",
    }
    for pattern, meaning, hint, permanent in KNOWN:
        if re.search(pattern, said):
            return _error(address.host, meaning, said, hint.format(**fields), permanent)
    return _error(
        address.host, f"ssh ended with status {status}", said, f"try it by hand: {fields['batch']} true", False
    )


def _forgetting(client: Client, address: Address, said: str) -> str:
    """What removes the host's old key: under the name and in the file that ssh has just told, else as the settings say."""
    name = re.search(r"Host key for (\S+) has changed", said)
    file = re.search(r"Offending .*key in (.+):\d+", said)
    known = name[1] if name else f"[{address.host}]:{address.port}" if address.port else address.host
    where = file[1] if file else next(_known_hosts(client), "")
    return shlex.join(["ssh-keygen", "-R", known, *(["-f", where] if where else [])])


def _known_hosts(client: Client) -> Iterator[str]:
    for option in client.options:
        name, value, *_ = [*re.split(r"[\s=]+", option.strip(), maxsplit=1), ""]
        if name.lower() == "userknownhostsfile" and value:
            yield value.split()[0]


def _error(host: str, meaning: str, said: str, hint: str, permanent: bool) -> EngineError:
    last = next((line for line in reversed(said.strip().splitlines()) if line.strip() and "debug" not in line), "")
    error = PlaceLost(f"host {host!r}: {meaning}" + (f" ({last.strip()[:SHOWN]})" if last else ""), hint=hint)
    error.permanent = permanent
    return error
