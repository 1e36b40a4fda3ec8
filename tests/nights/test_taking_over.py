"""Resume and growth: what was good and rests on the same is not run again, what is new is, and the run says why."""

from __future__ import annotations

import json
import re
import signal
from collections import Counter
from pathlib import Path

import pytest

from tests.any_command.bench import Bench
from tests.compatibility.project import TEST_SECONDS, Done
from tests.faults.project import Project, until

pytestmark = pytest.mark.timeout(TEST_SECONDS)

ROWS = """
rows = [{rows}]
command = ["sh", "run.sh", "{{name}}"]
retries = 0
{more}
[tool.doit-fleet.suites.bench.setups.vms]
key = "{{values.pool}}"
command = "echo up-$DOIT_FLEET_KEY >> ../trace"
teardown = "echo down-$DOIT_FLEET_KEY >> ../trace"
"""
RUN = 'echo "$1" >> ../trace\ntest ! -e "../bad-$1"\n'


def write(bench: Bench, *names: str, more: str = "", run: str = RUN) -> None:
    """A suite of rows `<pool>/<number>`."""
    rows = ", ".join(f'{{ name = "{name}", values = {{ pool = "{name[0]}" }} }}' for name in names)
    bench.suite(ROWS.format(rows=rows, more=more))
    bench.write(run__sh=run)


def fleet(bench: Bench, *arguments: str) -> Done:
    """With one worker, so that a group is set up once."""
    return bench.fleet("workers.count=1", *arguments)


def news(bench: Bench) -> list[str]:
    """What tests and set-ups have written since this was last asked."""
    ran = sorted(bench.ran)
    (bench.root.parent / "trace").unlink(missing_ok=True)
    return ran


def taken(done: Done) -> int:
    """How many verdicts the run says to have taken over."""
    return sum(map(int, re.findall(r"taken over from run [0-9a-f]+-\d+, which began .*?: (\d+) verdict", done.output)))


def test_a_matrix_that_has_grown_runs_only_what_is_new(bench: Bench) -> None:
    """The others' verdicts stand in the new run with their origin; their groups are not even set up."""
    write(bench, "a/1", "a/2")
    first = fleet(bench)
    assert (first.code, news(bench)) == (0, ["a/1", "a/2", "down-a", "up-a"]), first.output
    write(bench, "a/1", "a/2", "b/1")

    second = fleet(bench)

    assert (second.code, news(bench)) == (0, ["b/1", "down-b", "up-b"]), second.output
    assert "3 passed" in second.output
    assert taken(second) == 2
    assert "command, row, files, environment, interpreter and settings are what they were there; 1 left to run" in (
        second.output
    )
    (run,) = set(re.findall(r"taken over from run ([0-9a-f]+-\d+)", second.output))
    assert second.properties["::a.1"]["taken_over_from"] == run
    assert "taken_over_from" not in second.properties["::b.1"]
    events = [json.loads(line) for line in (bench.root / "build/reports/events.jsonl").read_text().splitlines()]
    assert sum(one["event"] == "WorkerStarted" for one in events) == 1

    write(bench, "a/1", "b/1", "c/1")
    third = fleet(bench)

    assert (third.code, news(bench)) == (0, ["c/1", "down-c", "up-c"]), third.output
    assert third.properties["::a.1"]["taken_over_from"] == run


def test_a_matrix_that_has_shrunk_starts_no_worker(bench: Bench) -> None:
    """All that is wanted is known: no set-up, no worker, a report of what stands."""
    write(bench, "a/1", "a/2", "b/1")
    assert fleet(bench).code == 0
    news(bench)

    done = fleet(bench, "select.keyword=a/")

    assert (done.code, news(bench), taken(done)) == (0, [], 2), done.output
    assert "2 passed" in done.output
    assert "nothing is left to run" in done.output
    assert bench.outcomes() == {"a/1": ("passed", ""), "a/2": ("passed", "")}


def test_a_growing_file_of_lines_runs_what_is_new(bench: Bench) -> None:
    """The file is a source, but only says which tests there are."""
    bench.suite('lines = ["todo.txt"]\ncommand = "echo $DOIT_FLEET_LINE >> ../trace"\n')
    bench.write(todo__txt="one\ntwo\n")
    assert fleet(bench).code == 0
    assert news(bench) == ["one", "two"]
    bench.write(todo__txt="zero\ntwo\none\nthree\n")

    done = fleet(bench)

    assert (done.code, news(bench), taken(done)) == (0, ["three", "zero"], 2), done.output


def test_a_growing_matrix_runs_what_is_new(bench: Bench) -> None:
    """Its file and what that includes only say which rows there are; a row with another value is another test."""
    bench.suite('matrix = "m.cfg"\ncommand = "echo $DOIT_FLEET_VALUE_shortname >> ../trace"\n')
    bench.write(
        m__cfg="include sizes.cfg\n", sizes__cfg="variants:\n    - small:\n        n = 1\n    - large:\n        n = 2\n"
    )
    assert fleet(bench).code == 0
    assert news(bench) == ["large", "small"]
    bench.write(sizes__cfg="variants:\n    - small:\n        n = 1\n    - large:\n        n = 3\n    - huge:\n")

    done = fleet(bench)

    assert (done.code, news(bench), taken(done)) == (0, ["huge", "large"], 1), done.output


def test_a_test_that_must_run_elsewhere_now_runs_there(bench: Bench) -> None:
    """What a queue gave it is not what another gives."""
    queues = "[tool.doit-fleet.local.queues.q1]\n[tool.doit-fleet.local.queues.q2]\n"
    text = 'requires.keys.queue = "q"\ncommand = "echo $DOIT_FLEET_TEST $DOIT_FLEET_QUEUE >> ../trace"\n' + queues
    bench.suite('rows = [{ name = "a", values = { q = "q1" } }, { name = "b", values = { q = "q1" } }]\n' + text)
    assert bench.fleet("workers.count=auto").code == 0
    assert news(bench) == ["a q1", "b q1"]
    bench.suite('rows = [{ name = "a", values = { q = "q2" } }, { name = "b", values = { q = "q1" } }]\n' + text)

    done = bench.fleet("workers.count=auto")

    assert (done.code, news(bench), taken(done)) == (0, ["a q2"], 1), done.output


def test_a_test_that_is_a_file_runs_when_its_file_changes(bench: Bench) -> None:
    """And no other for it."""
    bench.suite('files = ["plans/*.txt"]\ncommand = "echo $DOIT_FLEET_FILE >> ../trace"\n')
    bench.write(plans_in_a__txt="1", plans_in_b__txt="1")
    assert fleet(bench).code == 0
    news(bench)
    bench.write(plans_in_b__txt="2", plans_in_c__txt="1")

    done = fleet(bench)

    assert (done.code, news(bench), taken(done)) == (0, ["plans/b.txt", "plans/c.txt"], 1), done.output


def test_only_good_verdicts_stand(bench: Bench) -> None:
    """What failed, was skipped or passed only on a second try runs again."""
    run = 'echo "$1" >> ../trace\ncase $1 in a/2) exit 1;; a/3) exit 77;; a/4) test $DOIT_FLEET_ATTEMPT = 2;; esac\n'
    write(bench, "a/1", "a/2", "a/3", "a/4", run=run)
    text = (bench.root / "pyproject.toml").read_text().replace("retries = 0", "retries = 1")
    (bench.root / "pyproject.toml").write_text(text)
    assert fleet(bench).code == 1
    news(bench)

    done = fleet(bench)

    assert (done.code, taken(done)) == (1, 1), done.output
    assert news(bench) == ["a/2", "a/2", "a/3", "a/4", "a/4", "down-a", "up-a"]


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ("source", "different are: file 'run.sh'"),
        ("setting", "settings of suite 'bench'"),
        ("environment", "settings of suite 'bench'"),
        ("rest of pyproject", "different are: pyproject.toml beside our tables"),
    ],
)
def test_nothing_stands_on_another_basis(bench: Bench, what: str, told: str) -> None:
    """A script, a setting, a variable, the rest of a file that holds our settings: the run says what is otherwise."""
    write(bench, "a/1")
    assert fleet(bench).code == 0
    news(bench)
    more = {"setting": "timeout_seconds = 100", "environment": 'env.X = "1"'}.get(what, "")
    write(bench, "a/1", "a/2", more=more, run=RUN + ("true\n" if what == "source" else ""))
    if what == "rest of pyproject":
        path = bench.root / "pyproject.toml"
        path.write_text(path.read_text().replace('version = "1"', 'version = "2"'))

    done = fleet(bench)

    assert (done.code, taken(done)) == (0, 0), done.output
    assert news(bench) == ["a/1", "a/2", "down-a", "up-a"]
    assert "nothing is taken over from run " in done.output and told in done.output, done.output


@pytest.mark.parametrize("how", ["-a", "up_to_date"])
def test_who_wants_all_to_run_says_so(bench: Bench, how: str) -> None:
    """`doit -a` for once, `up_to_date = false` for a suite that depends on what is outside."""
    more = "up_to_date = false" if how == "up_to_date" else ""
    write(bench, "a/1", more=more)
    assert fleet(bench).code == 0
    news(bench)
    write(bench, "a/1", "a/2", more=more)

    done = fleet(bench, *(["-a"] if how == "-a" else []))

    assert (done.code, taken(done)) == (0, 0), done.output
    assert news(bench) == ["a/1", "a/2", "down-a", "up-a"]


def test_what_belongs_together_stands_together(bench: Bench) -> None:
    """A new row that needs an old one has it run again in its worker: what that did is not on this machine any more."""
    bench.suite('rows = [{ name = "a" }, { name = "x" }]\ncommand = "echo $DOIT_FLEET_TEST >> ../trace"\n')
    assert fleet(bench).code == 0
    news(bench)
    rows = '[{ name = "a" }, { name = "b", dependencies = ["a"] }, { name = "x" }]'
    bench.suite(f'rows = {rows}\ncommand = "echo $DOIT_FLEET_TEST >> ../trace"\n')

    done = fleet(bench)

    assert (done.code, news(bench), taken(done)) == (0, ["a", "b"], 1), done.output


def test_a_mixed_run_gives_nothing(bench: Bench) -> None:
    """Sources that changed while tests ran: nobody knows what its verdicts rest on."""
    run = 'echo "$1" >> ../trace\ntest "$1" = a/1 && echo >> other.txt\ntrue\n'
    write(bench, "a/1", "a/2", run=run)
    bench.write(other__txt="x")
    assert "sources changed" in fleet(bench).output
    bench.write(other__txt="x")
    news(bench)
    write(bench, "a/1", "a/2", "a/3", run=run)

    done = fleet(bench)

    assert taken(done) == 0, done.output
    assert news(bench) == ["a/1", "a/2", "a/3", "down-a", "up-a"]


PLACED = """
rows = [{rows}]
command = 'echo "$DOIT_FLEET_TEST" >> ../trace'
[tool.doit-fleet.local.queues.q1]
env.LEVEL = "{level}"
[tool.doit-fleet.local.queues.q2]
"""


@pytest.mark.parametrize("level", ["1", "2"])
def test_what_a_queue_gives_its_tests_decides(bench: Bench, level: str) -> None:
    """Another variable of a queue is another basis; the same one is not."""
    bench.suite(PLACED.format(rows='{ name = "a" }', level="1"))
    assert bench.fleet("workers.count=auto").code == 0
    assert news(bench) == ["a"]
    bench.suite(PLACED.format(rows='{ name = "a" }, { name = "b" }', level=level))

    done = bench.fleet("workers.count=auto")

    assert (done.code, taken(done)) == (0, 1 if level == "1" else 0), done.output
    assert news(bench) == (["b"] if level == "1" else ["a", "b"])
    assert ("different are: place 'local/q1'" in done.output) == (level == "2"), done.output


def test_placement_is_proved_before_an_old_result_is_said_again(bench: Bench) -> None:
    """Filters of queues on the command line are no source: a test that has no place now is named, whatever it once came to."""
    bench.suite(PLACED.format(rows='{ name = "a" }', level="1"))
    assert bench.fleet("workers.count=auto").code == 0
    assert news(bench) == ["a"]
    assert (bench.fleet("workers.count=auto").code, news(bench)) == (0, [])

    refused = bench.fleet("workers.count=auto", "local.only=nosuch")

    assert (refused.code, news(bench)) == (3, []), refused.output

    narrowed = bench.fleet("workers.count=auto", "local.queues.q2.only=a")

    assert (narrowed.code, news(bench), taken(narrowed)) == (0, [], 1), narrowed.output


def test_a_run_that_is_half_deleted_is_left_out(bench: Bench) -> None:
    """Somebody sweeps it at this moment: it is named, others are read, nothing fails."""
    write(bench, "a/1")
    assert fleet(bench).code == 0
    news(bench)
    (plan,) = (bench.root / ".fleet").glob("**/runs/*/plan")
    plan.unlink()
    write(bench, "a/1", "a/2")

    done = fleet(bench)

    assert (done.code, taken(done)) == (0, 0), done.output
    assert news(bench) == ["a/1", "a/2", "down-a", "up-a"]
    assert "nothing is taken over from run " in done.output and "has no plan" in done.output


class TestStopped:
    """A run that was stopped in the middle."""

    @pytest.fixture
    def stopped(self, tmp_path: Path) -> Project:
        """Of 40 tests in groups of 10, some are done; group `p0` is."""
        (tmp_path / "project").mkdir()
        project = Project(tmp_path / "project")
        self.write(project, 40)
        running = project.start()
        running.until_begun(14)
        running.signal(signal.SIGTERM)
        assert running.end() == 143, running.output
        until(lambda: not project.left(), project.left, 15)
        return project

    def write(self, project: Project, tests: int) -> None:
        """Rows in groups of ten, in their order on one worker."""
        rows = ", ".join(f'{{ name = "t{n}", values = {{ pool = "p{n // 10}" }} }}' for n in range(tests))
        project.write(
            "pyproject.toml",
            f"""
[tool.doit-fleet.suites.bench]
framework = "command"
rows = [{rows}]
command = 'echo "$DOIT_FLEET_TEST" >> "$FLEET_TRACE"; sleep 0.05'
[tool.doit-fleet.suites.bench.setups.pool]
key = "{{values.pool}}"
command = 'echo "up $DOIT_FLEET_KEY" >> "$FLEET_TRACE.setups"'
teardown = "true"
""",
        )
        project.arguments = ("workers.count=1",)

    def ups(self, project: Project) -> list[str]:
        """Set-ups so far."""
        return (project.shared / "trace.setups").read_text().splitlines()

    def test_the_same_command_sets_up_no_finished_group(self, stopped: Project) -> None:
        """It goes on with the run; at most the test in flight runs twice."""
        before, ups = Counter(stopped.traces()), self.ups(stopped)

        again = stopped.start()

        assert again.end() == 0, again.output
        assert "goes on with" in again.output
        assert sum((Counter(stopped.traces()) - Counter(f"t{n}" for n in range(40))).values()) <= 1
        assert "up p0" not in self.ups(stopped)[len(ups) :]
        assert before["t0"] == 1

    def test_a_filter_is_honoured(self, stopped: Project) -> None:
        """What was done of the selection stands, only the rest of it runs, nothing else does."""
        done = set(stopped.traces())

        again = stopped.start("select.keyword=t1")

        assert again.end() == 0, again.output
        wanted = {"t1", *(f"t{n}" for n in range(10, 20))}
        fresh = stopped.traces()[len(done) :]
        assert set(fresh) <= wanted
        assert "t1" not in fresh
        assert "11 passed" in again.output
        assert "taken over from run" in again.output

    def test_growth_takes_over_what_an_open_run_has_done(self, stopped: Project) -> None:
        """It was left in order, with its sources as they had been."""
        done = stopped.traces()
        self.write(stopped, 50)

        again = stopped.start()

        assert again.end() == 0, again.output
        assert "50 passed" in again.output
        repeated = Counter(stopped.traces()) - Counter(f"t{n}" for n in range(50))
        assert sum(repeated.values()) <= 1, repeated
        assert len(done) >= 14

    def test_changes_that_were_put_back_are_not_forgotten(self, stopped: Project) -> None:
        """An agent saw them when it left; the next one, which sees none, cannot make the run good, and it gives nothing."""
        (stopped.root / "run.cfg").write_text("as it was")
        mixed = stopped.start()
        mixed.until_begun(len(stopped.traces()) + 3)
        (stopped.root / "run.cfg").write_text("otherwise")
        mixed.signal(signal.SIGTERM)
        assert mixed.end() == 143, mixed.output
        (stopped.root / "run.cfg").write_text("as it was")

        again = stopped.start()

        assert again.end() == 0, again.output
        assert "goes on with" in again.output
        assert "sources changed while the run went on" in again.output
        before = len(stopped.traces())
        self.write(stopped, 41)
        grown = stopped.start()
        assert grown.end() == 0, grown.output
        assert len(stopped.traces()) - before == 41, grown.output

    def test_what_an_agent_that_was_killed_has_done_stands_nowhere_else(self, stopped: Project) -> None:
        """Nobody has looked at the sources since then; what stood when an earlier agent left in order does."""
        done = set(stopped.traces())
        running = stopped.start()
        running.until_begun(len(stopped.traces()) + 3)
        running.signal(signal.SIGKILL)
        running.end()
        until(lambda: not stopped.processes(), "guards end what the agent has left", 15)
        before = len(stopped.traces())
        unchecked = set(stopped.traces()) - done
        self.write(stopped, 50)

        again = stopped.start()

        assert again.end() == 0, again.output
        fresh = set(stopped.traces()[before:])
        assert unchecked and unchecked <= fresh
        assert len(fresh & done) <= 1
        assert "50 passed" in again.output
