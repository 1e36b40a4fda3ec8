"""Logins on real SSH servers: which work whatever the shell prints, and what is said of those that do not."""

from __future__ import annotations

import asyncio
import shlex
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from pipeline.adapters.openssh import Address, Client
from pipeline.adapters.relay_link import RelayLink
from pipeline.errors import EngineError
from pipeline.launchers.ssh.terms import HostTerms, Whose
from pipeline.launchers.ssh.visiting import Found, look
from tests.engines import IN_CONTAINER, REQUIRED, only_outside, require
from tests.engines.own import own_sshd
from tests.engines.sshd import Sshd, make_key, write_client_config
from tests.faults.mounts import tmpfs
from tests.faults.project import until
from tests.ssh.house import NO_PYTHON, Lab, lab

WHOSE = Whose(label="tests", agent="visit", keep_seconds=0.0)
SHELLS = {"dash": "dash", "bash": "bash", "csh": "tcsh", "fish": "fish"}
"""Programs, and the packages they come from."""


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A host for tests that do not change it."""
    with lab(tmp_path_factory.mktemp("lab"), ("lab1",)) as made:
        yield made


def visit(client: Client, folder: Path) -> Found:
    """What a visit of `lab1` finds."""
    host = HostTerms(name="lab1", address=Address(host="lab1"), slots=1, folder=str(folder))
    return asyncio.run(look(client, [host], WHOSE, {}))["lab1"]


def refusal(client: Client, folder: Path) -> EngineError:
    """Why a visit of `lab1` fails; nothing is left there."""
    found = visit(client, folder)
    assert found.error is not None
    assert list((folder / "runs").glob("*")) == []
    return found.error


def forced(stack: ExitStack, folder: Path, command: str) -> Lab:
    """A host that runs this instead of what it is asked for, which is in SSH_ORIGINAL_COMMAND."""
    return stack.enter_context(lab(folder, ("lab1",), {"lab1": {"ForceCommand": command}}))


@pytest.mark.parametrize("shell", SHELLS)
def test_any_login_shell_will_do(tmp_path: Path, shell: str) -> None:
    """What the login shell is called with is read alike by each, as sshd calls it: `<shell> -c <command>`."""
    with ExitStack() as stack:
        made = forced(stack, tmp_path / "lab", f'exec {shell} -c "$SSH_ORIGINAL_COMMAND"')
        require(shutil.which(shell), f"there is no {shell}: apt-get install {SHELLS[shell]}")
        found = visit(made.client, made.remote)

    assert found.hello is not None, found.error
    assert found.hello.executable


@pytest.mark.parametrize(
    "garbage", ["printf 'Welcome!\\nno line end'", "head -c 300000 /dev/urandom", "echo >&2 warned"]
)
def test_whatever_a_login_prints_does_no_harm(tmp_path: Path, garbage: str) -> None:
    """Banners, bytes and warnings come before our first word."""
    with ExitStack() as stack:
        made = forced(stack, tmp_path / "lab", f'{garbage}; exec sh -c "$SSH_ORIGINAL_COMMAND"')
        found = visit(made.client, made.remote)

    assert found.hello is not None, found.error


def test_a_login_that_prints_for_ever_is_given_up(tmp_path: Path) -> None:
    """It is told what is wrong with it."""
    with ExitStack() as stack:
        made = forced(stack, tmp_path / "lab", "exec yes")
        error = refusal(made.client, made.remote)

    assert "its login prints without end" in error.message
    assert error.permanent


def test_a_login_that_is_given_up_leaves_no_word_on_the_terminal(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A client that does not end by itself is ended, and asyncio hears of that before its pipes are closed."""
    program = tmp_path / "ssh"
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    program.chmod(0o755)

    async def give_up(number: int) -> None:
        link = RelayLink(Client(program=str(program)), Address(host="lab1"), name=f"lab{number}")
        with suppress(TimeoutError):
            async with asyncio.timeout(0.3):
                await link.open({}, python="", silence_seconds=1.0, ping_seconds=1.0)

    async def give_all_up() -> None:
        await asyncio.gather(*map(give_up, range(20)))

    asyncio.run(give_all_up())

    assert [record.getMessage() for record in caplog.records if record.name == "asyncio"] == []


def test_nobody_listens(tmp_path: Path) -> None:
    """It may come back."""
    with lab(tmp_path / "lab", ("lab1",)) as made:
        made.hosts["lab1"].stop()
        error = refusal(made.client, made.remote)

    assert "nobody listens there" in error.message
    assert not error.permanent


def test_a_wrong_key_is_told(hosts: Lab, tmp_path: Path) -> None:
    """Trying again is pointless."""
    config = write_client_config(tmp_path / "config", hosts.hosts, make_key(tmp_path / "other"))
    error = refusal(Client(config=str(config)), tmp_path / "remote")

    assert "it lets us not in" in error.message
    assert "BatchMode=yes lab1" in error.hint
    assert error.permanent


def test_a_changed_host_key_is_never_accepted(hosts: Lab, tmp_path: Path) -> None:
    """Known under another key: nothing is sent, and the way out is named."""
    config = write_client_config(tmp_path / "config", hosts.hosts, hosts.key)
    other = make_key(tmp_path / "other").with_suffix(".pub").read_text().split()[1]
    known = tmp_path / "config-known_hosts"
    place, kind, _ = known.read_text().split()
    known.write_text(f"{place} {kind} {other}\n")
    error = refusal(Client(config=str(config)), tmp_path / "remote")

    assert "its host key is another one than known_hosts has" in error.message
    subprocess.run(shlex.split(error.hint.partition("old key: ")[2]), check=True, capture_output=True)
    assert known.read_text() == "", "what the hint says removes it"
    assert error.permanent


def test_an_unknown_host_key_is_not_accepted(hosts: Lab, tmp_path: Path) -> None:
    """A person compares its fingerprint."""
    config = write_client_config(tmp_path / "config", hosts.hosts, hosts.key)
    (tmp_path / "config-known_hosts").write_text("")
    error = refusal(Client(config=str(config)), tmp_path / "remote")

    assert "its host key is not known" in error.message
    assert error.permanent


def test_a_full_disk_is_told(hosts: Lab, tmp_path: Path) -> None:
    """With the folder's name; nothing of ours is left on it."""
    with tmpfs(tmp_path / "small", 1) as small:
        (small / "eaten").write_bytes(bytes(1 << 19))
        with suppress(OSError):
            (small / "rest").write_bytes(bytes(1 << 20))
        error = refusal(hosts.client, small / "remote")

    assert "its disk is full at" in error.message
    assert "hosts.<name>.folder" in error.hint


def test_a_host_without_python_is_told(tmp_path: Path) -> None:
    """All interpreters are hidden from the session, in a mount name space of its own."""
    only_outside("only root has name spaces of its own")
    with ExitStack() as stack:
        made = forced(stack, tmp_path / "lab", NO_PYTHON)
        error = refusal(made.client, made.remote)

    assert "there is no Python 3.8 or later" in error.message
    assert "hosts.<name>.python" in error.hint
    assert error.permanent


def test_too_many_logins_are_told_and_may_be_tried_again(tmp_path: Path) -> None:
    """Others have not logged in yet, and the server bears only so many of them: MaxStartups."""
    with lab(tmp_path / "lab", ("lab1",), {"lab1": {"MaxStartups": "4"}}) as made:
        with ExitStack() as stack:
            for _ in range(4):
                stack.enter_context(connection(made.hosts["lab1"]))
            error = refusal(made.client, made.remote)
        until(lambda: visit(made.client, made.remote).hello is not None, "there is room again", 20)

    assert "closed the connection before the login" in error.message
    assert "MaxStartups" in error.hint
    assert not error.permanent


def connection(host: Sshd) -> socket.socket:
    """One that does not log in; known to the server when it is not refused."""
    made = socket.create_connection((host.facts["address"], host.facts["port"]), timeout=10)
    made.recv(4)
    return made


def test_a_private_server_is_skipped_by_name_when_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the command that installs it."""
    monkeypatch.setattr("tests.engines.own.program", lambda: None)
    for name in (IN_CONTAINER, REQUIRED):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(pytest.skip.Exception, match="apt-get install openssh-server"), own_sshd():
        pass
