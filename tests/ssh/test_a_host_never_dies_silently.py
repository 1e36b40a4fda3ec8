"""A host whose connection comes to nothing is tried again or set aside with its text, whatever went wrong, and takes no other with it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipeline.adapters.openssh import Address
from pipeline.adapters.remote_project import Manifest
from pipeline.errors import UsageError
from pipeline.launchers.ssh.host import Common, Host
from pipeline.launchers.ssh.terms import HostTerms, Whose
from tests.ssh.house import Lab, lab


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Two hosts for all tests here."""
    with lab(tmp_path_factory.mktemp("lab"), ("one", "two")) as made:
        yield made


def made(hosts: Lab, folder: Path, manifest: Callable[[], asyncio.Future[Manifest]], told: list[str]) -> list[Host]:
    """Both, with that project; what they tell people."""
    common = Common(
        specs={},
        root=str(folder),
        scratch=folder,
        client=hosts.client,
        whose=Whose(label="tests", agent="silent", keep_seconds=60.0),
        lease_seconds=4.0,
        shares_zygotes=True,
        manifest=manifest,
        tell=told.append,
        changed=lambda: None,
    )
    terms = (
        HostTerms(name=name, address=Address(host=name), slots=1, folder=str(hosts.remote)) for name in hosts.hosts
    )
    return [Host(one, common) for one in terms]


def test_a_host_that_is_left_takes_no_other_with_it(hosts: Lab, tmp_path: Path) -> None:
    """It goes while the one list of the project's files is made for all: the others wait on for that."""

    async def scenario() -> tuple[bool, list[str]]:
        told = list[str]()
        manifest: asyncio.Future[Manifest] = asyncio.get_running_loop().create_future()
        asked = list[int]()

        def ask() -> asyncio.Future[Manifest]:
            asked.append(1)
            return manifest

        stays, goes = made(hosts, tmp_path, ask, told)
        try:
            stays.begin()
            goes.begin()
            async with asyncio.timeout(30.0):
                while len(asked) < 2:
                    await asyncio.sleep(0.01)
            await goes.close()
            if not manifest.done():
                manifest.set_result(Manifest(tmp_path))
            return await stays.ready(20.0), told
        finally:
            await asyncio.gather(stays.close(), goes.close())

    assert asyncio.run(scenario()) == (True, [])


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (OSError(5, "Input/output error", "/data/corpus.tgz"), "Input/output error: '/data/corpus.tgz'"),
        (UsageError("there are no files", hint="add some"), "there are no files; add some"),
        (KeyError("missing"), "KeyError: 'missing'"),
    ],
    ids=["system", "usage", "nonsense"],
)
def test_whatever_goes_wrong_is_said(hosts: Lab, tmp_path: Path, error: Exception, text: str) -> None:
    """Not only what an engine says: the host is set aside with its text, else the run would wait for it for ever."""

    async def scenario() -> list[Host]:
        async def fail() -> Manifest:
            raise error

        both = made(hosts, tmp_path, lambda: asyncio.ensure_future(fail()), [])
        try:
            for host in both:
                host.begin()
            assert not any(await asyncio.gather(*(host.ready(20.0) for host in both)))
        finally:
            await asyncio.gather(*(host.close() for host in both))
        return both

    assert [text in host.set_aside for host in asyncio.run(scenario())] == [True, True]
    assert hosts.left() == []
