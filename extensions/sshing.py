"""From the settings of hosts to plain values, and to the launcher `ssh`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import UsageError
from pipeline.settings.secret import Secret

if TYPE_CHECKING:
    from extensions.fleet import Fleet
    from extensions.plugins import Launching
    from pipeline.adapters.openssh import Client
    from pipeline.launchers.local import LocalLauncher
    from pipeline.launchers.queues import QueuePlace
    from pipeline.launchers.ssh.editing import HostsFile
    from pipeline.launchers.ssh.launcher import SshLauncher
    from pipeline.launchers.ssh.terms import HostTerms, Whose
    from pipeline.model.swept import Swept


def hosts_of(fleet: Fleet) -> tuple[HostTerms, ...]:
    """All hosts that the settings name, those without a number of slots asked for it. Raises `UsageError` when there are none."""
    from attrs import evolve

    found = named_hosts(fleet)
    autos = [host for host in found if not host.slots]
    if not autos:
        return found
    from extensions.own_share import host_of
    from extensions.sizing import fit_here, fits_of_hosts

    if host_of(fleet):
        raise UsageError(
            f"host {autos[0].name!r} has no number of slots, and each host would count others",
            hint="host=X needs one for every host: ssh.slots, hosts.<name>.slots, or queues",
        )

    named = fleet.hosts.names()
    machines = {host.name: fleet.hosts[host.name] if host.name in named else fleet.ssh for host in autos}
    fits = fits_of_hosts(fleet, [host for host in autos if host.address is not None], machines)
    return tuple(
        host if host.slots else evolve(host, slots=(fits.get(host.name) or fit_here(fleet, machines[host.name])).count)
        for host in found
    )


def named_hosts(fleet: Fleet) -> tuple[HostTerms, ...]:
    """The same, nobody asked: 0 slots are as many as fit. Raises `UsageError`."""
    found = (*_named(fleet), *_listed(fleet))
    if not found:
        raise UsageError(
            "there are no hosts for the launcher 'ssh'",
            hint="name them: [tool.doit-fleet.hosts.<name>], or a file: ssh.hosts_file; see docs/ssh.md",
        )
    names = [host.name for host in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UsageError(f"host {twice!r} is named twice", hint="see [tool.doit-fleet.hosts] and ssh.hosts_file")
    return found


def slots_of(fleet: Fleet) -> int:
    """How many tests all hosts together may run at once."""
    return sum(host.slots for host in hosts_of(fleet))


def client_of(fleet: Fleet) -> Client:
    """OpenSSH's client as the settings want it."""
    from pipeline.adapters.openssh import Client

    ssh = fleet.ssh
    _refuse_blindness(ssh.options.get())
    config: Path | None = ssh.config.get()
    return Client(
        program=ssh.program.get(),
        config=str(config) if config is not None else "",
        options=tuple(ssh.options.get()),
        connect_seconds=ssh.connect_timeout_seconds.get(),
    )


def _refuse_blindness(options: Sequence[str]) -> None:
    for option in options:
        name, _, value = option.replace("=", " ").partition(" ")
        if name.lower() == "stricthostkeychecking" and value.strip().lower() in ("no", "off", "false"):
            raise UsageError(
                f"ssh.options may not hold {option!r}: host keys are always checked",
                hint="log in once by hand, or say StrictHostKeyChecking=accept-new for hosts that are new each time",
            )


def launcher_of(launching: Launching, local: LocalLauncher) -> SshLauncher:
    """The launcher."""
    from extensions.dockering import store_label
    from pipeline.launchers.ssh.launcher import SshLauncher

    fleet, hosts = launching.fleet, hosts_of(launching.fleet)
    _tell_unheard(fleet, hosts, launching.tell)
    places: Sequence[QueuePlace] = ()
    if launching.grounds is not None:
        from pipeline.launchers.queues import queue_places

        places = queue_places(launching.grounds, "")
    return SshLauncher(
        local,
        launching.specs,
        hosts,
        Path(fleet.scope.ledger.context.root),
        launching.sources,
        slots=launching.slots,
        label=store_label(fleet),
        lease_seconds=launching.lease_seconds,
        client=client_of(fleet),
        keep_seconds=fleet.ssh.keep_seconds.get(),
        zygote=fleet.local.zygote.get(),
        places=places,
        tell=launching.tell,
        archives=_archives(fleet),
        edits=_edits(fleet),
        most=None if any(fleet.pools[pool.name].count.get() == "auto" for pool in launching.pools) else launching.slots,
    )


def _tell_unheard(fleet: Fleet, hosts: Sequence[HostTerms], tell: Callable[[str], None]) -> None:
    """This machine is the checkout itself, whatever is said of hosts."""
    from extensions.own_share import unheard

    for host in hosts:
        if host.address is None and (said := [*unheard(fleet, host), *(["env"] if host.env else [])]):
            tell(f"host {host.name!r} is this machine, without ssh: no effect on it have {', '.join(said)}")


def _archives(fleet: Fleet) -> dict[str, Path]:
    """By the name that each has in the project there. Raises `UsageError` for one that is not there, or whose name leads out."""
    root = Path(fleet.scope.ledger.context.root)
    found = {}
    for name, said in fleet.ssh.archives.get().items():
        path = root / str(said)
        if not path.is_file():
            raise UsageError(f"ssh.archives: there is no file {str(path)!r}", hint=f"it is to lie unpacked in {name!r}")
        if name.startswith("/") or ".." in name.split("/") or not name.strip("/."):
            raise UsageError(f"ssh.archives: {name!r} is no folder of the project", hint='write "data/corpus"')
        found[name.strip("/")] = path
    return found


def _pulls(images: Sequence[str], program: str) -> tuple[str, ...]:
    """Commands that pull what a host does not have."""
    import shlex

    quoted = [(shlex.quote(program), shlex.quote(image)) for image in images]
    return tuple(f"{tool} image inspect {image} > /dev/null 2>&1 || {tool} pull {image}" for tool, image in quoted)


def _edits(fleet: Fleet) -> HostsFile | None:
    """Only a hosts file may change: settings are final once they are read."""
    from pipeline.launchers.ssh.editing import HostsFile

    path: Path | None = fleet.ssh.hosts_file.get()
    return None if path is None else HostsFile(path=path, read=lambda: hosts_of(fleet))


def whose(fleet: Fleet) -> Whose:
    """Whose leftovers are this store's, and a name for visits."""
    import os
    import secrets

    from extensions.dockering import store_label
    from pipeline.launchers.ssh.terms import Whose

    return Whose(
        label=store_label(fleet),
        agent=f"visit-{os.getpid()}-{secrets.token_hex(4)}",
        keep_seconds=fleet.ssh.keep_seconds.get(),
    )


def sweep_hosts(fleet: Fleet) -> Swept:
    """Remove what dead agents of this store have left on hosts. Those that are not there are named."""
    import asyncio

    from pipeline.errors import EngineError
    from pipeline.launchers.ssh.visiting import sweep
    from pipeline.model.swept import Swept

    found = asyncio.run(sweep(client_of(fleet), named_hosts(fleet), whose(fleet)))
    removed, kept = [], {}
    for name, told in found.items():
        if isinstance(told, EngineError):
            kept[f"what may be left on host {name!r}"] = str(told)
        else:
            removed += [f"folder {folder} on host {name!r}" for folder in told]
    return Swept(removed=tuple(removed), kept=kept)


def _named(fleet: Fleet) -> Iterator[HostTerms]:
    from extensions.placing import slots_of_host

    for name in fleet.hosts.names():
        host = fleet.hosts[name]
        address = str(host.address.get())
        yield _terms(
            host, name, address, host.user.get(), host.port.get(), slots_of_host(host), tuple(host.labels.get())
        )


def _listed(fleet: Fleet) -> Iterator[HostTerms]:
    from pipeline.logic.hosts_file import read_hosts

    path = fleet.ssh.hosts_file.get()
    if path is None:
        return
    try:
        text = path.read_text("utf-8")
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot read the hosts file {str(path)!r}: {error}", hint="see ssh.hosts_file") from error
    for listed in read_hosts(text, str(path)):
        slots = fleet.ssh.slots.get() if listed.slots is None else listed.slots
        if listed.options:
            hint = "say it in ~/.ssh/config, which ssh reads"
            raise UsageError(
                f"{path}:{listed.line}: options for ssh ({' '.join(listed.options)!r}) are not passed on", hint=hint
            )
        name = str(listed) if listed.port else listed.host or ":"
        yield _terms(fleet.ssh, name, listed.host or ":", listed.user, listed.port or 0, slots, listed.groups)


def _terms(
    said: Any, name: str, address: str, user: str, port: int, slots: int | str, labels: tuple[str, ...]
) -> HostTerms:
    from pipeline.adapters.openssh import Address
    from pipeline.launchers.ssh.terms import HostTerms

    if address.startswith("-"):
        raise UsageError(f"host {name!r}: {address!r} is no address")
    return HostTerms(
        name=name,
        address=None if address == ":" else Address(host=address, user=user, port=port),
        slots=0 if slots == "auto" else int(slots),
        pythons=tuple(said.python.get()),
        folder=said.folder.get(),
        env=_revealed(said.env.get(), said.scope.fleet),
        labels=labels,
        before=(*_pulls(said.images.get(), said.images_program.get()), *said.before.get()),
        after=tuple(said.after.get()),
        before_seconds=said.before_timeout_seconds.get(),
    )


def _revealed(env: Mapping[str, str | Secret], fleet: Fleet) -> dict[str, str]:
    """Sent to hosts' standard input only."""
    return {
        name: value.reveal(fleet.environment, fleet.home) if isinstance(value, Secret) else value
        for name, value in env.items()
    }
