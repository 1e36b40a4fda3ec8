"""Pins, filters, labels, ranges and folders of queues on this machine, as tests themselves see them."""

from __future__ import annotations

import json
from collections.abc import Mapping

from tests.any_command.bench import Bench

TELL = 'command = "echo $DOIT_FLEET_TEST $DOIT_FLEET_HOST/$DOIT_FLEET_QUEUE {more} >> ../trace"\n'


def told(bench: Bench) -> Mapping[str, list[str]]:
    """What each test has said, by its name."""
    return {words[0]: words[1:] for words in (line.split() for line in bench.ran)}


def rows(*names: str) -> str:
    """The setting for tests of these names."""
    return "rows = [" + ", ".join(f'{{ name = "{name}" }}' for name in names) + "]\n"


def test_what_a_queue_claims_runs_there_and_nowhere_else(bench: Bench) -> None:
    """Filters of a queue, another's `no`, and the suite's own name."""
    bench.suite(
        rows("boot", "boot.long", "install", "stress", "wipe")
        + TELL.format(more="$COLOUR")
        + """
[tool.doit-fleet.local.queues.q1]
only = "boot"
no = "boot.long"
claims = true
env.COLOUR = "red"
[tool.doit-fleet.local.queues.q2]
no = "wipe, stress"
[tool.doit-fleet.local.queues.q3]
only = "bench..wipe, stress"
"""
    )

    done = bench.fleet("workers.count=auto")

    assert done.code == 0, done.output
    assert told(bench) == {
        "boot": ["local/q1", "red"],
        "boot.long": ["local/q2"],
        "install": ["local/q2"],
        "stress": ["local/q3"],
        "wipe": ["local/q3"],
    }


def test_rows_and_suites_say_what_their_tests_require(bench: Bench) -> None:
    """Queue, labels and memory by values of a row; labels of the whole suite."""
    bench.suite(
        """
rows = [
  { name = "a", values = { where = "q2" } },
  { name = "b", values = { needs = "kvm, nested" } },
  { name = "c", values = { used_mem = "3000", where = "q1" } },
]
requires.labels = ["amd"]
requires.keys = { queue = "where", labels = "needs", memory = "used_mem", memory_unit = "1Mi" }
"""
        + TELL.format(more="")
        + """
[tool.doit-fleet.local]
labels = ["amd"]
memory = "4Gi"
[tool.doit-fleet.local.queues.q1]
[tool.doit-fleet.local.queues.q2]
[tool.doit-fleet.local.queues.q3]
labels = ["kvm", "nested"]
"""
    )

    done = bench.fleet("workers.count=auto")

    assert done.code == 0, done.output
    assert told(bench) == {"a": ["local/q2"], "b": ["local/q3"], "c": ["local/q1"]}


def test_a_queue_has_a_folder_that_stays_and_a_share_of_each_range(bench: Bench) -> None:
    """The same in the next run; as variables and as a file."""
    bench.suite(
        rows("one", "two")
        + 'command = "echo $MAC $VNC_FIRST $VNC_LAST $VNC_COUNT $LICENCE >> $DOIT_FLEET_QUEUE_FOLDER/seen"\n'
        + """
requires.keys.queue = "never"
[tool.doit-fleet.local.queues.q1]
only = "one"
[tool.doit-fleet.local.queues.q2]
only = "two"
[tool.doit-fleet.local.ranges.mac]
kind = "mac"
of = ["52:54:00:00:00:10+3"]
[tool.doit-fleet.local.ranges.vnc]
kind = "port"
of = ["5900-5909"]
each = 2
[tool.doit-fleet.local.ranges.licence]
of = ["l-[1-2]"]
"""
    )

    for _ in range(2):
        done = bench.fleet("-a", "workers.count=auto")
        assert done.code == 0, done.output

    queues = bench.root / ".fleet/queues/local"
    first, second = ((queues / name / "seen").read_text().splitlines() for name in ("q1", "q2"))
    assert first == ["52:54:00:00:00:10-52:54:00:00:00:11 5900 5901 2 l-1"] * 2
    assert second == ["52:54:00:00:00:12 5902 5903 2 l-2"] * 2
    file = json.loads((queues / "q2" / "ranges.json").read_text())
    assert file["vnc"]["items"] == ["5902", "5903"]
    assert file["mac"]["kind"] == "mac"


def test_slots_without_names_share_ranges_too(bench: Bench) -> None:
    """They are called by their numbers."""
    bench.suite(
        'rows = [{ name = "a", values = { q = "1" } }, { name = "b", values = { q = "2" } }]\nrequires.keys.queue = "q"\n'
        + TELL.format(more="$PORT")
        + '[tool.doit-fleet.local.ranges.port]\nkind = "port"\nof = ["7000-7001"]\n'
    )

    done = bench.fleet()

    assert done.code == 0, done.output
    assert told(bench) == {"a": ["local/1", "7000"], "b": ["local/2", "7001"]}


def test_tests_of_one_affinity_stay_in_one_queue(bench: Bench) -> None:
    """However many queues there are, each set-up is made once."""
    names = [(f"{size}-{number}", size) for number in range(8) for size in ("small", "large")]
    bench.suite(
        "rows = ["
        + ", ".join(f'{{ name = "{name}", values = {{ size = "{size}" }} }}' for name, size in names)
        + ']\nrequires.keys.affinity = "size"\n'
        + TELL.format(more="$DOIT_FLEET_VALUE_size")
        + "".join(f"[tool.doit-fleet.local.queues.q{number}]\n" for number in range(4))
    )

    done = bench.fleet("workers.count=auto")

    assert done.code == 0, done.output
    assert len(bench.ran) == len(names)
    for size in ("small", "large"):
        assert len({where for where, own in told(bench).values() if own == size}) == 1, bench.ran


def test_pytest_suites_are_placed_by_words_of_their_node_ids(bench: Bench) -> None:
    """File, class, test and parameter are words that filters know."""
    bench.write(
        pyproject__toml="""
        [tool.doit-fleet.suites.unit]
        [tool.doit-fleet.local.queues.q1]
        only = "test_a..lin"
        claims = true
        [tool.doit-fleet.local.queues.q2]
        """,
        test_a__py="""
        import os, pytest
        @pytest.mark.parametrize("system", ["lin", "win"])
        def test_it(system):
            assert os.environ["DOIT_FLEET_QUEUE"] == {"lin": "q1", "win": "q2"}[system]
        """,
    )

    done = bench.fleet("workers.count=auto")

    assert done.code == 0, done.output
    assert len(done.verdicts) == 2


def test_the_plan_says_what_each_queue_is_to_run(bench: Bench) -> None:
    """For people and for programs; nothing runs."""
    bench.suite(
        rows("boot", "a", "b")
        + TELL.format(more="")
        + '[tool.doit-fleet.local.queues.q1]\nonly = "boot"\nclaims = true\n[tool.doit-fleet.local.queues.q2]\n'
    )

    done = bench.fleet("plan", "workers.count=auto")
    asked = bench.fleet("plan", "--json", "workers.count=auto")

    assert done.code == 0, done.output
    assert "queue local/q1: 1 test," in done.output
    assert "may run 2, 2 of them nobody else" in done.output
    queues = json.loads(asked.output[asked.output.index("{") :])["queues"]
    assert [(one["queue"], one["tests"], one["pinned"]) for one in queues] == [("local/q1", 1, 1), ("local/q2", 2, 2)]
    assert not bench.ran


def test_a_selection_may_leave_filters_without_tests(bench: Bench) -> None:
    """That a queue has nothing to do today is no mistake of its filter."""
    bench.suite(
        rows("boot", "a")
        + TELL.format(more="")
        + '[tool.doit-fleet.local.queues.q1]\nonly = "boot"\n[tool.doit-fleet.local.queues.q2]\nno = "boot"\n'
    )

    done = bench.fleet("workers.count=auto", "select.keyword=a")

    assert done.code == 0, done.output
    assert told(bench) == {"a": ["local/q2"]}


def test_an_unfinished_run_goes_on_with_the_queues_there_are_now(bench: Bench) -> None:
    """The first command is stopped; the next one has filters that are turned round."""
    bench.suite(
        rows("a", "b", "stop")
        + 'command = "[ $DOIT_FLEET_TEST != stop ] || [ -e ../go ] || { touch ../go; kill -INT $AGENT; sleep 60; }; '
        + 'echo $DOIT_FLEET_TEST $DOIT_FLEET_QUEUE >> ../trace"\n'
        + 'exclusive = "one after the other"\n'
        + "[tool.doit-fleet.local.queues.q1]\n[tool.doit-fleet.local.queues.q2]\n"
    )
    common = 'VIRTUAL_ENV= ; exec env AGENT=$$ "$0" -m pipeline'
    line = f"sh -c '{common} \"$@\"' {bench.python}"
    first = bench.by_hand(f'{line} "local.queues.q1.only=bench" "local.queues.q2.no=bench"')
    assert first.returncode == 130, first.stdout + first.stderr
    second = bench.by_hand(f'{line} "local.queues.q1.no=bench" "local.queues.q2.only=bench"')

    assert second.returncode == 0, second.stdout + second.stderr
    assert {line.split()[1] for line in bench.ran[-1:]} == {"q2"}
    assert sorted(line.split()[0] for line in bench.ran) == ["a", "b", "stop"]
