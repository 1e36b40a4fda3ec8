"""Rules of names: which files enter an image, where a repository is, which line of a Dockerfile failed."""

from __future__ import annotations

import re

import pytest

from pipeline.errors import UsageError
from pipeline.logic.dockerfiles import failing_line
from pipeline.logic.image_contents import chosen, looks_secret
from pipeline.logic.repositories import default_base, python_of, repository_of

NOTHING = re.compile(r"(?!)")


@pytest.mark.parametrize(
    "name",
    [".env", "a/.env.local", "prod.env", "k/id_rsa", "server.key", "a.pem", ".aws/config", ".ssh/known_hosts", "pip.conf",
     ".netrc", "secrets.yaml", ".git/config"],
)  # fmt: skip
def test_names_that_look_like_secrets(name: str) -> None:
    """They stay out."""
    assert looks_secret(name)


@pytest.mark.parametrize(
    "name", ["env.py", ".env.example", "tests/keys.py", "monkey.txt", "environment.yml", "secrets.py"]
)
def test_names_that_do_not(name: str) -> None:
    """They enter."""
    assert not looks_secret(name)


def test_what_is_named_enters_and_our_folders_never_do() -> None:
    """The user's word stands above the look of a name, not above our own folders."""
    found = chosen(
        ["a.py", "b.key", "docs/x", ".fleet/state"],
        included=["b.key", ".fleet/secret", ".git/config"],
        excluded=re.compile("docs/.*"),
        never=[".fleet"],
    )

    assert found == (["a.py", "b.key"], [])
    assert chosen(["b.key"], included=[], excluded=NOTHING, never=[]) == ([], ["b.key"])


def test_repositories_are_named_after_projects() -> None:
    """`{project}` or nothing after the host is the project's name, as far as repositories may have it."""
    assert repository_of("r.acme:5000/ci/{project}", "My Shop!") == "r.acme:5000/ci/my-shop"
    assert repository_of("https://r.acme:5000", "shop") == "r.acme:5000/shop"
    for wrong in ("", "r.acme/x:tag", "R/UPPER"):
        with pytest.raises(UsageError):
            repository_of(wrong, "shop")


def test_the_base_follows_the_interpreter() -> None:
    """One version names an image; several do not."""
    assert default_base([(3, 12, 1), (3, 12, 4)]) == "docker.io/library/python:3.12-slim"
    with pytest.raises(UsageError, match=r"3\.11, 3\.12"):
        default_base([(3, 11), (3, 12)])
    assert python_of({"config": {"Env": ["PYTHON_VERSION=3.12.1"]}}) == "/usr/local/bin/python{version}"
    assert python_of({"config": None}) == "/usr/bin/python{version}"


def test_steps_are_lines() -> None:
    """Comments, empty lines and continuations do not count as steps."""
    text = "# x\nARG BASE\n\nFROM $BASE\nRUN a \\\n  # why\n  && b\nRUN c\n"

    assert failing_line(text, 4) == "line 8: RUN c"
    assert failing_line(text, 9) == ""
