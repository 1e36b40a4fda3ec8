"""Short visits to hosts, outside runs: what is there, and what dead agents have left. All hosts at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar

from attrs import frozen

from pipeline.adapters.openssh import Client
from pipeline.adapters.relay_link import Hello, RelayLink
from pipeline.adapters.relay_streams import RemoteJob
from pipeline.errors import EngineError
from pipeline.launchers.ssh.terms import HostTerms, Whose, plain

T = TypeVar("T")
SILENCE_SECONDS = 20.0
PING_SECONDS = 2.0
AT_ONCE = 10


@frozen(kw_only=True)
class Found:
    """What a visit has found, or why there was none."""

    hello: Hello | None = None
    pythons: Mapping[str, str]
    """By suite: what runs its tests there, for people; what begins with `!` does not."""
    error: EngineError | None = None


async def look(
    client: Client, hosts: Sequence[HostTerms], whose: Whose, wanted: Mapping[str, tuple[tuple[str, ...], str]]
) -> Mapping[str, Found]:
    """See what hosts have; `wanted` by suite: interpreters to try, and the module that its framework is;
    empty: it needs none."""

    async def one(host: HostTerms, link: RelayLink, hello: Hello) -> Found:
        found = {}
        for suite, (pythons, module) in wanted.items():
            asked = (
                f", {module}; print(sys.version.split()[0], {module}.__version__)"
                if module
                else "; print(sys.version.split()[0])"
            )
            code = f"import sys{asked}"
            told = await RemoteJob(link, "look", {"pythons": host.pythons or pythons, "code": code}).answer()
            found[suite] = _python(told["python"], told["code"], str(told["output"]).strip(), module)
        return Found(hello=hello, pythons=found)

    seen = await _all(client, hosts, whose, one)
    return {name: one if isinstance(one, Found) else Found(pythons={}, error=one) for name, one in seen.items()}


async def sweep(client: Client, hosts: Sequence[HostTerms], whose: Whose) -> Mapping[str, Sequence[str] | EngineError]:
    """Remove what dead relays of this store have left: names of their folders by host, or why a host could not be swept."""

    async def one(host: HostTerms, link: RelayLink, hello: Hello) -> Sequence[str]:
        order = {"label": whose.label, "keep_seconds": whose.keep_seconds}
        return list((await RemoteJob(link, "tidy", order).answer())["removed"])

    return await _all(client, hosts, whose, one)


async def _all(
    client: Client,
    hosts: Sequence[HostTerms],
    whose: Whose,
    do: Callable[[HostTerms, RelayLink, Hello], Awaitable[T]],
) -> dict[str, T | EngineError]:
    gate = asyncio.Semaphore(AT_ONCE)

    async def visit(host: HostTerms) -> T | EngineError:
        assert host.address is not None
        link = RelayLink(client, host.address, name=host.name)
        order = {
            "name": f"{whose.agent}-{plain(host.name)}-visit",
            "folder": host.folder,
            "about": {"label": whose.label, "after": []},
            "env": dict(host.env),
            "least_bytes": 0,
        }
        python = next((one for one in host.pythons if one.startswith("/")), "")
        async with gate:
            try:
                hello = await link.open(
                    order, python=python, silence_seconds=SILENCE_SECONDS, ping_seconds=PING_SECONDS
                )
                return await do(host, link, hello)
            except EngineError as error:
                return error
            finally:
                await link.close(SILENCE_SECONDS)

    remote = [host for host in hosts if host.address is not None]
    return dict(zip((host.name for host in remote), await asyncio.gather(*map(visit, remote)), strict=True))


def _python(python: str | None, code: int | None, output: str, module: str) -> str:
    if python is None:
        return "!none of its interpreters is there"
    last = output.splitlines()[-1] if output else ""
    if code != 0:
        return f"!{python}: {last or f'status {code}'}"
    version, _, framework = last.partition(" ")
    return f"{python} (Python {version}, {module} {framework})" if module else f"{python} (Python {version})"
