"""What the settings say of hosts, as plain values, and which slots live where. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import field, frozen

from pipeline.adapters.openssh import Address


@frozen(kw_only=True)
class HostTerms:
    """One host."""

    name: str
    """In the settings, for people."""
    address: Address | None
    """None: this machine, without ssh."""
    slots: int
    pythons: tuple[str, ...] = ()
    """Interpreters to try; empty: that of the suite, where it is there too, else `python3`."""
    folder: str = ""
    """Where everything of ours lies there; empty: in the login's cache folder."""
    env: Mapping[str, str] = field(factory=dict, repr=False)
    labels: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    before_seconds: float | None = None


@frozen(kw_only=True)
class Whose:
    """Whose leftovers are whose, on a host."""

    label: str
    """The digest of the store's address."""
    agent: str
    """This agent's relays have names that begin so."""
    keep_seconds: float
    """How long a host keeps files that no run has used."""


def laid_out(hosts: Sequence[HostTerms], slots: int) -> tuple[HostTerms, ...]:
    """The host of each slot: one on each in turn while they have any, so that few workers are spread."""
    left = {host.name: host.slots for host in hosts}
    found: list[HostTerms] = []
    while len(found) < slots and any(left.values()):
        for host in hosts:
            if left[host.name] and len(found) < slots:
                left[host.name] -= 1
                found.append(host)
    return tuple(found)


def pythons_for(host: HostTerms, python: str, root: str) -> tuple[str, ...]:
    """What to try on a host, for a suite that has `python` here; `root` is the project's folder there."""
    wanted = host.pythons or tuple(dict.fromkeys((python, "python3")))
    return tuple(f"{root}/{one}" if "/" in one and one[0] not in "/~" else one for one in wanted)


def plain(name: str) -> str:
    """Fit to be a part of a folder's name, which hosts that share a home must have apart."""
    return "".join(letter if letter.isalnum() and letter.isascii() else "-" for letter in name)[:40] or "-"


def root_pattern(name: str) -> str:
    """What matches the project's folder on any host, as `harness/relay_jobs.py` lays it out; `name` is the folder's own."""
    return f"*/runs/*/project/{name or 'project'}"
