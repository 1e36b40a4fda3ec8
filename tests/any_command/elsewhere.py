"""A suite of commands that uses most of what there is, for workers that live elsewhere: in containers, in pods."""

from __future__ import annotations

import csv
import json
from typing import Any

from tests.docker.test_workers_in_containers import verdicts
from tests.faults.project import Project

MATRIX = """
memory = 1Mi
variants kind:
    - good:
    - bad:
    - missing:
    - slow:
        only linux
variants os:
    - linux:
        memory = 2Mi
    - windows:
variants:
    - install:
    - boot: install
        only linux..good
"""
COMMAND = r"""
echo "$DOIT_FLEET_TEST" >> "$FLEET_TRACE"
test "$POOL" = "of-$DOIT_FLEET_VALUE_os" || { echo "set up is $POOL"; exit 9; }
test -f "made/$DOIT_FLEET_VALUE_os.txt" || { echo "nothing was generated"; exit 9; }
echo "bytes=$DOIT_FLEET_VALUE_memory" > "$DOIT_FLEET_FOLDER/size.env"
echo "{\"$DOIT_FLEET_VALUE_shortname\": 1}" > "$DOIT_FLEET_FOLDER/result.json"
echo "said by $DOIT_FLEET_VALUE_shortname" > "$DOIT_FLEET_FOLDER/said.log"
case $DOIT_FLEET_VALUE_kind in bad) exit 3;; missing) echo "not here"; exit 77;; slow) sleep 60;; esac
"""
SUITE: dict[str, Any] = {
    "framework": "command",
    "matrix": "guests.cfg",
    "types": {"memory": "size"},
    "command": COMMAND,
    "timeout_seconds": 3,
    "kill_after_seconds": 1,
    "keep": ["*.log"],
    "metrics": ["size.env"],
    "results": ["result.json"],
    "generate": {
        "command": "mkdir -p made; for os in linux windows; do echo $os > made/$os.txt; done",
        "inputs": ["guests.cfg"],
        "outputs": ["made"],
    },
    "setups": {
        "pool": {
            "key": "{values.os}",
            "command": 'echo POOL="of-$DOIT_FLEET_KEY" > $DOIT_FLEET_EXPORT; echo "up $DOIT_FLEET_KEY" >> "$FLEET_TRACE"',
            "teardown": 'echo "down $DOIT_FLEET_KEY" >> "$FLEET_TRACE"',
        }
    },
}
VERDICTS = {
    "install.(os=linux).(kind=good)": "passed",
    "install.(os=linux).(kind=bad)": "failed",
    "install.(os=linux).(kind=missing)": "skipped",
    "install.(os=linux).(kind=slow)": "timed-out",
    "install.(os=windows).(kind=good)": "passed",
    "install.(os=windows).(kind=bad)": "failed",
    "install.(os=windows).(kind=missing)": "skipped",
    "boot.(os=linux).(kind=good)": "skipped",
}


def write(project: Project) -> None:
    """Write the files that the suite needs, and nothing of Python."""
    project.write("guests.cfg", MATRIX)


def assert_as_here(project: Project, output: str) -> None:
    """Verdicts, measurements, merged results and kept files are those of a run on this machine; set-ups are torn down."""
    assert verdicts(project) == VERDICTS, output
    reports = project.root / "build" / "reports"
    with (reports / "metrics.csv").open(newline="") as file:
        sizes = {row["test"]: row["bytes"] for row in csv.DictReader(file)}
    assert sizes["unit::install.(os=linux).(kind=good)"] == "2097152"
    assert sizes["unit::install.(os=windows).(kind=good)"] == "1048576"
    (merged,) = reports.glob("results-*.json")
    assert json.loads(merged.read_text())["results"].keys() >= {"install.linux.good", "install.windows.good"}
    kept = {path.read_text() for path in project.root.glob("build/**/said.log")}
    assert {"said by install.linux.good\n", "said by install.windows.bad\n"} <= kept
    lines = project.traces()
    ups, downs = ([line for line in lines if line.startswith(word)] for word in ("up ", "down "))
    assert len(ups) == len(downs) >= 2, lines
