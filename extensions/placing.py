"""From the settings of machines, queues and suites to the plain values that tests are placed by. Starts nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count
from typing import TYPE_CHECKING, Any, Final

from pipeline.errors import UsageError

if TYPE_CHECKING:
    from extensions.fleet import Fleet
    from pipeline.launchers.ssh.terms import HostTerms
    from pipeline.logic.placement.grounds import Grounds, Seat
    from pipeline.logic.placement.offers import Host, Queue, Selecting
    from pipeline.logic.resource_ranges.ranges import Range
    from pipeline.model.suites import Suite

LOCAL: Final = "local"
"""What this machine is called where the launcher is `local`."""
SAID: Final = ("only", "no", "cpus", "memory")
_MAY_BE_VARIABLE: Final = re.compile(
    r"(?i)(?!(path|home|user|shell|term|lang|tmpdir|pwd|tz)$)(?!(python|pytest|ld|doit|lc)[_-]?)[a-z][\w-]*"
)
REQUIRED: Final = ("host", "queue", "labels", "cpus", "memory", "exclusive", "affinity")


def count_places(fleet: Fleet, suites: Callable[[], Sequence[Suite]], launcher: str) -> int:
    """How many workers the launcher has room for; where it does not say, this machine. Raises `UsageError`."""
    from extensions import plugins
    from extensions.sizing import count_by

    count_by(fleet, suites)
    say = getattr(plugins.load("launchers", launcher), "count_slots", None)
    return _slots_here(fleet, launcher) if say is None else int(say(fleet))


def _slots_here(fleet: Fleet, launcher: str) -> int:
    """How many workers this machine has room for: one for each of its queues, else for each of its cores; where tests or settings
    say more to count by, as many as fit now."""
    from pipeline.adapters.cores import available_cores

    if launcher != LOCAL:
        return available_cores()
    if named := len(fleet.local.queues.names()):
        return named
    from extensions.sizing import fit_here, is_wanted

    return fit_here(fleet, fleet.local).count if is_wanted(fleet.local) or any(_demanding(fleet)) else available_cores()


def slots_of_host(host: Any) -> int | str:
    """How many tests a host runs at once: one in each queue, where these are named."""
    queues = getattr(host, "queues", None)
    slots: int | str = host.slots.get()
    return (len(queues.names()) if queues is not None else 0) or slots


def grounds_of(fleet: Fleet, suites: Callable[[], Sequence[Suite]], launcher: str, slots: int) -> Grounds | None:
    """What tests are placed by; None: every slot may run every test, and nobody has said more of them. Raises `UsageError`."""
    machines = _machines(fleet, launcher)
    if machines is None:
        _refuse_requirements(fleet, launcher)
        return None
    if not any(map(_says_anything, machines.values())) and not any(_demanding(fleet)):
        return None
    from extensions.own_share import share_of
    from pipeline.logic.placement.grounds import Grounds

    _refuse_pools(fleet)
    if launcher == LOCAL:
        named = fleet.local.queues.names()
        if named and slots > len(named):
            raise UsageError(
                f"workers.count is {slots}, but this machine has {len(named)} queues",
                hint="there is one worker for each of local.queues: leave workers.count out",
            )
        of_slot, sizes = [LOCAL] * slots, {LOCAL: len(named) or slots}
    else:
        laid, hosts = _laid_out(fleet, slots)
        of_slot, sizes = [host.name for host in laid], {host.name: host.slots for host in hosts}
    shares = _shares(fleet, machines, sizes)
    seats = tuple(_seats(fleet, machines, of_slot, shares))
    return Grounds(
        hosts=tuple(_hosts(machines, seats)),
        seats=seats,
        demands=_demands(fleet, suites),
        is_whole=not any(_selections(fleet)),
        share=share_of(fleet, slots),
    )


def checked(fleet: Fleet, grounds: Grounds | None) -> str:
    """What `doctor` says of it."""
    from extensions.sizing import told

    return "; ".join((_checked(grounds), *told(fleet)))


def _checked(grounds: Grounds | None) -> str:
    if grounds is None:
        return "every worker may run every test"
    ranges = sum(len(seat.ranges) for seat in grounds.seats)
    return f"{len(grounds.seats)} queues ({', '.join(str(seat.place) for seat in grounds.seats)}), {ranges} shares of ranges"


def _machines(fleet: Fleet, launcher: str) -> Mapping[str, Any] | None:
    """Settings of all machines by name; None: the launcher knows no queues."""
    if launcher == LOCAL:
        return {LOCAL: fleet.local}
    if launcher != "ssh":
        return None
    from extensions.sshing import hosts_of

    known = {*fleet.hosts.names()}
    return {host.name: fleet.hosts[host.name] if host.name in known else host for host in hosts_of(fleet)}


def _says_anything(machine: Any) -> bool:
    if not hasattr(type(machine), "queues"):
        return False
    return bool(machine.queues.names() or machine.ranges.names() or any(getattr(machine, name).get() for name in SAID))


def _demanding(fleet: Fleet) -> Iterator[str]:
    """Suites that require anything."""
    for name in fleet.suites.names():
        requires = fleet.suites[name].requires
        if any(getattr(each, one).get() for each in (requires, requires.keys) for one in REQUIRED):
            yield name


def _refuse_requirements(fleet: Fleet, launcher: str) -> None:
    for name in _demanding(fleet):
        raise UsageError(
            f"suite {name!r} requires something of its place, and launcher {launcher!r} knows no places",
            hint="places are queues of this machine or of hosts: workers.launcher = 'local' or 'ssh'; else use pools",
        )


def _refuse_pools(fleet: Fleet) -> None:
    pools = list(dict.fromkeys(fleet.suites[name].pool.get() for name in fleet.suites.names()))
    if len(pools) > 1:
        raise UsageError(
            f"suites use pools {pools[0]!r} and {pools[1]!r}, and there are queues",
            hint="say by queues which suite runs where: local.queues.<name>.only, suites.<name>.requires.queue",
        )


def _laid_out(fleet: Fleet, slots: int) -> tuple[Sequence[HostTerms], Sequence[HostTerms]]:
    from extensions.sshing import hosts_of
    from pipeline.launchers.ssh.terms import laid_out

    hosts = hosts_of(fleet)
    return laid_out(hosts, slots), hosts


def _names(machine: Any, size: int) -> Sequence[str]:
    """The queues of a machine: those that are named, else its slots by number."""
    named = machine.queues.names() if hasattr(type(machine), "queues") else ()
    return named or [str(number) for number in range(1, size + 1)]


def _shares(fleet: Fleet, machines: Mapping[str, Any], sizes: Mapping[str, int]) -> dict[tuple[str, str], list[Range]]:
    """Of each queue, by machine and name. Raises `UsageError` for ranges that overlap or hold too little."""
    from pipeline.logic.resource_ranges.dividing import divide, refuse_overlaps, refuse_same_variables

    wholes = {name: list(_ranges(name, machine)) for name, machine in machines.items()}
    refuse_overlaps({name: [whole for whole, _ in ranges] for name, ranges in wholes.items()})
    shares: dict[tuple[str, str], list[Range]] = {}
    for name, ranges in wholes.items():
        refuse_same_variables(name, [whole for whole, _ in ranges])
        queues = _names(machines[name], sizes[name])
        for whole, each in ranges:
            try:
                divided = divide(whole, queues, each=each or None)
            except UsageError as error:
                raise UsageError(f"{_path(name)}.ranges.{whole.name}: {error.message}", hint=error.hint) from None
            for queue, share in divided.items():
                shares.setdefault((name, queue), []).append(share)
    return shares


def _ranges(name: str, machine: Any) -> Iterator[tuple[Range, int]]:
    from pipeline.logic.resource_ranges.kinds import Kind
    from pipeline.logic.resource_ranges.ranges import parse_range

    if not hasattr(type(machine), "ranges"):
        return
    for one in machine.ranges.names():
        if not _MAY_BE_VARIABLE.fullmatch(one):
            raise UsageError(
                f"{_path(name)}.ranges.{one}: tests would get it as the variable {one.upper()!r}",
                hint="rename the range",
            )
        said = machine.ranges[one]
        try:
            yield parse_range(one, Kind(said.kind.get()), said.of.get()), said.each.get()
        except UsageError as error:
            raise UsageError(f"{_path(name)}.ranges.{one}: {error.message}", hint=error.hint) from None


def _seats(
    fleet: Fleet, machines: Mapping[str, Any], of_slot: Sequence[str], shares: Mapping[tuple[str, str], Sequence[Range]]
) -> Iterator[Seat]:
    from pipeline.logic.placement.grounds import Seat
    from pipeline.logic.placement.offers import Place

    numbers = {name: count() for name in machines}
    queues = {name: _names(machine, len(of_slot)) for name, machine in machines.items()}
    for name in of_slot:
        queue = queues[name][next(numbers[name])]
        env = machines[name].queues[queue].env.get() if _has(machines[name], queue) else {}
        yield Seat(place=Place(name, queue), env=_revealed(env, fleet), ranges=tuple(shares.get((name, queue), ())))


def _has(machine: Any, queue: str) -> bool:
    return hasattr(type(machine), "queues") and queue in machine.queues.names()


def _revealed(env: Mapping[str, Any], fleet: Fleet) -> dict[str, str]:
    from pipeline.settings.secret import Secret

    return {
        name: value.reveal(fleet.environment, fleet.home) if isinstance(value, Secret) else value
        for name, value in env.items()
    }


def _hosts(machines: Mapping[str, Any], seats: Sequence[Seat]) -> Iterator[Host]:
    from pipeline.logic.placement.offers import Host

    for name, machine in machines.items():
        queues = tuple(_queue(name, machine, seat.place.queue) for seat in seats if seat.place.host == name)
        if not hasattr(type(machine), "queues"):
            yield Host(name=name, queues=queues, labels=frozenset(machine.labels))
            continue
        yield Host(
            name=name,
            queues=queues,
            labels=frozenset(machine.labels.get()),
            cpus=machine.cpus.get(),
            memory_bytes=machine.memory.get(),
            selecting=_selecting(_path(name), machine),
        )


def _queue(name: str, machine: Any, queue: str) -> Queue:
    from pipeline.logic.placement.offers import Queue

    if not _has(machine, queue):
        return Queue(name=queue)
    said = machine.queues[queue]
    return Queue(
        name=queue,
        labels=frozenset(said.labels.get()),
        selecting=_selecting(f"{_path(name)}.queues.{queue}", said),
    )


def _selecting(path: str, said: Any) -> Selecting:
    from pipeline.logic.matrix.places import Place
    from pipeline.logic.matrix.words import filter_of
    from pipeline.logic.placement.offers import Selecting

    only, no, claims = said.only.get(), said.no.get(), said.claims.get()
    if claims and not only:
        raise UsageError(f"{path}.claims without {path}.only", hint='say what is claimed: only = "boot, install"')
    return Selecting(
        only=filter_of(only, Place(f"{path}.only", 0)) if only else None,
        no=filter_of(no, Place(f"{path}.no", 0)) if no else None,
        is_exclusive=claims,
    )


def _path(machine: str) -> str:
    return LOCAL if machine == LOCAL else f"hosts.{machine}"


def _selections(fleet: Fleet) -> Iterator[object]:
    """What keeps tests out that filters of places may speak of."""
    for selection in (fleet.select, fleet.exclude, *(fleet.suites[name].select for name in fleet.suites.names())):
        for name in selection.declares():
            yield getattr(selection, name).get()


def _demands(fleet: Fleet, suites: Callable[[], Sequence[Suite]]) -> Any:
    def demands(tests: Sequence[Any]) -> Sequence[Any]:
        from extensions.demanding import demands_of

        return demands_of(fleet, suites(), tests)

    return demands
