"""`doit doctor` says of every host whether it can be used, in one table, and how to mend what cannot."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ssh.house import SshProject, ssh_project

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[SshProject]:
    """Two hosts with two slots each."""
    yield from ssh_project(tmp_path / "project")


def test_each_host_is_a_row_of_one_table(project: SshProject) -> None:
    """Slots, first word, system, load, disk, Python: below each other, whatever their widths."""
    project.commands(1, 0.1)
    project.own = {"lab2": {"slots": 12}}

    doctor = project.start("doctor")

    assert doctor.end(30) == 0, doctor.output
    rows = [line for line in doctor.output.splitlines() if line.startswith("ok   host lab")]
    assert [row.split()[2:4] for row in rows] == [["lab1:", "2"], ["lab2:", "12"]]
    for what in ("first word after ", "cores", "load ", "MiB free", "Python 3.", "suite 'unit': "):
        assert rows[0].index(what) == rows[1].index(what) > 0, doctor.output


def test_hosts_that_cannot_be_used_are_named_with_the_way_out(project: SshProject) -> None:
    """One that is not there keeps nobody from looking at the next, which lacks the interpreter."""
    project.commands(1, 0.1)
    project.own = {"lab1": {"address": "gone.invalid"}, "lab2": {"python": "/nowhere/python"}}

    doctor = project.start("doctor")

    assert doctor.end(30) == 3, doctor.output
    bad = [line.split(":")[0] for line in doctor.output.splitlines() if line.startswith("BAD ")]
    assert bad == ["BAD  host lab1", "BAD  host lab2"], doctor.output
    for what in ("hosts.<name>.address", "none of its interpreters is there", "hosts.<name>.python"):
        assert what in doctor.output
