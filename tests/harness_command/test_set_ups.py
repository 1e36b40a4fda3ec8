"""What tests share is set up once, one inside the other, and torn down whatever happens."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from pipeline.model.commands import Row, SetUp
from tests.harness_command.driving import Harness, finals, lives, until

TRACE = "echo test $DOIT_FLEET_TEST $HANDLE >> trace"


def traced(name: str, key: str = "", **more: object) -> SetUp:
    """A set-up that leaves a trace, exports `HANDLE`, and traces its tear-down."""
    told = {
        "name": name,
        "per": "group" if key else "worker",
        "key": key,
        "command": f"echo up {name} $DOIT_FLEET_KEY >> trace; echo HANDLE=$HANDLE/{name}$DOIT_FLEET_KEY > $DOIT_FLEET_EXPORT",
        "teardown": f"echo down {name} $DOIT_FLEET_KEY $HANDLE >> trace",
        **more,
    }
    return SetUp(**told)  # type: ignore[arg-type]


def row(name: str) -> Row:
    """A test whose pool and size are the letters of its name."""
    return Row(name=name, values={"pool": name[0], "size": name[1]})


def trace(folder: Path) -> list[str]:
    """What has happened, in order."""
    path = folder / "trace"
    return path.read_text().splitlines() if path.exists() else []


def test_groups_lie_in_each_other(tmp_path: Path) -> None:
    """Each is set up once while tests need it; what the next test shares stays; exports reach what is inside."""
    setups = [traced("host"), traced("pool", "{values.pool}"), traced("disk", "{values.size}")]
    rows = [row("a1"), row("a2"), row("b2")]
    with Harness(tmp_path, TRACE, rows, setups) as harness:
        results = harness.results()

    assert [one["verdict"] for one in results] == ["passed"] * 3
    assert trace(tmp_path) == [
        "up host", "up pool a", "up disk 1", "test a1 /host/poola/disk1", "down disk 1 /host/poola/disk1",
        "up disk 2", "test a2 /host/poola/disk2", "down disk 2 /host/poola/disk2", "down pool a /host/poola",
        "up pool b", "up disk 2", "test b2 /host/poolb/disk2", "down disk 2 /host/poolb/disk2", "down pool b /host/poolb",
        "down host /host",
    ]  # fmt: skip
    assert [phase["when"] for phase in results[1]["phases"]] == ["setup", "call", "teardown"]


def test_a_group_stays_up_between_batches(tmp_path: Path) -> None:
    """While it is not known what comes next, nothing is torn down."""
    with Harness(tmp_path, TRACE, [row("a1"), row("a2")], [traced("pool", "{values.pool}")]) as harness:
        harness.run("a1", batch="1.1")
        harness.until("done")
        harness.run("a2", batch="2.1")
        harness.until("done")
        harness.send("finish")
        harness.until("bye")

    assert trace(tmp_path) == ["up pool a", "test a1 /poola", "test a2 /poola", "down pool a /poola"]


def test_a_failed_set_up_is_the_reason_of_all_its_tests(tmp_path: Path) -> None:
    """It is not tried for each of them; it is torn down at once, and what lies around it stays."""
    bad = traced("bad", "{values.size}", command="echo no space; echo up bad >> trace; exit 5")
    rows = [row("a1"), Row(name="again", values={"pool": "a", "size": "1"})]
    with Harness(tmp_path, TRACE, rows, [traced("pool", "{values.pool}"), bad]) as harness:
        results = harness.results()

    assert [one["verdict"] for one in results] == ["error", "error"]
    assert results[1]["message"] == "set-up 'bad' of '1': exit status 5"
    assert "no space" in results[1]["phases"][0]["details"]
    assert trace(tmp_path) == ["up pool a", "up bad", "down bad 1 /poola", "down pool a /poola"]


def test_a_retry_sets_up_again(tmp_path: Path) -> None:
    """What failed because of its set-up gets a new one."""
    flaky = traced("flaky", "{values.size}", command="echo up >> trace; test $(wc -l < trace) -gt 1", teardown=())
    with Harness(tmp_path, TRACE, [row("a1")], [flaky]) as harness:
        (one,) = harness.results(retries=1)

    assert (one["verdict"], one["tries"]) == ("passed", 2)


def test_tests_wait_until_it_is_ready(tmp_path: Path) -> None:
    """A command that succeeds in the end says when; background processes of a set-up live as long as it stands."""
    started = "(sleep 0.3; touch up; exec sleep 1000) & echo $! > child"
    setup = SetUp(name="db", per="worker", command=started, ready=("test", "-e", "up"))
    with Harness(tmp_path, "test -e up && kill -0 $(cat child)", [row("a1")], [setup]) as harness:
        (one,) = harness.results()

    assert one["verdict"] == "passed"
    until(lambda: not lives(int((tmp_path / "child").read_text())))


def test_what_is_never_ready_is_an_error(tmp_path: Path) -> None:
    """It says for how long it was waited."""
    setup = traced("db", "{values.pool}", ready=("false",), ready_timeout_seconds=0.3)
    with Harness(tmp_path, TRACE, [row("a1")], [setup]) as harness:
        (one,) = harness.results()

    assert one["message"] == "set-up 'db' of 'a': not ready after 0.3 s (exit status 1)"
    assert trace(tmp_path) == ["up db a", "down db a /dba"]


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("mkfifo $DOIT_FLEET_EXPORT", "'export' is no regular file"),
        ("echo nonsense > $DOIT_FLEET_EXPORT", "'export' has a line that is not key=value: 'nonsense'"),
        ("echo 'a b=c' > $DOIT_FLEET_EXPORT", "exported 'a b' is no environment variable"),
        ("ln -s /etc/passwd $DOIT_FLEET_EXPORT", "'export' cannot be read: Too many levels of symbolic links"),
    ],
)
def test_exports_that_cannot_be_read_are_an_error(tmp_path: Path, script: str, message: str) -> None:
    """Whatever a set-up puts there, the harness neither hangs nor takes it."""
    with Harness(tmp_path, TRACE, [row("a1")], [traced("pool", "{values.pool}", command=script)]) as harness:
        (one,) = harness.results()

    assert (one["verdict"], one["message"]) == ("error", f"set-up 'pool' of 'a': {message}")


def test_an_error_in_a_tear_down_is_its_last_tests(tmp_path: Path) -> None:
    """As with pytest's fixtures: the test was good, what came after it was not."""
    setup = traced("pool", "{values.pool}", teardown="echo stuck; exit 1")
    with Harness(tmp_path, TRACE, [row("a1"), row("a2"), row("b1")], [setup]) as harness:
        results = harness.results()

    assert [one["verdict"] for one in results] == ["passed", "error", "error"]
    assert results[1]["message"] == "tear-down 'pool' of 'a': exit status 1"
    assert "stuck" in results[1]["phases"][-1]["details"]


def test_a_late_tear_down_is_ended(tmp_path: Path) -> None:
    """A tear-down has a time-out of its own."""
    setup = traced("pool", "{values.pool}", teardown="sleep 1000", teardown_timeout_seconds=0.2)
    with Harness(tmp_path, TRACE, [row("a1")], [setup]) as harness:
        (one,) = harness.results()

    assert one["message"] == "tear-down 'pool' of 'a': it took longer than 0.2 s"


def test_a_stop_ends_the_test_and_tears_down(tmp_path: Path) -> None:
    """TERM: no result for what was stopped, so that it runs again; everything is torn down before the end."""
    with Harness(
        tmp_path, "echo begun >> trace; exec sleep 1000", [row("a1")], [traced("pool", "{values.pool}")]
    ) as harness:
        harness.run()
        harness.until("start")
        until(lambda: "begun" in trace(tmp_path))
        harness.process.send_signal(signal.SIGTERM)
        heard = harness.until("bye")

    assert finals(heard) == []
    assert trace(tmp_path) == ["up pool a", "begun", "down pool a /poola"]


def test_a_stop_that_meets_a_tear_down_late_has_it_done_again(tmp_path: Path) -> None:
    """All that runs is sent a TERM after the harness was, which may have begun to tear down by then."""
    met = "echo met >> trace; test $(grep -c met trace) -gt 1 || kill -TERM $$; echo down >> trace"
    with Harness(
        tmp_path, "echo begun >> trace; exec sleep 1000", [row("a1")], [traced("pool", "{values.pool}", teardown=met)]
    ) as harness:
        harness.run()
        harness.until("start")
        until(lambda: "begun" in trace(tmp_path))
        harness.process.send_signal(signal.SIGTERM)
        harness.until("bye")

    assert trace(tmp_path) == ["up pool a", "begun", "met", "met", "down"]


def test_an_idle_harness_that_is_stopped_tears_down(tmp_path: Path) -> None:
    """While it waits for work, too."""
    with Harness(tmp_path, TRACE, [row("a1")], [traced("pool", "{values.pool}")]) as harness:
        harness.run()
        harness.until("done")
        harness.process.send_signal(signal.SIGTERM)
        harness.until("bye")

    assert trace(tmp_path)[-1] == "down pool a /poola"


def test_what_a_killed_harness_left_standing_is_torn_down_by_the_next(tmp_path: Path) -> None:
    """Innermost first, with what it had exported, and once."""
    setups = [traced("pool", "{values.pool}"), traced("disk", "{values.size}")]
    with Harness(tmp_path, "echo $$ > pid; echo begun >> trace; exec sleep 1000", [row("a1")], setups) as harness:
        harness.run()
        until(lambda: "begun" in trace(tmp_path))
        harness.process.kill()
        harness.process.wait()
        os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)  # A guard would have done it.

    (tmp_path / "trace").unlink()
    for _ in range(2):
        with Harness(tmp_path, "true", [row("a1")]) as harness:
            harness.results()

    assert trace(tmp_path) == ["down disk 1 /poola/disk1", "down pool a /poola"]
    assert list((tmp_path / "standing").iterdir()) == []


def test_what_a_living_harness_has_set_up_is_left_alone(tmp_path: Path) -> None:
    """A second harness of the suite does not tear down what the first one uses."""
    setups = [traced("pool", "{values.pool}")]
    with Harness(tmp_path, TRACE, [row("a1")], setups) as first:
        first.run()
        first.until("done")
        with Harness(tmp_path, "true", [row("a1")]) as second:
            second.results()
        assert trace(tmp_path) == ["up pool a", "test a1 /poola"]
        first.send("finish")
        first.until("bye")

    assert trace(tmp_path)[-1] == "down pool a /poola"


def test_a_test_may_remove_what_is_not_its_own(tmp_path: Path) -> None:
    """The set-up's folder is gone: its tear-down runs all the same, and the harness lives on."""
    script = 'test $DOIT_FLEET_TEST = a1 && rm -r "$(cat where)"; exit 0'
    setup = traced("pool", "{values.pool}", command="echo $DOIT_FLEET_FOLDER > where; echo up >> trace")
    with Harness(tmp_path, script, [row("a1"), row("b1")], [setup]) as harness:
        results = harness.results()

    assert [one["verdict"] for one in results] == ["passed", "passed"]
    assert trace(tmp_path) == ["up", "down pool a", "up", "down pool b"]


def test_groups_are_collected_one_by_one(tmp_path: Path) -> None:
    """So each has a worker whose it is first; what was left out is told once."""
    rows = [row("a1"), row("b1"), row("a2")]
    with Harness(tmp_path, TRACE, rows, [traced("pool", "{values.pool}")]) as harness:
        assert harness.until("files")[-1]["files"] == ["pool=a", "pool=b"]
        harness.send("collect", file="pool=a")
        harness.send("collect", file="pool=b")
        first, second = harness.until("collected")[-1], harness.until("collected")[-1]

    assert [test[0] for test in first["tests"]] == ["a1", "a2"]
    assert [test[0] for test in second["tests"]] == ["b1"]
