"""Runs of the same tests in two places are compared by verdict; only reasons that hold in any container excuse a difference."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.engines import IN_CONTAINER, ONLY_OUTSIDE, ONLY_OUTSIDE_PODS, POD, only_outside, only_outside_pods
from tests.engines.same_verdicts import main


def report(folder: Path, **tests: str) -> Path:
    """A report with these verdicts; what comes after a colon is the message."""
    folder.mkdir()
    told = []
    for name, words in tests.items():
        verdict, _, message = words.partition(":")
        told.append({"name": name, "suite": ["own"], "status": verdict, "rawStatus": verdict, "message": message})
    (folder / "ctrf.json").write_text(json.dumps({"results": {"tests": told}}), "utf-8")
    return folder


def compared(first: Path, second: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Exit code and output."""
    code = main([str(first), str(second)])
    return code, capsys.readouterr().out


def test_equal_verdicts_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whether they are good is for others to say."""
    tests = {"a": "passed", "b": "failed:one way", "c": "skipped:why"}

    code, output = compared(
        report(tmp_path / "1", **tests), report(tmp_path / "2", **{**tests, "b": "failed:another"}), capsys
    )

    assert code == 0
    assert "3 of 3 tests have the same verdict" in output


@pytest.mark.parametrize("other", ["failed:a reason", "skipped:a reason", "timed-out:a reason", ""])
def test_each_difference_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str], other: str) -> None:
    """A test that is skipped or absent in one run only is a difference, too."""
    first = report(tmp_path / "1", same="passed", other="passed")
    second = report(tmp_path / "2", same="passed", **({"other": other} if other else {}))

    for pair in ((first, second), (second, first)):
        code, output = compared(*pair, capsys)

        assert code == 1
        assert "own::other: " in output and "own::same" not in output
        assert ("a reason" in output) is bool(other)


def test_a_reason_that_holds_in_any_container_excuses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Such tests are named with it, and not counted as equal; outside, it excuses nothing."""
    first = report(tmp_path / "1", same="passed", other="passed")
    second = report(tmp_path / "2", same="passed", other=f"skipped:{ONLY_OUTSIDE}no devices")

    code, output = compared(first, second, capsys)

    assert code == 0
    assert "no devices" in output and "own::other" in output
    assert "1 of 2 tests have the same verdict" in output
    assert compared(second, first, capsys)[0] == 1


def test_a_run_of_some_folders_is_compared_in_these(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What was left out is named by folder; a single test that is missing in another folder is a difference."""
    here = {
        "tests/a/test_a.py::one": "passed",
        "tests/a/b/test_b.py::two": "passed",
        "tests/c/test_c.py::three": "passed",
    }
    first = report(tmp_path / "1", **here)
    part = {name: verdict for name, verdict in here.items() if "tests/c" not in name}
    assert main(["--part", str(first), str(report(tmp_path / "2", **part))]) == 0
    assert "not run there: tests/c (1)" in capsys.readouterr().out

    part.pop("tests/a/b/test_b.py::two")
    assert main(["--part", str(first), str(report(tmp_path / "3", **part))]) == 1
    assert "own::tests/a/b/test_b.py::two: passed / absent" in capsys.readouterr().out


def test_nothing_is_no_comparison(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A missing report and reports without tests are failures."""
    empty = report(tmp_path / "1")

    assert compared(empty, tmp_path / "nowhere", capsys)[0] == 2
    assert compared(empty, empty, capsys)[0] == 1


def test_only_pods_skip_what_runs_only_outside_pods(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other containers do not; the comparison takes the reason."""
    monkeypatch.setenv(IN_CONTAINER, "yes")
    only_outside_pods("no root")
    monkeypatch.setenv(IN_CONTAINER, POD)
    with pytest.raises(pytest.skip.Exception, match=f"{ONLY_OUTSIDE_PODS}no root"):
        only_outside_pods("no root")

    first = report(tmp_path / "1", same="passed", other="passed")
    second = report(tmp_path / "2", same="passed", other=f"skipped:{ONLY_OUTSIDE_PODS}no root")
    assert compared(first, second, capsys)[0] == 0


def test_only_containers_skip_what_runs_only_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Elsewhere the test goes on."""
    monkeypatch.delenv(IN_CONTAINER, raising=False)
    only_outside("no devices")

    monkeypatch.setenv(IN_CONTAINER, "yes")
    with pytest.raises(pytest.skip.Exception, match=f"{ONLY_OUTSIDE}no devices"):
        only_outside("no devices")
