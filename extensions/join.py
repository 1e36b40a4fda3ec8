"""Joining: many jobs that run the same command with the same name share one run.

Only says what is wanted. `join.name` is apart from `run.…` because it alone turns joining on: everything else that belongs to
it stands beside it, and whoever reads the settings of a run need not know of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from pipeline.errors import UsageError
from pipeline.settings import kinds
from pipeline.settings.choice import Choice
from pipeline.settings.declaration import setting
from pipeline.settings.extension import Extension

AUTO: Final = "auto"
BUILDS: Final = (
    ("GITHUB_RUN_ID", "GITHUB_RUN_ATTEMPT", "GITHUB_JOB"),
    ("CI_PIPELINE_ID", "CI_JOB_NAME"),
    ("BUILD_TAG",),
)
"""What names a build and the job in it at GitHub, GitLab and Jenkins: the same for all jobs of a matrix."""
TOTALS: Final = ("CI_NODE_TOTAL", "CIRCLE_NODE_TOTAL", "BUILDKITE_PARALLEL_JOB_COUNT")
"""How many jobs there are at GitLab, CircleCI and Buildkite."""
GUESSED_JOBS: Final = 4
NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
OWN_NAME: Final = re.compile(r"[0-9a-f]{16}-\d+")
"""Of a run that nobody has named."""
NUMBERING: Final = re.compile(r"( \d+/\d+|: \[.*\])$")
"""What GitLab adds to the name of each job of a matrix."""


class Join(Extension):
    """Many jobs, one run: any machine that runs the same command on the same sources works with the others."""

    name = setting(kinds.text, "")
    """Name of the run that this job joins: the same for all jobs of a build, another one for each build, like
    "ci-4711". "auto": from the variables of GitHub Actions, GitLab and Jenkins. Empty: this job works alone. Workers are
    local; the store must be one that all jobs reach."""

    exit_code = setting(Choice("all", "last"), "all")
    """Who ends with the run's exit code. "all": every job, and none ends before the run does, so that another takes over the work
    of one that is killed. "last": a job with nothing to do ends with 0 when it has heard others work; the last one decides
    alone. A job that comes when all is over ends with the run's exit code in any case."""

    jobs = setting(kinds.count, AUTO)
    """How many jobs are expected; a hint for cutting the tests into batches, others may come or stay away. "auto": what
    GitLab, CircleCI and Buildkite say in variables, else 4."""


def name_of_run(join: Join, project: str, environment: Mapping[str, str]) -> str:
    """The run's name, empty: this job works alone. Raises `UsageError`."""
    name: str = join.name.get()
    if name == AUTO:
        return _name_by_server(project, environment)
    if name and (not NAME.fullmatch(name) or OWN_NAME.fullmatch(name)):
        raise UsageError(
            f"join.name is {name!r}",
            hint="use up to 100 letters, digits, '.', '_' and '-', and not the form of a run's own name",
        )
    return name


def _name_by_server(project: str, environment: Mapping[str, str]) -> str:
    for names in BUILDS:
        said = [environment.get(name, "") for name in names]
        if all(said):
            text = "-".join((project, *(NUMBERING.sub("", each) for each in said)))
            return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip(".-_")[-100:].lstrip(".-_")
    raise UsageError(
        'join.name is "auto", but no variables of GitHub Actions, GitLab or Jenkins are set',
        hint="name the run by what is the same for all jobs of a build: join.name=ci-$BUILD_ID",
    )


def expected_jobs(join: Join, environment: Mapping[str, str]) -> int:
    """How many jobs there may be, at least one."""
    jobs = join.jobs.get()
    if jobs != AUTO:
        return max(1, int(jobs))
    said = [environment[name] for name in TOTALS if environment.get(name, "").isdecimal()]
    return max(1, int(said[0])) if said else GUESSED_JOBS
