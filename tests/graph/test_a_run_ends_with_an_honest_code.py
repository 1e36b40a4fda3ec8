"""Exit codes, plain words for errors, and hints where a habit would mislead."""

from __future__ import annotations

import pytest

from tests.graph.conftest import Project

USERS = """
def task_fails():
    return {"actions": ["echo said before && false"]}

def task_raises():
    return {"actions": [lambda: 1 / 0]}

def task_odd():
    return {"actions": [lambda: {"value": {1, 2}}]}
"""


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (["fail=launch:red"], 1, "launch: 2 tests failed\n"),
        (["fail=launch:broken"], 2, "launch: no verdict\n  hint: look there\n"),
        (["fail=launch:red", "-n", "2"], 1, "launch: 2 tests failed\n"),
        (["--continue", "fail=launch:red"], 1, "gather did not run: launch failed\n"),
        (["fails"], 1, "said before"),
        (["raises"], 2, "ZeroDivisionError"),
        (["odd"], 2, "no JSON"),
        (["--continue", "fails", "gather", "fail=launch:broken"], 2, "no verdict"),
        (["--continue", "raises", "gather", "fail=launch:red"], 2, "2 tests failed"),
        (["-v"], 3, "hint: -v wants a number: -v 2 says why each task runs"),
        (["-v", "gather"], 3, "hint: -v wants a number"),
        (["-n", "gather"], 3, "say workers.count=4"),
        (["-k", "-q"], 3, "to choose tests say select="),
        (["-n", "4"], 0, "for test workers say workers.count=4"),
    ],
    ids=lambda value: "_".join(value) if isinstance(value, list) else "",
)
def test_the_code_says_what_happened(project: Project, arguments: list[str], code: int, text: str) -> None:
    """The highest code of all failures wins, and a `FleetError` shows no traceback."""
    project.write("dodo.py", USERS)

    answer = project.doit(*arguments, code=code)

    assert text in answer.stderr
    assert ("Traceback" in answer.stderr) == ("raises" in arguments)


@pytest.mark.parametrize(("arguments", "cleared"), [((), []), (("fail=launch:broken",), ["terminal"])])
def test_a_live_region_is_taken_away_before_an_error_is_said(
    project: Project, arguments: tuple[str, ...], cleared: list[str]
) -> None:
    """Its next drawing would wipe out the lines, as it did with `the same command goes on` after Ctrl-C."""
    project.doit(*arguments, code=2 if arguments else 0)

    assert cleared == project.logged("cleared")


def test_success_is_silent(project: Project) -> None:
    """A run without trouble says nothing of its own."""
    answer = project.doit()

    assert ("", "") == (answer.stdout, answer.stderr)


def test_other_reporters_can_be_chosen(project: Project) -> None:
    """`-r console` and `-o` are doit's."""
    assert ".  compile\n" in project.doit("-r", "console", "compile").stdout
    project.doit("-a", "-v", "2", "-o", "said", "compile")
    assert "compile runs: " in (project.folder / "said").read_text()


def test_clean_removes_targets(project: Project) -> None:
    """`clean` and `clean -n` work on the user's tasks and on ours."""
    target = project.write("made", "")
    project.write(
        "dodo.py", "def task_build():\n    return {'actions': ['true'], 'targets': ['made'], 'clean': True}\n"
    )

    project.doit("clean", "-n", "build")
    assert target.exists()
    project.doit("clean", "build")
    assert not target.exists()
