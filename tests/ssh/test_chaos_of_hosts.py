"""Hosts, their relays, connections and the agent are hurt at random by a seed, again and again in one run: no false failure.

`FLEET_CHAOS_SECONDS` makes it longer, `FLEET_CHAOS_SEED` another one.
"""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.engines.sshd import Sshd
from tests.faults.project import kill_all, until
from tests.faults.test_chaos import IN_FLIGHT, LONGEST_END_SECONDS, SECONDS, SEED, Chaos
from tests.ssh.house import SshProject, ssh_project


@pytest.fixture
def project(tmp_path: Path) -> Iterator[SshProject]:
    """Two hosts with two slots each; nothing is left on them."""
    yield from ssh_project(tmp_path / "project")


class HostChaos(Chaos):
    """What may happen to hosts."""

    project: SshProject

    def __init__(self, project: SshProject, seed: int) -> None:
        self.stopped: list[int] = []
        super().__init__(project, seed)

    def choices(self) -> list[Callable[[], None]]:
        """All that may happen."""
        return [*super().choices(), self.kill_relay, self.stop_relay, self.cut, self.kill_sessions, self.lose_power]

    def kill_relay(self) -> None:
        """SIGKILL: what it has started ends by itself."""
        relays = self.project.lab.relays()
        kill_all([self.choose.choice(relays)] if relays else [])

    def stop_relay(self) -> None:
        """SIGSTOP for ever: its guards end what runs, and nobody hears of it."""
        relays = self.project.lab.relays()
        if relays:
            self.stopped.append(self.choose.choice(relays))
            kill_all(self.stopped[-1:], signal.SIGSTOP)

    def cut(self) -> None:
        """Connections end."""
        self._host().cut_sessions()

    def kill_sessions(self) -> None:
        """With all that was started in them."""
        self._host().kill_sessions()

    def lose_power(self) -> None:
        """And come back."""
        host = self._host()
        host.lose_power()
        host.restart()

    def _host(self) -> Sshd:
        return self.choose.choice(list(self.project.lab.hosts.values()))


@pytest.mark.timeout(240 + 3 * SECONDS)
def test_any_mixture_of_faults_of_hosts_is_no_failure(project: SshProject) -> None:
    """Green at last, one verdict each; at most what was in flight is repeated."""
    project.busy()
    tests = project.sleepers(files=10, count=int(4 * SECONDS), seconds=0.1)
    chaos = HostChaos(project, SEED)
    chaos.running.until_begun(2)
    chaos.rage(SECONDS)
    code = chaos.running.end(LONGEST_END_SECONDS)
    print(chaos.faults)

    assert code == 0, f"{chaos.faults}\n{chaos.running.output[-3000:]}"
    assert Counter(project.verdicts().values()) == {"passed": tests}, chaos.faults
    begun = Counter(project.traces())
    assert sum(begun.values()) - tests <= 2 * IN_FLIGHT * project.workers * len(chaos.faults), chaos.faults
    kill_all(chaos.stopped)
    until(lambda: not project.processes(), project.processes, 20)
    project.sweep()
