"""Environment, secrets, image and control group: read carefully, and taken away from tests."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.adapters.cgroup import out_of_memory_kills
from pipeline.errors import UsageError
from pipeline.model import exits
from pipeline.model.messages import Message
from pipeline.ports import HarnessEnd
from pipeline.worker.given import Secrets, read_given, read_secrets, take_away
from pipeline.worker.main import OtherPlan, check_image, main
from pipeline.worker.memory import MemoryHarness

NAMES = {"RUN": "r-1", "WORKER": "w0-1", "NONCE": "n", "SLOT": "0", "TERM": "1", "STORE": "/store"}
GIVEN = {f"DOIT_FLEET_{name}": value for name, value in NAMES.items()}


@pytest.mark.parametrize("name", sorted(GIVEN))
def test_what_is_missing_is_named(name: str) -> None:
    """Each variable is needed."""
    with pytest.raises(UsageError, match=name):
        read_given({key: value for key, value in GIVEN.items() if key != name})


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """Both ends."""
    ends = os.pipe()
    yield ends
    os.close(ends[0])


@pytest.mark.parametrize("line", [b"", b'{"env": {}', b'{"env": {"unit": {"A": "hush"}}}\n', b"hush\n"])
def test_secrets_that_are_none_are_refused_unseen(pipe: tuple[int, int], line: bytes) -> None:
    """A line that is cut off or no such object is an error that does not repeat it."""
    os.write(pipe[1], line)
    os.close(pipe[1])

    with pytest.raises(UsageError) as caught:
        read_secrets(pipe[0])
    assert "hush" not in str(caught.value)


def test_secrets_without_an_end_are_refused(pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever sends more than secrets can be is not listened to for ever."""
    monkeypatch.setattr("pipeline.worker.given.MOST_BYTES", 10)
    os.write(pipe[1], b"x" * 20)

    with pytest.raises(UsageError):
        read_secrets(pipe[0])
    os.close(pipe[1])


def test_secrets_come_in_pieces(pipe: tuple[int, int]) -> None:
    """One line, as long as it takes."""
    os.write(pipe[1], json.dumps({"env": {"unit": {"A": "b"}}, "store": {"C": "d"}}).encode() + b"\n")
    os.close(pipe[1])

    assert read_secrets(pipe[0]) == Secrets(env={"unit": {"A": "b"}}, store={"C": "d"})


def test_tests_get_none_of_ours() -> None:
    """Our variables and the store's credentials go, the image's stay."""
    environment = {**GIVEN, "AWS_SECRET_ACCESS_KEY": "hush", "PATH": "/bin", "HOME": "/"}
    take_away(environment, Secrets(store={"AWS_SECRET_ACCESS_KEY": "hush"}))

    assert {*environment} == {"PATH", "HOME", "TMPDIR"}


def test_the_users_variables_may_begin_like_ours() -> None:
    """Only what workers are given goes: a suite that tests a fleet has settings and switches of its own."""
    theirs = {"DOIT_FLEET_ENGINES": "required", "DOIT_FLEET__WORKERS__COUNT": "2"}
    environment = {"PATH": "/bin", "HOME": "/tmp", "TMPDIR": "/tmp", **theirs, **GIVEN, "DOIT_FLEET_SECRETS": "stdin"}

    take_away(environment, Secrets())

    assert {name for name in environment if name.startswith("DOIT_FLEET_")} == {*theirs}


@pytest.mark.parametrize("told", [None, b"", b"[]", b"{}", b'{"plan": "other"}'])
def test_an_image_of_another_plan_is_refused(tmp_path: Path, told: bytes | None) -> None:
    """Invariant 1, before anything is claimed."""
    if told is not None:
        (tmp_path / "bucket.json").write_bytes(told)

    with pytest.raises(OtherPlan):
        check_image("mine", tmp_path / "bucket.json")


@pytest.mark.parametrize("name", ["memory.events", "memory/memory.oom_control"])
def test_both_kinds_of_control_groups_tell(tmp_path: Path, name: str) -> None:
    """Version 2 and version 1."""
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("low 0\noom 4\noom_kill 3\nunder_oom 0\n")

    assert out_of_memory_kills(tmp_path) == 3
    assert out_of_memory_kills(tmp_path / "nowhere") is None


class Ending:
    """A harness that has ended."""

    place = log = ""

    def __init__(self, end: HarnessEnd) -> None:
        self._end = end

    async def receive(self) -> Message | HarnessEnd:
        return self._end

    async def send(self, message: Message) -> None: ...

    def stamp(self) -> float | None:
        return None

    def renew(self, stamp: float, span_seconds: float) -> None: ...

    async def dump_stacks(self) -> None: ...

    async def kill(self, *, grace_seconds: float = 0.0) -> None: ...


@pytest.mark.parametrize(
    ("code", "asked", "counts", "cause"),
    [
        (-signal.SIGKILL, False, [1, 2], "out-of-memory"),
        (-signal.SIGKILL, False, [1, 1], "signalled"),
        (-signal.SIGKILL, True, [1, 2], "signalled"),
        (-signal.SIGSEGV, False, [1, 2], "signalled"),
        (-signal.SIGKILL, False, [None, None], "signalled"),
    ],
)
def test_only_a_kill_that_the_kernel_has_counted_is_out_of_memory(
    code: int, asked: bool, counts: list[int | None], cause: str
) -> None:
    """Somebody else's SIGKILL is not, nor is our own."""
    numbers = iter(counts)
    harness = MemoryHarness(Ending(HarnessEnd(proof=True, asked=asked, code=code, cause="signalled")), numbers.__next__)

    end = asyncio.run(harness.receive())

    assert isinstance(end, HarnessEnd)
    assert end.cause == cause


def test_an_error_of_ours_has_a_status_of_its_own(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Told with its traceback in the worker's log; no status that Python or a test might give."""
    monkeypatch.setattr("pipeline.worker.main.read_given", lambda _: 1 // 0)

    assert main() == exits.INTERNAL
    assert "ZeroDivisionError" in capsys.readouterr().out
