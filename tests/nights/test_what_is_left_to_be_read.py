"""A file for each test, a line for each group, and nobody who reads along can change a verdict."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.any_command.bench import Bench
from tests.compatibility.project import TEST_SECONDS

pytestmark = pytest.mark.timeout(TEST_SECONDS)

GROUPS = """
rows = [
  { name = "a/1", values = { pool = "a", code = "0" } },
  { name = "a/2", values = { pool = "a", code = "3" } },
  { name = "b/1", values = { pool = "b", code = "0" } },
]
command = "echo said-by-$DOIT_FLEET_TEST; exit $DOIT_FLEET_VALUE_code"
[tool.doit-fleet.suites.bench.setups.vms]
key = "{values.pool}"
command = "true"
"""
BROKEN = """
class Broken:
    name = "broken"
    def __init__(self, where):
        self.where = where
    def event(self, event):
        if self.where == "event":
            raise RuntimeError("no room")
    def finish(self, run):
        raise RuntimeError("no room")

def in_event(folder, reproduce):
    return Broken("event")

def in_finish(folder, reproduce):
    return Broken("finish")

def at_once(folder, reproduce):
    raise RuntimeError("no room")
"""


def test_each_test_has_a_file_of_what_it_printed(bench: Bench) -> None:
    """Below the reports, by run and suite; a failure names it, the page and the report for machines lead to it."""
    bench.suite(GROUPS)

    done = bench.fleet()

    named = re.findall(r"^ *log: (.*)$", done.output, re.MULTILINE)
    (failed,) = set(named)
    assert done.code == 1, done.output
    assert len(named) == 2, done.output
    assert (bench.root / failed).read_text() == "said-by-a/2\n"
    texts = sorted(path.read_text() for path in (bench.root / "build/reports/output").glob("*/bench/*.log"))
    assert texts == ["said-by-a/1\n", "said-by-a/2\n", "said-by-b/1\n"]
    tests = json.loads((bench.root / "build/reports/ctrf.json").read_text())["results"]["tests"]
    attached = {one["name"]: one["attachments"][0]["path"] for one in tests}
    assert {name: (bench.root / "build/reports" / path).read_text() for name, path in attached.items()} == {
        name: f"said-by-{name}\n" for name in ("a/1", "a/2", "b/1")
    }
    assert attached["a/2"] in (bench.root / "build/reports/index.html").read_text()


def test_tries_stand_one_behind_the_other(bench: Bench) -> None:
    """What a failed try said is kept with its verdict; a test that says nothing has no file."""
    bench.suite("""
rows = [{ name = "flaky" }, { name = "silent" }]
retries = 1
command = "test $DOIT_FLEET_TEST = silent && exit; echo try $DOIT_FLEET_ATTEMPT; test $DOIT_FLEET_ATTEMPT = 2"
""")

    done = bench.fleet()

    (path,) = (bench.root / "build/reports/output").glob("*/bench/*.log")
    assert done.code == 0, done.output
    assert path.name == "flaky.log"
    assert path.read_text() == "--- try 1: failed ---\ntry 1\n--- try 2: passed ---\ntry 2\n"


def test_a_long_output_is_kept_whole(bench: Bench) -> None:
    """The report holds its ends and says where all of it is."""
    bench.suite("""rows = [{ name = "long" }]\ncommand = "seq 100000; exit 1"\n""")

    done = bench.fleet()

    (path,) = (bench.root / "build/command/bench/runs").glob("*/*/output.log")
    (shown,) = (bench.root / "build/reports/output").glob("*/bench/long.log")
    assert path.read_text().splitlines() == [str(number) for number in range(1, 100001)]
    assert len(shown.read_text()) < 200_000
    assert str(path.relative_to(bench.root)) in shown.read_text()
    assert str(path.relative_to(bench.root)) in done.output


@pytest.mark.parametrize("setting", ["reports.output=false", "console.groups=false"])
def test_both_can_be_switched_off(bench: Bench, setting: str) -> None:
    """Whoever does not want files or lines has none."""
    bench.suite(GROUPS)

    done = bench.fleet(setting)

    assert (bench.root / "build/reports/output").exists() == (setting != "reports.output=false")
    assert ("group vms=" in done.output) == (setting != "console.groups=false")


def test_a_group_is_one_line_at_its_end(bench: Bench) -> None:
    """Tests that share a key: how many came to what, how long it took and where."""
    bench.suite(GROUPS)

    done = bench.fleet()

    lines = sorted(re.findall(r"^group .*$", done.output, re.MULTILINE))
    assert len(lines) == 2, done.output
    assert re.fullmatch(r"group vms=a of bench: 1 passed, 1 failed in [\d.]+ m?s on w\d-\d(, w\d-\d)?", lines[0])
    assert re.fullmatch(r"group vms=b of bench: 1 passed in [\d.]+ m?s on w\d-\d", lines[1])
    told = [json.loads(line) for line in (bench.root / "build/reports/events.jsonl").read_text().splitlines()]
    groups = {one["group"]: one["counts"] for one in told if one["event"] == "GroupFinished"}
    assert groups == {"vms=a": {"passed": 1, "failed": 1}, "vms=b": {"passed": 1}}


def test_a_file_of_tests_is_a_group_where_that_is_asked_for(bench: Bench) -> None:
    """pytest's files, too; not by default, for there may be thousands."""
    bench.suite(GROUPS)
    bench.write(test_x__py="def test_1(): pass\ndef test_2(): pass\n")
    more = '[tool.doit-fleet.suites.unit]\npaths = ["test_x.py"]\n'
    (bench.root / "pyproject.toml").write_text((bench.root / "pyproject.toml").read_text() + more)

    asked, default = bench.fleet("console.groups=true"), bench.fleet("select.keyword=1")

    assert re.search(r"^group test_x\.py of unit: 2 passed in ", asked.output, re.MULTILINE), asked.output
    assert "of unit:" not in default.output


@pytest.mark.parametrize("where", ["in_event", "in_finish", "at_once"])
def test_a_broken_reporter_changes_nothing(bench: Bench, tmp_path: Path, where: str) -> None:
    """It is named and left out; verdicts, exit code and the other reports are what they would have been."""
    package = tmp_path / "packages"
    info = package / "broken-1.dist-info"
    info.mkdir(parents=True)
    (package / "broken_reporter.py").write_text(BROKEN)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1\n")
    (info / "entry_points.txt").write_text(f"[doit_fleet.reporters]\nbroken = broken_reporter:{where}\n")
    import os

    bench.environment["PYTHONPATH"] = f"{package}:{os.environ.get('PYTHONPATH', '')}"
    bench.suite('rows = [{ name = "a" }]\ncommand = "true"\n')

    done = bench.fleet("reports.formats=junit,broken,ctrf")

    assert done.code == 0, done.output
    assert re.search(r"reporter 'broken' failed.*RuntimeError: no room", done.output)
    assert done.output.count("no room") == 1
    assert bench.outcomes() == {"a": ("passed", "")}


def test_a_full_disk_of_logs_changes_nothing(bench: Bench) -> None:
    """Where a file for outputs cannot be made, that is said once."""
    bench.suite(GROUPS)
    bench.write(build_in_reports_in_output="in the way")

    done = bench.fleet()

    assert done.code == 1, done.output
    assert "1 failed" in done.output.splitlines()[-1]
    assert done.output.count("reporter 'output' failed") == 1
