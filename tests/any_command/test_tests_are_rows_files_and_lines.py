"""Where tests come from, what they are called, and what becomes of them."""

from __future__ import annotations

import re

import pytest

from tests.any_command.bench import Bench
from tests.compatibility.project import TEST_SECONDS

pytestmark = pytest.mark.timeout(TEST_SECONDS)


def test_all_sources_make_one_suite(bench: Bench) -> None:
    """Rows with values, a test for each file of a glob, a test for each line; their verdicts decide the exit code."""
    bench.write(configs_in_a__yaml="good", configs_in_b__yaml="bad", lines__txt="# none\n\nexit 0\nexit 77\nexit 0\n")
    bench.suite("""
rows = [{ name = "small", values = { code = 0 } }, { name = "large", values = { code = 3 } }]
files = ["configs/*.yaml"]
lines = ["lines.txt"]
command = '''
if test "$DOIT_FLEET_LINE"; then sh -c "$DOIT_FLEET_LINE"; exit; fi
if test "$DOIT_FLEET_FILE"; then grep good "$DOIT_FLEET_FILE"; exit; fi
exit $DOIT_FLEET_VALUE_code
'''
""")

    done = bench.fleet()

    assert done.code == 1, done.output
    assert "3 passed" not in done.output
    assert {name: verdict for name, (verdict, _) in bench.outcomes().items()} == {
        "small": "passed", "large": "failed", "configs/a.yaml": "passed", "configs/b.yaml": "failed",
        "exit 0": "passed", "exit 77": "skipped",
    }  # fmt: skip
    assert "4 passed, 2 failed, 1 skipped" in done.output
    assert "FAILED bench::large - exit status 3" in done.output


@pytest.mark.parametrize(
    "command",
    [
        """["python3", "-c", "import sys; print(sys.argv[1]); sys.exit(3)", "{values.x}", "{folder}"]""",
        """'''\nprintf "%s\\\\n" "$DOIT_FLEET_VALUE_x"\necho 'a\\n' "$DOIT_FLEET_FOLDER"; touch "$DOIT_FLEET_FOLDER/x" || exit 1\nexit 3\n'''""",
    ],
)
def test_a_failure_is_repeated_by_the_line_that_is_shown(bench: Bench, command: str) -> None:
    """One line for a shell, whatever the command and its values are."""
    bench.suite(f"""rows = [{{ name = "it's", values = {{ x = "a 'b' $c \\\\n" }} }}]\ncommand = {command}\n""")

    done = bench.fleet()
    line = re.findall(r"^reproduce: (.*)$", done.output, re.MULTILINE)[0]
    again = bench.by_hand(line)

    assert done.code == 1, done.output
    assert again.returncode == 3, again
    assert again.stdout.startswith("a 'b' $c \\n\n")


def test_rows_wait_for_what_they_depend_on(bench: Bench) -> None:
    """In one worker, behind it; skipped when that was not good."""
    bench.suite("""
rows = [{ name = "c", dependencies = ["b"] }, { name = "b", dependencies = ["a"] }, { name = "a" }, { name = "x" }]
command = "echo $DOIT_FLEET_TEST >> ../trace; test $DOIT_FLEET_TEST != b"
""")

    bench.fleet()

    assert [name for name in bench.ran if name != "x"] == ["a", "b"]
    assert bench.outcomes()["c"] == ("skipped", "it needs 'b', which was not good")


def test_tests_are_selected_like_any_others(bench: Bench) -> None:
    """By words of their names, by paths, and by what failed last."""
    bench.suite("""
rows = [{ name = "fio-read" }, { name = "fio-write" }, { name = "ping" }]
command = "echo $DOIT_FLEET_TEST >> ../trace; test $DOIT_FLEET_TEST != ping"
up_to_date = false
""")

    assert bench.fleet("select.keyword=FIO", "exclude.keyword=write").code == 0
    assert bench.ran == ["fio-read"]
    assert bench.fleet("select.paths=p*").code == 1
    assert bench.ran == ["fio-read", "ping"]
    bench.fleet()
    assert bench.fleet("select.last_failed=true").code == 1
    assert bench.ran[-1] == "ping"
    assert len(bench.ran) == 6


def test_the_foreground_and_a_replay_need_no_supervisor(bench: Bench) -> None:
    """`workers.count=0` runs everything in one process with its set-ups; `reproduce` repeats a worker's sequence."""
    bench.suite("""
rows = [{ name = "a" }, { name = "b" }]
command = "echo $DOIT_FLEET_TEST $HANDLE >> ../trace"
[tool.doit-fleet.suites.bench.setups.all]
per = "worker"
command = "echo HANDLE=h > $DOIT_FLEET_EXPORT"
teardown = "echo down >> ../trace"
""")

    done = bench.fleet("workers.count=0")
    assert (done.code, bench.ran) == (0, ["a h", "b h", "down"]), done.output
    assert bench.fleet("workers.count=1").code == 0
    again = bench.fleet("reproduce", "w0-1")

    assert again.code == 0, again.output
    assert bench.ran == ["a h", "b h", "down"] * 3


def test_nothing_runs_again_while_nothing_has_changed(bench: Bench) -> None:
    """A green result stands until a file that tests are made of changes, ignored by git or not."""
    bench.write(configs_in_a__yaml="1", __gitignore="configs\n")
    bench.by_hand("git init -q .")
    bench.suite('files = ["configs/*.yaml"]\ncommand = "echo $DOIT_FLEET_TEST >> ../trace"\n')

    assert bench.fleet().code == 0
    assert bench.fleet().code == 0
    assert bench.ran == ["configs/a.yaml"]
    bench.write(configs_in_a__yaml="2")
    assert bench.fleet().code == 0

    assert bench.ran == ["configs/a.yaml"] * 2


def test_an_exclusive_resource_may_be_named_by_a_value(bench: Bench) -> None:
    """Tests that need the same disk never run at once; others do."""
    rows = ", ".join(f'{{ name = "{disk}{n}", values = {{ disk = "{disk}" }} }}' for disk in "ab" for n in range(4))
    bench.suite(f"""
rows = [{rows}]
exclusive = "disk-{{values.disk}}"
command = "mkdir ../lock-$DOIT_FLEET_VALUE_disk && sleep 0.05 && rmdir ../lock-$DOIT_FLEET_VALUE_disk"
""")

    done = bench.fleet()

    assert done.code == 0, done.output
    assert "8 passed" in done.output


def test_a_resource_may_have_room_for_two(bench: Bench) -> None:
    """With four workers there are never more than two at it, and at some time two."""
    rows = ", ".join(f'{{ name = "t{n}" }}' for n in range(8))
    bench.suite(f"""
rows = [{rows}]
exclusive = "storage-heavy"
command = "mkdir -p ../now/$DOIT_FLEET_TEST && ls ../now | wc -l >> ../trace && sleep 0.2 && rmdir ../now/$DOIT_FLEET_TEST"
""")

    done = bench.fleet("workers.count=4", "run.limits={ storage-heavy = 2 }")

    assert done.code == 0, done.output
    assert (len(bench.ran), max(bench.ran)) == (8, "2"), bench.ran


def test_no_test_waits_behind_a_long_one_while_a_worker_is_idle(bench: Bench) -> None:
    """Of unknown length: two of eight end when all have begun, and nothing was claimed that would begin behind them."""
    rows = ", ".join(f'{{ name = "t{n}" }}' for n in range(8))
    bench.suite(f"""
rows = [{rows}]
command = "touch ../begun-$DOIT_FLEET_TEST; case $DOIT_FLEET_TEST in t[01]) ;; *) exit;; esac; for _ in $(seq 300); do [ $(ls ../begun-* | wc -l) = 8 ] && exit; sleep 0.05; done; exit 1"
""")

    done = bench.fleet("workers.count=4")

    assert done.code == 0, done.output
    assert "8 passed" in done.output


def test_a_failure_elsewhere_is_repeated_there(bench: Bench) -> None:
    """In the folder that it starts in; what only the run knows stays as a field."""
    bench.write(sub_in_x="")
    bench.suite(
        'rows = [{ name = "a", values = { d = "sub" } }]\ncwd = "{values.d}"\ncommand = ["sh", "-c", "ls; exit 3", "{env.HOME}"]\n'
    )

    done = bench.fleet()
    line = re.findall(r"^reproduce: (.*)$", done.output, re.MULTILINE)[0]

    assert line == "(cd sub && sh -c 'ls; exit 3' '{env.HOME}')"
    assert bench.by_hand(line).stdout == "x\n"
