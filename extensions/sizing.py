"""How many slots machines have where nobody has named a number: asked of each machine once for a command."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

from pipeline.errors import UsageError

if TYPE_CHECKING:
    from extensions.fleet import Fleet
    from pipeline.launchers.ssh.terms import HostTerms
    from pipeline.logic.placement.sizing import Fit, Terms
    from pipeline.model.suites import Suite

_SUITES: Final[WeakKeyDictionary[Fleet, Callable[[], Sequence[Suite]]]] = WeakKeyDictionary()
_FITS: Final[WeakKeyDictionary[Fleet, dict[str, Fit]]] = WeakKeyDictionary()
HERE: Final = ":"


def count_by(fleet: Fleet, suites: Callable[[], Sequence[Suite]]) -> None:
    """From now on slots are counted by what tests of these suites need."""
    _SUITES[fleet] = suites


def refuse_empty(counts: Mapping[str, int | str]) -> None:
    """Raise `UsageError` when some pools have no workers, but not all."""
    empty = [name for name, count in counts.items() if not count]
    if empty and len(empty) < len(counts):
        raise UsageError(
            f"pool {empty[0]!r} has no workers, but others have", hint="0 is for all pools at once: workers.count=0"
        )


def is_wanted(local: Any) -> bool:
    """Whether this machine's slots are counted by more than its cores: something was said to count by."""
    reserve = local.reserve
    said = (local.cpus, local.memory, reserve.cpus, reserve.memory)
    return any(one.get() is not None for one in said)


def fit_here(fleet: Fleet, machine: Any) -> Fit:
    """How many tests fit on this machine now. Asked once."""
    fits = _FITS.setdefault(fleet, {})
    if HERE not in fits:
        from pipeline.adapters.vacancy import vacancy
        from pipeline.logic.placement.sizing import slots_that_fit

        fits[HERE] = slots_that_fit(vacancy(), _terms(fleet, machine))
    return fits[HERE]


def fits_of_hosts(fleet: Fleet, hosts: Sequence[HostTerms], machines: Mapping[str, Any]) -> Mapping[str, Fit]:
    """How many fit on each of these hosts now, all asked at once and once; who does not answer gets as many as this machine has cores."""
    fits = _FITS.setdefault(fleet, {})
    unknown = [host for host in hosts if host.name not in fits]
    if unknown:
        import asyncio
        from concurrent.futures import ThreadPoolExecutor

        from extensions.sshing import client_of, whose
        from pipeline.adapters.cores import available_cores
        from pipeline.launchers.ssh.visiting import look
        from pipeline.logic.placement.sizing import Fit, Vacancy, slots_that_fit

        with ThreadPoolExecutor(1) as beside:  # The first to ask may be on the agent's own event loop.
            asking = look(client_of(fleet), unknown, whose(fleet), {})
            found = beside.submit(asyncio.run, asking).result()
        for host in unknown:
            hello = found[host.name].hello
            if hello is None:
                fits[host.name] = Fit(available_cores(), "it did not answer, so as many as this machine has cores")
            else:
                seen = Vacancy(cores=hello.cores, load=hello.load, memory_bytes=hello.memory or None)
                fits[host.name] = slots_that_fit(seen, _terms(fleet, machines[host.name]))
    return fits


def told(fleet: Fleet) -> Sequence[str]:
    """What was counted, for people."""
    return [
        f"{'this machine' if name == HERE else name}: {fit.count} slots, {fit.why}"
        for name, fit in _FITS.get(fleet, {}).items()
    ]


def _terms(fleet: Fleet, machine: Any) -> Terms:
    from extensions.demanding import amounts_of
    from pipeline.logic.placement.grounds import Amount
    from pipeline.logic.placement.sizing import Terms

    suites = _SUITES.get(fleet)
    amounts = amounts_of(fleet, suites()) if suites is not None else ()
    if not hasattr(type(machine), "reserve"):
        return Terms(demands=amounts)
    return Terms(
        demands=amounts,
        is_average=machine.demand.get() == "average",
        reserve=Amount(machine.reserve.cpus.get() or 0.0, machine.reserve.memory.get() or 0),
        budget=Amount(machine.cpus.get(), machine.memory.get()),
    )
