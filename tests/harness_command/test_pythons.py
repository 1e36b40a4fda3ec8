"""The harness of commands runs on whatever Python a machine has, from 3.8 on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.model.commands import Row, SetUp
from tests.harness_command.driving import Harness
from tests.processes.pythons import PYTHONS

SCRIPT = """
cd $DOIT_FLEET_FOLDER && echo "x=$HANDLE" > m.env
test $DOIT_FLEET_TEST = late && exec sleep 1000
test $DOIT_FLEET_ATTEMPT = 2
"""


@pytest.mark.parametrize("python", PYTHONS)
def test_all_of_it_works(tmp_path: Path, python: str) -> None:
    """Set-ups, retries, time-outs, metrics and tear-downs."""
    setup = SetUp(
        name="s", per="worker", command="echo HANDLE=7 > $DOIT_FLEET_EXPORT", ready="true", teardown="echo down > down"
    )
    options: dict[str, Any] = {"timeout_seconds": 1.0, "metrics": ["*.env"], "keep": ["m.*"], "python": python}
    with Harness(tmp_path, SCRIPT, [Row(name="good"), Row(name="late")], [setup], **options) as harness:
        good, late = harness.results(retries=1)

    assert (good["verdict"], good["tries"], good["properties"]) == ("passed", 2, [["x", 7]])
    assert late["verdict"] == "timed-out"
    assert (tmp_path / "down").exists()
    assert len(list(tmp_path.glob("own/run-1/*/m.env"))) == 3
