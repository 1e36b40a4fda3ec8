"""Full disks, read-only projects and stores of other versions: a clear word, an honest exit code, nothing lost."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.faults.mounts import read_only, tmpfs
from tests.faults.project import Project

pytestmark = pytest.mark.parametrize("project", ["local"], indirect=True)
"""Not tried on containers yet: they would have to see the small disk."""


def test_a_disk_that_fills_up_is_no_false_failure(project: Project, tmp_path: Path) -> None:
    """Tests eat the disk that holds the store; once there is room again the same command ends green."""
    project.arguments = ("workers.count=2",)
    tests = project.sleepers(files=4, count=5, seconds=0.05)
    with tmpfs(tmp_path / "small", 8) as small:
        project.arguments += (f"store.url={small}/store",)
        project.write(
            "test_eater.py",
            "import os, pathlib\n"
            "from trace_support import trace\n"
            "def test_eats():\n"
            "    trace('eater')\n"
            f"    if not pathlib.Path({str(tmp_path / 'room')!r}).exists():\n"
            "        try:\n"
            f"            pathlib.Path({str(small / 'eaten')!r}).write_bytes(os.urandom(1 << 23))\n"
            "        except OSError:\n"
            "            pass\n",
        )
        first = project.start("run.timeout_seconds=15")
        code = first.end()
        assert code in (0, 2), first.output
        if code == 2:
            assert "full" in first.output or "No space" in first.output
            (small / "eaten").unlink(missing_ok=True)
            (tmp_path / "room").touch()
            second = project.start()
            assert second.end() == 0, second.output

        assert Counter(project.verdicts().values()) == {"passed": tests + 1}


def test_a_read_only_project_is_run_from_the_cache_folder(project: Project, tmp_path: Path) -> None:
    """State and reports go to the user's cache folder, and the output says where."""
    tests = project.sleepers(files=2, count=3, seconds=0.0)
    cache = tmp_path / "cache"
    with read_only(project.root):
        running = project.start("workers.count=2", env={"XDG_CACHE_HOME": str(cache)})

        assert running.end() == 0, running.output
    reports = list(cache.glob("doit-fleet/projects/*/build/reports/junit.xml"))
    assert len(reports) == 1
    assert str(reports[0]) in running.output
    assert len(project.traces()) == tests


def test_a_store_of_another_version_is_refused(project: Project) -> None:
    """Nothing of it is touched, and the message says what to do."""
    project.sleepers(files=1, count=2, seconds=0.0)
    assert project.start("workers.count=1").end() == 0
    marker = project.root / ".fleet" / "store" / "~store"
    marker.write_text(marker.read_text().replace("1", "99"))

    running = project.start("-a", "workers.count=1")

    assert running.end() in (2, 3), running.output
    assert "format 99" in running.output
    assert "hint:" in running.output
    assert "Traceback" not in running.output
