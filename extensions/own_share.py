"""`doit host=X` on X itself: what that host would run if it were reached by ssh, by workers of this machine, in a run that others share.

Which slots are X's is the same on every machine that has the same hosts, so nobody has to be asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pipeline.errors import UsageError

if TYPE_CHECKING:
    from extensions.fleet import Fleet
    from pipeline.launchers.ssh.terms import HostTerms


def host_of(fleet: Fleet) -> str:
    """The host that this machine is said to be; empty: that was not said."""
    return str(fleet.leftovers.get("host", ""))


def share_of(fleet: Fleet, slots: int) -> tuple[int, ...]:
    """Its slots among those of all hosts. Raises `UsageError`."""
    from extensions.sshing import hosts_of
    from pipeline.launchers.ssh.terms import laid_out
    from pipeline.settings.suggestion import did_you_mean

    name = host_of(fleet)
    if not name:
        return ()
    hosts = hosts_of(fleet)
    names = [host.name for host in hosts]
    if name not in names:
        raise UsageError(f"there is no host {name!r}{did_you_mean(name, names)}", hint=f"there are {', '.join(names)}")
    if not fleet.join.name.get():
        raise UsageError(
            f"host={name} needs the name of the run that all hosts share",
            hint="the same on every host, another one for each run: join.name=nightly-4711",
        )
    own = next(host for host in hosts if host.name == name)
    if said := unheard(fleet, own):
        raise UsageError(
            f"host={name} cannot do what is said of that host: {', '.join(said)}",
            hint="only a login carries that out: do it around this command, and leave it out here, as ssh.before=[]",
        )
    found = tuple(slot for slot, host in enumerate(laid_out(hosts, slots)) if host.name == name)
    if not found:
        raise UsageError(f"host {name!r} has no slot among {slots}", hint="see workers.count and hosts.<name>.slots")
    return found


def unheard(fleet: Fleet, host: HostTerms) -> list[str]:
    """What is said of a host that is carried out where it is logged into, and only there."""
    said = {
        "before or images": host.before,
        "after": host.after,
        "python": host.pythons,
        "archives": fleet.ssh.archives.get(),
    }
    return [name for name, value in said.items() if value]


def own_env(fleet: Fleet) -> Mapping[str, str]:
    """Variables that are said of the host that this machine is said to be."""
    from extensions.sshing import named_hosts

    name = host_of(fleet)
    return next((host.env for host in named_hosts(fleet) if host.name == name), {}) if name else {}
