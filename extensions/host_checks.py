"""What `doctor` says of hosts by ssh: all are asked at once, and each is a row of one table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from extensions.sshing import client_of, hosts_of, whose

if TYPE_CHECKING:
    from extensions.fleet import Fleet
    from pipeline.launchers.ssh.terms import HostTerms
    from pipeline.launchers.ssh.visiting import Found
    from pipeline.model.suites import Suite
    from pipeline.stages.agent import Check

HINT = (
    "name an interpreter that has the project's dependencies: hosts.<name>.python, or install them: hosts.<name>.before"
)


def checks_of(fleet: Fleet, suites: Sequence[Suite]) -> Iterator[Check]:
    """One for each host, in order."""
    import asyncio

    from pipeline.launchers.ssh.visiting import look

    hosts = hosts_of(fleet)
    modules = {suite.name: "" if suite.command is not None else suite.framework for suite in suites}
    wanted = {suite.name: ((suite.interpreter.path, "python3"), modules[suite.name]) for suite in suites}
    found = asyncio.run(look(client_of(fleet), hosts, whose(fleet), wanted))
    rows = _aligned([_cells(host, found.get(host.name)) for host in hosts])
    for host, row in zip(hosts, rows, strict=True):
        yield _check(host, found.get(host.name), row)


def _check(host: HostTerms, one: Found | None, row: str) -> Check:
    from pipeline.stages.agent import Check

    name = f"host {host.name}"
    if one is not None and one.error is not None:
        return Check(name=name, good=False, text=one.error.message, hint=one.error.hint)
    is_bad = one is not None and any(text.startswith("!") for text in one.pythons.values())
    return Check(name=name, good=not is_bad or bool(host.before), text=row, hint=HINT)


def _cells(host: HostTerms, one: Found | None) -> Sequence[str]:
    """None: it is this machine."""
    slots = f"{host.slots} slot{'' if host.slots == 1 else 's'}"
    if one is None:
        return (slots, "this machine")
    if one.hello is None:
        return ()
    hello = one.hello
    return (
        slots,
        f"first word after {hello.login_seconds:.2f} s",
        hello.system,
        f"{hello.cores} cores",
        f"load {hello.load:.1f}",
        f"{hello.free // 2**20} MiB free",
        f"Python {hello.python}",
        "; ".join(f"suite {suite!r}: {text.removeprefix('!')}" for suite, text in one.pythons.items()),
    )


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Texts whose cells begin below each other."""
    columns = max((len(row) for row in rows), default=0)
    widths = [max(len(row[at]) for row in rows if len(row) > at) for at in range(columns)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False)).rstrip() for row in rows]
