"""Nothing changed, nothing runs; a change runs what depends on it, and `-v 2` says why."""

from __future__ import annotations

import os

from tests.graph.conftest import Project

EVERYTHING = ["compile", "collect", "group", "launch", "gather"]


def test_a_second_run_runs_nothing_and_says_the_result_again(project: Project) -> None:
    """The default task is up to date and repeats its result."""
    project.doit()
    assert EVERYTHING == project.ran()

    answer = project.doit()

    assert [] == project.ran()
    assert "gather as before\n" == answer.stdout


def test_always_runs_everything_again(project: Project) -> None:
    """`doit -a` runs regardless."""
    project.doit()
    project.doit("-a")

    assert EVERYTHING == project.ran()


def test_a_change_runs_what_depends_on_it_and_says_why(project: Project) -> None:
    """An equal result of a task that ran again leaves its dependents up to date."""
    project.doit()
    project.write("sources", "2")

    answer = project.doit("-v", "2")

    assert ["compile"] == project.ran()
    assert "compile runs: sources: sources changed\n" in answer.stderr
    assert "collect is up to date\n" in answer.stderr


def test_another_result_runs_the_dependents(project: Project) -> None:
    """`collect` returns what it read, so `group` runs when that differs."""
    project.doit()
    project.write("sources", "2")
    project.doit("forget", "collect")

    answer = project.doit("-v", "2")

    assert ["compile", "collect", "group"] == project.ran()
    assert "group runs: collect ran again\n" in answer.stderr


def test_a_missing_target_is_a_reason(project: Project) -> None:
    """It is named."""
    made = project.write("made", "")
    project.doit("make")
    project.doit("make")
    assert [] == project.ran()
    made.unlink()

    assert "make runs: made is missing\n" in project.doit("-v", "2", "make").stderr


def test_a_failed_task_runs_again(project: Project) -> None:
    """Failure is not remembered as success, even when an earlier run had succeeded."""
    project.doit()
    project.doit("-a", "fail=launch:red", code=1)

    project.doit()

    assert ["launch"] == project.ran()


def test_info_is_shown_each_time(project: Project) -> None:
    """A task that informs is never up to date, and prints nothing but its answer."""
    for _ in range(2):
        answer = project.doit("show", "a", "--json", "b")

        assert ('["a", "b"]\n', "") == (answer.stdout, answer.stderr)


def test_ignore_and_forget(project: Project) -> None:
    """`doit ignore` skips a task and its dependents until `doit forget`."""
    project.doit("ignore", "collect")
    project.doit()
    assert ["compile"] == project.ran()

    project.doit("forget", "collect")
    project.doit()

    assert ["collect", "group", "launch", "gather"] == project.ran()


def test_clamped_times_do_not_hide_a_change(project: Project) -> None:
    """A file with other content and equal modification time is a changed file, for the user's own tasks too."""
    project.write(
        "dodo.py", "def task_mine():\n    return {'actions': ['echo ran mine >> out'], 'file_dep': ['data']}\n"
    )
    data = project.write("data", "one")
    os.utime(data, (1, 1))
    for text in ("one", "one", "two"):
        data.write_text(text, encoding="utf-8")
        os.utime(data, (1, 1))
        project.doit("mine")

    assert ["ran mine", "ran mine"] == (project.folder / "out").read_text().splitlines()
