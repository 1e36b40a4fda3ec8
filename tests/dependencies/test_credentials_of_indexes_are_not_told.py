"""Addresses of indexes hold passwords; messages about them do not."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests

from pipeline.adapters.wheel_building import build_wheel
from pipeline.adapters.wheel_index import bare, offered
from pipeline.errors import EngineError


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("https://me:hush@index.example/simple", "https://index.example/simple"),
        ("https://me:hu/sh@index.example/simple", "https://index.example/simple"),
        ("https://index.example:8080/a@1/", "https://index.example:8080/a@1/"),
        ("git+https://hush@git.example/a.git@v1", "git+https://git.example/a.git@v1"),
        ("/a/folder@home", "/a/folder@home"),
    ],
)
def test_addresses_are_told_without_them(url: str, told: str) -> None:
    """Whatever else is in the address stays."""
    assert bare(url) == told


@pytest.mark.parametrize("index", ["https://me:hu/sh@127.0.0.1:1/simple", "http://me:hush@127.0.0.1:1/simple"])
def test_an_index_that_cannot_be_asked_is_named_without_them(index: str) -> None:
    """Errors of the client repeat addresses; ours do not."""
    with requests.Session() as session, pytest.raises(EngineError) as said:
        offered(session, index, "shop")

    assert "hush" not in str(said.value) and "hu/sh" not in str(said.value)
    assert "127.0.0.1:1" in str(said.value)


def test_what_could_not_be_built_is_named_without_them(tmp_path: Path) -> None:
    """A requirement from version control may hold a token."""
    with pytest.raises(EngineError, match="git.example") as said:
        build_wheel("/bin/false", "git+https://hush@git.example/a.git", tmp_path / "wheels", tmp_path)

    assert "hush" not in str(said.value)
