"""What a worker in a pod is given: who it is by the downward API, its name by index and by what is taken, secrets by files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.errors import UsageError
from pipeline.worker.given import OURS, Secrets, read_given, secrets_of, take_away
from pipeline.worker.pod import name_of

NAMES = {
    "RUN": "r-1",
    "TERM": "1",
    "STORE": "s3://b/p",
    "LAUNCHER": "kubernetes",
    "NONCE": "uid-1",
    "POD_UID": "uid-1",
    "POD_NAME": "p-0",
    "POD_NAMESPACE": "ci",
    "POD_NODE": "n-1",
    "IDENTITY": json.dumps({"engine": "kubernetes", "logs": "/logs", "place": "namespace ci"}),
}
POD = {OURS + name: value for name, value in NAMES.items()}
ONE = {**POD, "DOIT_FLEET_WORKER": "w4-1", "DOIT_FLEET_SLOT": "4"}
MANY = {**POD, "DOIT_FLEET_WORKERS": "2-4:1,7:3"}


def test_its_birth_says_where_to_find_it() -> None:
    """With the log that its agent will keep."""
    given = read_given(ONE)
    assert given.identity == {
        "engine": "kubernetes",
        "logs": "/logs",
        "log": "/logs/p-0.log",
        "place": "pod p-0 on n-1",
        "namespace": "ci",
        "pod": "p-0",
        "uid": "uid-1",
        "node": "n-1",
    }
    assert (given.nonce, given.may_be_renamed) == ("uid-1", True)


@pytest.mark.parametrize(("index", "worker", "slot"), [(0, "w2-1", 2), (2, "w4-1", 4), (3, "w7-3", 7)])
def test_an_index_says_which_worker_it_is(index: int, worker: str, slot: int) -> None:
    """Of all that one Job has."""
    given = read_given({**MANY, "JOB_COMPLETION_INDEX": str(index)})
    assert (given.worker, given.slot) == (worker, slot)


@pytest.mark.parametrize("index", ["", "4", "-x"])
def test_an_index_of_nobody_is_an_error(index: str) -> None:
    """Never another's name."""
    with pytest.raises(UsageError, match="JOB_COMPLETION_INDEX"):
        read_given({**MANY, "JOB_COMPLETION_INDEX": index})


@pytest.mark.parametrize(
    ("told", "born", "hired", "name"),
    [
        ("w0-1", [], [], "w0-1"),
        ("w0-1", ["w0-1"], ["w0-1"], "w0-2"),
        ("w0-1", ["w0-1", "w0-2"], ["w0-1"], "w0-3"),
        ("w0-1", ["w0-1"], ["w0-1", "w0-4"], "w0-4"),
        ("w0-1", [], ["w0-1", "w0-2"], "w0-2"),
        ("w0-3", ["w0-1"], ["w0-1", "w0-2", "w0-3"], "w0-3"),
        ("w0-9", ["w0-9", "w0-10"], ["w0-9"], "w0-11"),
    ],
)
def test_a_pod_in_anothers_place_has_a_name_of_its_own(told: str, born: list[str], hired: list[str], name: str) -> None:
    """The one that the leader waits for, if it does; never one that is taken."""
    assert name_of(told, born, hired) == name
    assert name not in born


def test_secrets_are_read_from_files_and_removed(tmp_path: Path) -> None:
    """The run's and the store's own; tests find neither files nor variables."""
    (tmp_path / "secrets.json").write_text(json.dumps({"env": {"unit": {"A": "b"}}, "store": {"KEY": "k"}}))
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "TOKEN").write_text("t\n")
    files = {"SECRETS": f"file:{tmp_path}/secrets.json", "STORE_SECRET": f"{tmp_path}/store"}
    environment = {**ONE, **{OURS + name: value for name, value in files.items()}, "JOB_COMPLETION_INDEX": "0"}

    secrets = secrets_of(read_given(environment))
    assert secrets == Secrets(env={"unit": {"A": "b"}}, store={"KEY": "k", "TOKEN": "t"})
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []

    environment |= {"KEY": "k", "HOME": str(tmp_path)}
    take_away(environment, secrets)
    assert set(environment) == {"HOME", "TMPDIR"}


def test_secrets_that_are_not_there_are_told(tmp_path: Path) -> None:
    """Nobody begins without what tests need."""
    with pytest.raises(UsageError, match="cannot be read"):
        secrets_of(read_given({**ONE, "DOIT_FLEET_SECRETS": f"file:{tmp_path}/none"}))
