"""Hosts as the settings name them: their defaults, the hosts file, and what is refused before anything runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from extensions.fleet import Fleet
from extensions.sshing import client_of, hosts_of, slots_of
from pipeline.adapters.openssh import Address, arguments
from pipeline.errors import UsageError


def fleet(root: Path, text: str, **arguments: str) -> Fleet:
    """Settings of a project with that text."""
    (root / "fleet.toml").write_text(text)
    given = {name.replace("__", "."): value for name, value in arguments.items()}
    made = Fleet.build(root, environment={"DOIT_FLEET_SECRET_PASS": "hidden"}, arguments=given, home=root / "home")
    made.check()
    return made


def test_a_host_says_what_differs_from_all(tmp_path: Path) -> None:
    """Its name is its address unless another is said; `ssh` holds the defaults; `:` is this machine."""
    made = fleet(
        tmp_path,
        "[ssh]\nslots = 3\nbefore = ['make deps']\n[hosts.lab1]\n[hosts.lab2]\naddress = '10.0.0.7'\nuser = 'ci'\nport = 2222\n"
        "slots = 8\nbefore = []\npython = '.venv/bin/python'\nlabels = ['big']\n[hosts.here]\naddress = ':'\n",
    )
    lab1, lab2, here = hosts_of(made)

    assert (lab1.name, lab1.address, lab1.slots, lab1.before) == ("lab1", Address(host="lab1"), 3, ("make deps",))
    assert lab2.address == Address(host="10.0.0.7", user="ci", port=2222)
    assert (lab2.slots, lab2.before, lab2.pythons, lab2.labels) == (8, (), (".venv/bin/python",), ("big",))
    assert here.address is None
    assert slots_of(made) == 14


def test_the_hosts_file_comes_behind_them(tmp_path: Path) -> None:
    """As GNU parallel reads it, with the defaults of all."""
    (tmp_path / "hosts").write_text("# ours\n\n4/ci@lab2  # fast\n:\nlab3\n")
    found = hosts_of(fleet(tmp_path, "ssh.slots = 2\nssh.hosts_file = 'hosts'\n[hosts.lab1]\n"))

    assert [(host.name, host.slots) for host in found] == [("lab1", 2), ("lab2", 4), (":", 2), ("lab3", 2)]
    assert found[1].address == Address(host="lab2", user="ci")


def test_secrets_of_hosts_are_revealed_for_the_host_only(tmp_path: Path) -> None:
    """They are in the value, and in nothing that is shown."""
    (host,) = hosts_of(fleet(tmp_path, "[hosts.lab1]\nenv.PASS = { secret = 'pass' }\n"))

    assert host.env == {"PASS": "hidden"}
    assert "hidden" not in repr(host)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "there are no hosts"),
        ("ssh.hosts_file = 'none'\n", "cannot read the hosts file"),
        ("ssh.hosts_file = 'hosts'\n[hosts.lab1]\n", "host 'lab1' is named twice"),
        ("ssh.hosts_file = 'bad'\n", r"bad:2: 'one two' is neither a host nor"),
        ("[hosts.lab1]\naddress = '-oProxyCommand=x'\n", "is no address"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, text: str, told: str) -> None:
    """With what to do."""
    (tmp_path / "hosts").write_text("lab1\n")
    (tmp_path / "bad").write_text("lab1\none two\n")
    with pytest.raises(UsageError, match=told):
        hosts_of(fleet(tmp_path, text))


@pytest.mark.parametrize("option", ["StrictHostKeyChecking=no", "stricthostkeychecking off"])
def test_host_keys_are_always_checked(tmp_path: Path, option: str) -> None:
    """Nobody switches that off here by mistake."""
    with pytest.raises(UsageError, match="host keys are always checked"):
        client_of(fleet(tmp_path, f"ssh.options = ['{option}']\n"))


def test_nothing_of_the_settings_is_in_the_remote_command(tmp_path: Path) -> None:
    """It is one text for all hosts; names of hosts and users are arguments of their own, behind `--` where they could be options."""
    client = client_of(fleet(tmp_path, "ssh.options = ['ProxyJump=gate']\nssh.config = 'config'\n"))
    one, other = (arguments(client, Address(host=host, user="ci", port=22)) for host in ("lab1", "lab2"))

    assert one[-1] == other[-1]
    assert one[-3:-1] == ["--", "lab1"]
    assert one[one.index("-F") + 1] == str(tmp_path / "config")
    assert "ProxyJump=gate" in one
    assert not any("StrictHostKeyChecking" in each for each in one)
