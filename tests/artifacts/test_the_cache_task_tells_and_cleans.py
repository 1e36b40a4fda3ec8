"""`doit cache` as people use it: size, age, hits and misses with reasons, cleaning; and the settings behind it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from extensions.caching import Caching
from extensions.fleet import Fleet
from pipeline.contracts.artifact_cache_contract import kept, key_of
from pipeline.errors import UsageError

DAY = 86_400


def fleet(root: Path, environment: dict[str, str], arguments: dict[str, str]) -> Fleet:
    """Settings of a project with these arguments."""
    made = Fleet.build(root, environment=environment, arguments=arguments, home=Path("/nonexistent"))
    made.check()
    return made


def caching(root: Path, told: list[str] | None = None, **settings: str) -> Caching:
    """The cache of an agent that was given these settings below `cache`."""
    arguments = {f"cache.{name}": value for name, value in {"dir": str(root / "cache"), **settings}.items()}
    return Caching(fleet(root, {}, arguments).cache, root, (told if told is not None else []).append)


def task(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`doit-fleet cache` in a project of its own."""
    command = [sys.executable, "-c", "import sys; from extensions.composition import main; sys.exit(main())", "cache"]
    environment = {**os.environ, "DOIT_FLEET__CACHE__DIR": str(root / "cache")}
    return subprocess.run(
        [*command, *arguments], cwd=root, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture
def used(tmp_path: Path) -> Path:
    """A project whose last run had a hit and a miss."""
    kept(caching(tmp_path).cache, key_of("1"), {"a.whl": b"12345"}, tmp_path, kind="fetched", about="a 1.0")
    agent = caching(tmp_path)
    agent.cache.find(key_of("1"))
    agent.cache.find(key_of("2"), about="b 2.0")
    agent.close()
    return tmp_path


def test_it_says_what_was_hit_and_why_others_missed(used: Path) -> None:
    """One screen for people."""
    text = task(used).stdout

    assert "1 artifacts" in text
    assert "trusted fetched: 1, 5B" in text
    assert "1 hits, 1 misses" in text
    assert "b 2.0: miss: no record" in text


def test_it_says_the_same_to_programs(used: Path) -> None:
    """One JSON document."""
    state: dict[str, Any] = json.loads(task(used, "--json").stdout)

    assert state["size"] == 5
    assert state["shares"][0]["entries"] == 1
    assert [(ask["about"], ask["answer"]) for ask in state["sessions"][0]["asks"]] == [
        ("a 1.0", "hit"),
        ("b 2.0", "miss: no record"),
    ]


def test_cleaning_can_be_tried_first(used: Path) -> None:
    """`--dry-run` says what would go and leaves it; without it that goes."""
    settings = ("--clean", "cache.max_size=0")
    said = task(used, *settings, "--dry-run")
    assert "would remove 1 artifacts, 1 files, 5B" in said.stdout
    assert "1 artifacts" in task(used).stdout

    done = task(used, *settings)

    assert "removed 1 artifacts, 1 files, 5B" in done.stdout
    assert "0 artifacts" in task(used).stdout
    assert (used / "cache" / "index.db").exists()


def test_a_dry_run_of_nothing_is_a_mistake(used: Path) -> None:
    """`--dry-run` alone is exit 3, with the command that was meant."""
    done = task(used, "--dry-run")

    assert done.returncode == 3
    assert "doit cache --clean --dry-run" in done.stdout + done.stderr


def test_a_run_cleans_at_most_daily(tmp_path: Path) -> None:
    """The end of a run that used the cache cleans it when that is due, and not again the same day."""
    agent = caching(tmp_path, max_size="0")
    kept(agent.cache, key_of("1"), {"x": b"1"}, tmp_path)
    agent.close()
    assert caching(tmp_path).state().shares == []

    agent = caching(tmp_path, max_size="0")
    kept(agent.cache, key_of("1"), {"x": b"1"}, tmp_path)
    agent.close()
    assert len(caching(tmp_path).state().shares) == 1


def test_an_agent_that_never_asks_makes_nothing(tmp_path: Path) -> None:
    """No cache is made, nor cleaned, by runs that need none."""
    agent = caching(tmp_path)
    agent.state()
    agent.close()

    assert not (tmp_path / "cache").exists()


def test_machines_share_a_folder_that_is_named(tmp_path: Path) -> None:
    """`cache.remote` may be a folder; one that is not mounted is told and fails nothing."""
    told: list[str] = []
    (tmp_path / "share").mkdir()
    first = caching(tmp_path, dir=str(tmp_path / "first"), remote="share")
    record = kept(first.cache, key_of("1"), {"x": b"1"}, tmp_path)
    first.close()

    assert caching(tmp_path, dir=str(tmp_path / "second"), remote="share").cache.find(key_of("1")) == record
    lost = caching(tmp_path, told, dir=str(tmp_path / "third"), remote="absent")
    assert lost.cache.find(key_of("1")) is None
    assert "is not there" in told[0]


def test_a_wrong_remote_is_told_before_anything_runs(tmp_path: Path) -> None:
    """An address that cannot be one is the user's mistake."""
    with pytest.raises(UsageError):
        _ = caching(tmp_path, remote="s3://UPPER CASE").cache
    with pytest.raises(UsageError):
        _ = caching(tmp_path, remote="https://example.org/").cache
    with pytest.raises(UsageError):
        _ = caching(tmp_path, trust="../trusted").cache


@pytest.mark.parametrize(
    ("environment", "trust"),
    [
        ({}, "trusted"),
        ({"GITHUB_REF": "refs/heads/main"}, "trusted"),
        ({"GITHUB_REF": "refs/pull/12/merge", "GITHUB_HEAD_REF": "evil"}, "pr-12"),
        ({"CI_MERGE_REQUEST_IID": "7"}, "pr-7"),
        ({"CHANGE_ID": "8"}, "pr-8"),
        ({"BUILDKITE_PULL_REQUEST": "false"}, "trusted"),
        ({"BUILDKITE_PULL_REQUEST": "9"}, "pr-9"),
        ({"CIRCLE_PULL_REQUEST": "https://github.com/a/b/pull/10"}, "pr-10"),
        ({"GITHUB_HEAD_REF": "a/../b c"}, "pr-a-..-b-c"),
    ],
)
def test_builds_of_pull_requests_are_not_trusted(tmp_path: Path, environment: dict[str, str], trust: str) -> None:
    """Where the CI server says that this is one, it writes apart without any setting."""
    assert fleet(tmp_path, environment, {}).cache.trust.get() == trust


def test_the_folder_is_in_the_users_cache(tmp_path: Path) -> None:
    """As XDG has it."""
    assert str(fleet(tmp_path, {}, {}).cache.dir.get()).endswith("/.cache/doit-fleet/artifacts")
    assert str(fleet(tmp_path, {"XDG_CACHE_HOME": "/big"}, {}).cache.dir.get()) == "/big/doit-fleet/artifacts"
