"""The launcher `ssh` keeps what every launcher must keep, on two real SSH servers."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from pipeline.adapters.openssh import Address
from pipeline.contracts.launcher_contract import LauncherContract
from pipeline.launchers.local import LocalLauncher
from pipeline.launchers.ssh.launcher import SshLauncher
from pipeline.launchers.ssh.terms import HostTerms
from pipeline.model.suites import HarnessSpec
from pipeline.ports import Launcher
from tests.processes.house import SERVING
from tests.processes.pythons import PYTHONS
from tests.ssh.house import Lab, lab


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Two hosts for all tests here."""
    with lab(tmp_path_factory.mktemp("lab"), ("one", "two")) as made:
        yield made


class TestSshLauncher(LauncherContract):
    """Harnesses on hosts, forked from a warm parent there."""

    zygote = True
    pythons: tuple[str, ...] = ()
    hosts: Lab

    @pytest.fixture(autouse=True)
    def _take(self, hosts: Lab) -> None:
        self.hosts = hosts

    @contextlib.asynccontextmanager
    async def launcher(self, folder: Path) -> AsyncIterator[Launcher]:
        """A launcher with a slot on each of two hosts, once both are there."""
        project = folder / "project"
        project.mkdir()
        spec = HarnessSpec(suite="contract", python=sys.executable, cwd=str(project), module=SERVING)
        specs = {"contract": spec}
        made = SshLauncher(
            LocalLauncher(specs, folder / "scratch", slots=2, lease_seconds=4.0),
            specs,
            [
                HostTerms(
                    name=name,
                    address=Address(host=name),
                    slots=1,
                    folder=str(self.hosts.remote),
                    pythons=self.pythons,
                )
                for name in self.hosts.hosts
            ],
            project,
            tuple,
            slots=2,
            label="contract",
            lease_seconds=4.0,
            client=self.hosts.client,
            zygote=self.zygote,
        )
        made.approach()
        try:
            assert await made.ready(30.0), made.closed()
            yield made
        finally:
            await made.close()
        assert self.hosts.left() == []


class TestSshLauncherWithFreshInterpreters(TestSshLauncher):
    """An interpreter started for each harness."""

    zygote = False


class TestSshLauncherWithTheOldestPython(TestSshLauncher):
    """Relay, zygotes and harnesses in the oldest Python that this machine has; best 3.8, see `tests/processes/pythons.py`."""

    @pytest.fixture(autouse=True)
    def _find(self) -> None:
        self.pythons = (str((PYTHONS[1:] or PYTHONS)[0].values[0]),)
