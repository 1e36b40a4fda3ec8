"""How a command ends decides its verdict."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.model.codec import result_from_json
from pipeline.model.commands import Row
from tests.harness_command.driving import Harness, lives, result, until


@pytest.mark.parametrize(
    ("command", "verdict", "message"),
    [
        ("exit 0", "passed", ""),
        ("echo why; exit 3", "failed", "exit status 3: why"),
        ("echo no disk; exit 77", "skipped", "no disk"),
        ("exit 77", "skipped", "exit status 77"),
        ("kill -SEGV $$", "failed", "killed by SIGSEGV"),
        (("./nowhere",), "error", "cannot start './nowhere': No such file or directory"),
    ],
)
def test_an_exit_status_is_a_verdict(tmp_path: Path, command: str, verdict: str, message: str) -> None:
    """A command that dies by a signal has failed; one that cannot be started is an error."""
    one = result(tmp_path, command)

    assert (one["verdict"], one.get("message", "")) == (verdict, message)
    assert result_from_json("bench::one", one).verdict == verdict


def test_other_exit_statuses_can_be_good(tmp_path: Path) -> None:
    """What is good and what is skipped is the suite's to say."""
    rows = [Row(name=code, values={"code": code}) for code in ("0", "4", "5")]
    with Harness(tmp_path, ("sh", "-c", "exit {values.code}"), rows, good_codes=[4], skip_codes=[5]) as harness:
        verdicts = [one["verdict"] for one in harness.results()]

    assert verdicts == ["failed", "passed", "skipped"]


def test_a_late_command_is_ended_with_its_group(tmp_path: Path) -> None:
    """TERM first, so that it can tidy up; then KILL to whoever ignores it."""
    script = "trap 'echo tidy; exit 1' TERM; (trap '' TERM; echo $$ > child; exec sleep 1000) & echo $! > child; wait"
    one = result(tmp_path, script, timeout_seconds=0.5, kill_after_seconds=5)

    assert one["verdict"] == "timed-out"
    assert one["message"] == "it took longer than 0.5 s: tidy"
    until(lambda: not lives(int((tmp_path / "child").read_text())))


def test_a_command_leaves_nothing_running(tmp_path: Path) -> None:
    """What it put into the background ends with it."""
    one = result(tmp_path, "sleep 1000 & echo $! > child")

    assert one["verdict"] == "passed"
    until(lambda: not lives(int((tmp_path / "child").read_text())))


def test_a_failed_test_is_tried_again(tmp_path: Path) -> None:
    """The number of the try is in its environment, and the failed one is told with the one that decided."""
    with Harness(tmp_path, 'test "$DOIT_FLEET_ATTEMPT" = 2') as harness:
        (one,) = harness.results(retries=2)

    assert (one["verdict"], one["tries"]) == ("passed", 2)
    assert [each["verdict"] for each in one["earlier"]] == ["failed"]


def test_what_needs_a_failed_test_is_skipped(tmp_path: Path) -> None:
    """Dependent rows come behind what they need, and say why they did not run."""
    rows = [Row(name="second", dependencies=("first",)), Row(name="first"), Row(name="third")]
    with Harness(tmp_path, ("sh", "-c", "test {name} != first"), rows) as harness:
        results = harness.results("first", "second", "third")

    assert [one["verdict"] for one in results] == ["failed", "skipped", "passed"]
    assert results[1]["message"] == "it needs 'first', which was not good"


def test_an_unknown_test_is_not_run(tmp_path: Path) -> None:
    """A name that the frozen rows do not have gets the verdict that the protocol asks for."""
    with Harness(tmp_path, "true") as harness:
        (one,) = harness.results("nobody")

    assert (one["verdict"], one["message"]) == ("not-run", "not found")


def test_much_output_is_cut_in_the_middle(tmp_path: Path) -> None:
    """The first and the last of it stay, whatever its size."""
    one = result(tmp_path, "echo first; head -c 3000000 /dev/zero | tr '\\0' x; echo; echo last; printf '\\377'")

    text, (_, where) = one["sections"][0][1], one["sections"][1]
    assert text.startswith("first\n")
    assert "last\n" in text[-10:]
    assert (tmp_path / where).stat().st_size > 3_000_000
    assert "left out by doit-fleet" in text
    assert len(text) < 200_000
