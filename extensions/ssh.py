"""Workers on hosts by ssh: the client, and what all hosts share."""

from __future__ import annotations

from extensions.hosts import HostDefaults
from pipeline.settings import kinds
from pipeline.settings.collected import texts, variables
from pipeline.settings.declaration import setting


class Ssh(HostDefaults):
    """Settings of the launcher `ssh`."""

    hosts_file = setting(kinds.Optional(kinds.path), "off")
    """A file with one host in each line, as GNU parallel reads it: `host`, `user@host`, `4/user@host` (4 slots), `:` (this machine);
    `#` begins a comment. It is no source of the project: editing it makes no result out of date, and it is not sent along."""

    archives = setting(variables, {})
    """Archives (tar, zip) that lie unpacked in the project's folder on each host, as read-only data: `{ "data/corpus" = "corpus.tar.gz" }`.
    Each is sent and unpacked once, by its content."""

    program = setting(kinds.text, "ssh")
    """OpenSSH's client."""

    config = setting(kinds.Optional(kinds.path), "off")
    """Its configuration file. "off": the user's own."""

    options = setting(texts, ())
    """Further options for it, as after `-o`: `["ProxyJump=gate"]`."""

    connect_timeout_seconds = setting(kinds.duration, 15)
    """How long a login may take."""

    keep_seconds = setting(kinds.duration, "14d")
    """How long a host keeps files that no run has used, so that the next run sends only what is missing. 0: not beyond the next
    login."""
