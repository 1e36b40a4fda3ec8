"""Metrics and results reach the reports, whichever worker measured them."""

from __future__ import annotations

import pytest

from tests.any_command.bench import Bench
from tests.compatibility.project import TEST_SECONDS

pytestmark = pytest.mark.timeout(TEST_SECONDS)

MEASURING = """
rows = [{ name = "a", values = { n = 1 } }, { name = "b", values = { n = 2 } }, { name = "bad", values = { n = 3 } }]
command = '''
cd "$DOIT_FLEET_FOLDER"
echo "iops=$((DOIT_FLEET_VALUE_n * 100))" > fio.env; echo "note==1+1" >> fio.env
test $DOIT_FLEET_TEST = bad && exit 1
echo "{\\"pools\\": {\\"p$DOIT_FLEET_VALUE_n\\": {\\"iops\\": 1}}, \\"host\\": \\"h$DOIT_FLEET_VALUE_n\\"}" > result.json
'''
metrics = ["fio.env"]
results = ["result.json"]
keep = ["fio.env"]
"""


def test_metrics_are_in_a_table_and_in_the_page(bench: Bench) -> None:
    """A line for each test, failed ones too; a passed test with metrics has details; nothing is a formula."""
    bench.suite(MEASURING)

    done = bench.fleet()

    rows = {row["test"]: row for row in bench.metrics()}
    assert done.code == 1, done.output
    assert {test: (row["verdict"], row["iops"], row["note"]) for test, row in rows.items()} == {
        "bench::a": ("passed", "100", "'=1+1"), "bench::b": ("passed", "200", "'=1+1"), "bench::bad": ("failed", "300", "'=1+1"),
    }  # fmt: skip
    assert done.properties["::a"]["iops"] == "100"
    page = (bench.root / "build/reports/index.html").read_text()
    assert '["iops","200"]' in page


def test_results_become_one_summary(bench: Bench) -> None:
    """Merged to any depth; a key that comes twice is named, and so are tests without results."""
    bench.suite(MEASURING)

    done = bench.fleet()

    merged = bench.merged()
    assert (
        "1 key came more than once and kept the first value; the first is 'host', of 'bench::a' and 'bench::b'"
        in done.output
    )
    assert merged["results"]["pools"] == {"p1": {"iops": 1}, "p2": {"iops": 1}}
    assert merged["results"]["host"] == "h1"
    assert merged["duplicates"] == [{"key": ["host"], "kept": "bench::a", "test": "bench::b", "value": "h2"}]
    assert merged["without"] == {"bench::bad": "failed"}
    assert merged["run"] in next((bench.root / "build/reports").glob("results-*.json")).name


def test_what_is_kept_lies_below_the_run(bench: Bench) -> None:
    """Another run does not overwrite it; runs that are long over are tidied away."""
    bench.suite(MEASURING)

    runs = bench.root / "build/command/bench/runs"
    for number in range(7):
        bench.fleet("-a", "workers.count=1", f"run.seed={number}")

    assert 2 <= len(list(runs.iterdir())) <= 6
    assert all((run / "a" / "fio.env").exists() for run in runs.iterdir())


def test_no_file_is_written_where_nothing_was_measured(bench: Bench) -> None:
    """And one of an earlier run does not pass for this one's."""
    bench.write(build_in_reports_in_metrics__csv="old")
    bench.suite('rows = [{ name = "a" }]\ncommand = "true"\n')

    assert bench.fleet().code == 0

    assert not (bench.root / "build/reports/metrics.csv").exists()
    assert not list((bench.root / "build/reports").glob("results-*"))
