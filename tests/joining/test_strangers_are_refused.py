"""A job that is about something else than the run of that name is refused with the reason, before anything runs."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pipeline.stages.join import differences_of
from tests.joining.house import Build, Job

pytestmark = pytest.mark.timeout(120)


def _begun(build: Build) -> Job:
    """A second checkout of a build whose first job is done."""
    build.sleepers(files=1, count=2, seconds=0.0)
    first, second = build.job(), build.job()
    running = first.start()
    assert running.end() == 0, running.output
    return second


def _assert_refused(job: Job, *arguments: str, why: str, env: dict[str, str] | None = None) -> None:
    running = job.start(*arguments, env=env)
    assert running.end() == 3, running.output
    assert "is about something else" in running.output
    assert why in running.output
    assert "hint:" in running.output
    assert "Traceback" not in running.output


def test_sources_that_differ_are_named(build: Build) -> None:
    """A changed file and a new one."""
    job = _begun(build)
    job.write("test_f0.py", build.files["test_f0.py"] + "\n# Another.\n")
    job.write("notes.txt", "mine")
    begun = len(build.traces())

    _assert_refused(job, why="sources: notes.txt is only here; sources: test_f0.py differs")
    assert len(build.traces()) == begun


def test_settings_and_variables_that_differ_are_named(build: Build) -> None:
    """What decides verdicts, by name; values stay secret."""
    build.settings = ("project.inputs.environment=FLAVOUR",)
    job = _begun(build)

    _assert_refused(job, env={"FLAVOUR": "sweet"}, why="variables: FLAVOUR is only here")
    _assert_refused(job, "suites.pytest.retries=2", why="settings of suite pytest: retries differs")


def test_another_python_is_named(build: Build, tmp_path: Path) -> None:
    """Packages that differ are, too: here an environment without those of the first job's."""
    import venv

    job = _begun(build)
    home = tmp_path / "other"
    venv.create(home, symlinks=True)
    packages = next(home.glob("lib/python*/site-packages"))
    (packages / "ours.pth").write_text("\n".join(path for path in sys.path if path.endswith("site-packages")) + "\n")

    _assert_refused(job, env={"VIRTUAL_ENV": str(home)}, why="packages of suite pytest: ")


def test_a_patch_version_that_differs_is_named() -> None:
    """With both versions; longer values only say that they differ."""
    here = {"machine": {"Python of suite unit": "3.12.4"}, "sources": {"a.py": "0123abc"}}
    there = {"machine": {"Python of suite unit": "3.12.5"}, "sources": {"a.py": "4567def"}, "variables": {"A": "1"}}

    assert list(differences_of(here, there)) == [
        "machine: Python of suite unit is 3.12.4 here, 3.12.5 in the run",
        "sources: a.py differs",
        "variables: A is only in the run",
    ]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("store.url=.fleet/store",), "the store is a folder of this checkout"),
        (("workers.count=0",), "in the foreground"),
        (("workers.launcher=docker", "registry.url=127.0.0.1:1/x"), "workers.launcher is 'docker'"),
        (("join.name=a/b",), "join.name is 'a/b'"),
        (("join.name=0123456789abcdef-1",), "join.name is '0123456789abcdef-1'"),
        (("join.name=auto",), "no variables of GitHub Actions, GitLab or Jenkins"),
    ],
)
def test_what_cannot_join_is_told_why(build: Build, arguments: tuple[str, ...], why: str) -> None:
    """Before anything runs."""
    build.sleepers(files=1, count=1, seconds=0.0)
    job = build.job()
    job.arguments += arguments
    running = job.start()

    assert running.end() == 3, running.output
    assert why in running.output
    assert "hint:" in running.output
    assert build.traces() == []
