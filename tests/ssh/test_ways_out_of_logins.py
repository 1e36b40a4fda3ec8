"""Hints that a person can type as they are: with the settings that the login was tried with."""

from __future__ import annotations

import pytest

from pipeline.adapters.openssh import Address, Client
from pipeline.adapters.openssh_errors import explain

CLIENT = Client(config="/etc/lab ssh", options=("UserKnownHostsFile=/etc/lab_known",))
ADDRESS = Address(host="lab1", user="ci", port=2222)
CHANGED = "REMOTE HOST IDENTIFICATION HAS CHANGED!\n"
TOLD = f"{CHANGED}Offending ED25519 key in /home/ci/known:3\nHost key for [10.0.0.1]:22022 has changed and you\n"


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        ("Host key verification failed.", "ssh -F '/etc/lab ssh' -l ci -p 2222 lab1"),
        ("Permission denied (publickey).", "`ssh -F '/etc/lab ssh' -o BatchMode=yes -l ci -p 2222 lab1 true` works"),
        ("never heard of", "by hand: ssh -F '/etc/lab ssh' -o BatchMode=yes -l ci -p 2222 lab1 true"),
        ("Could not resolve hostname lab1", "see hosts.<name>.address, /etc/lab ssh and DNS"),
        ("Bad configuration option: x", "correct /etc/lab ssh"),
        (CHANGED, "ssh-keygen -R '[lab1]:2222' -f /etc/lab_known"),
        (TOLD, "ssh-keygen -R '[10.0.0.1]:22022' -f /home/ci/known"),
    ],
)
def test_what_settings_name_is_in_the_hint(said: str, hint: str) -> None:
    """Without them the command would try something else than what has failed."""
    assert hint in explain(CLIENT, ADDRESS, said, 255).hint


def test_without_settings_hints_stay_short() -> None:
    """As most people type it."""
    plain = Client(), Address(host="lab1")

    assert explain(*plain, "Host key verification failed.", 255).hint.endswith("fingerprint: ssh lab1")
    assert explain(*plain, CHANGED, 255).hint.endswith("the old key: ssh-keygen -R lab1")
