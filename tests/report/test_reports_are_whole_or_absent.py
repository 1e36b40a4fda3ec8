"""Claims about how report files come into being."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from pipeline.errors import EngineError
from pipeline.model.events import Event
from pipeline.model.runs import MergedRun
from pipeline.report.finishing import FACTORIES, file_reporters, finish_all
from pipeline.report.writing import whole_file
from tests.report.samples import failed, merged, plain_line, result, troubled


def test_a_write_that_breaks_off_leaves_the_old_report(tmp_path: Path) -> None:
    """Half a report is worse than yesterday's."""
    path = tmp_path / "junit.xml"
    path.write_text("old")

    with pytest.raises(RuntimeError), whole_file(path) as file:
        file.write("half")
        raise RuntimeError

    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["junit.xml"]


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """The message says which report is missing and why."""
    (tmp_path / "reports").write_text("a file")

    expected = r"report '.*junit.xml' cannot be written: (File exists|Not a directory)"
    with pytest.raises(EngineError, match=expected), whole_file(tmp_path / "reports" / "junit.xml"):
        pass


def test_one_report_that_fails_stops_no_other(tmp_path: Path) -> None:
    """A directory in the place of a report, a reporter from outside that raises: the rest is written."""

    class Broken:
        name = "broken"

        def event(self, event: Event) -> None: ...

        def finish(self, run: MergedRun) -> Sequence[str]:
            raise ZeroDivisionError("oops")

    (tmp_path / "junit.xml").mkdir()
    (tmp_path / "junit.xml" / "occupied").touch()
    reporters = [Broken(), *file_reporters(["junit", "ctrf", "trace", "html"], tmp_path, plain_line)]

    written = finish_all(reporters, merged(result(), failed()))

    assert [Path(each).name for each in written.paths] == ["ctrf.json", "trace.json", "index.html"]
    assert len(written.errors) == 2
    assert "reporter 'broken' failed: ZeroDivisionError: oops" in written.errors
    assert any("junit.xml" in each for each in written.errors)


def test_a_full_disk_is_an_error_that_says_so(tmp_path: Path) -> None:
    """`/dev/full` in the place of the temporary file is a disk without room."""
    part = tmp_path / f".junit.xml.{os.getpid()}.part"
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full, which Linux has")
    part.symlink_to("/dev/full")

    with pytest.raises(EngineError, match="No space left on device"), whole_file(tmp_path / "junit.xml") as file:
        file.write("x" * 10)

    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("name", FACTORIES)
@pytest.mark.parametrize("run", [troubled(), merged()], ids=["troubled", "empty"])
def test_every_report_can_be_made_of_every_run(tmp_path: Path, name: str, run: MergedRun) -> None:
    """Neither hostile texts nor an empty run break a report."""
    written = finish_all(file_reporters([name], tmp_path, plain_line), run)

    assert written.errors == ()
    assert all(Path(each).exists() for each in written.paths)
    if name not in ("metrics", "results"):  # These are for runs in which something was measured.
        assert len(written.paths) == (name != "events")
