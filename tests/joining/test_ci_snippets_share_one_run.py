"""The snippets of docs/ci.md for many jobs: their commands, with the variables that each server sets, make one run."""

from __future__ import annotations

import os
import re
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.first_use.test_ci_snippets_run import commands, machine_at, snippet
from tests.joining.house import SLEEPERS
from tests.s3.stores import address

JOBS = 3
EXPRESSIONS = {"strategy.job-total": str(JOBS)}
SERVERS = {
    "github matrix": (
        {
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_RUN_ID": "981",
            "GITHUB_RUN_ATTEMPT": "2",
            "GITHUB_JOB": "tests",
        },
        "acme-981-2-tests",
    ),
    "gitlab parallel": (
        {
            "CI": "true",
            "GITLAB_CI": "true",
            "CI_PIPELINE_ID": "55",
            "CI_JOB_NAME": "tests {job}/3",
            "CI_NODE_INDEX": "{job}",
            "CI_NODE_TOTAL": "3",
        },
        "acme-55-tests",
    ),
    "jenkins matrix": ({"BUILD_TAG": "jenkins-acme-main-17", "JOB": "{job}"}, "acme-jenkins-acme-main-17"),
}
"""Variables that a job gets (see each server's list of predefined variables), and the run's name that comes of them."""


def checkout(folder: Path) -> tuple[Path, str]:
    """One job's checkout and PATH, on which nothing reaches a package index."""
    project = folder / "checkout"
    path = machine_at(folder / "shims", project)
    (project / ".gitignore").write_text(".venv\n")
    (project / "pyproject.toml").write_text(
        '[project]\nname = "acme"\nversion = "1"\n[tool.doit-fleet]\nworkers.count = 2\n'
    )
    (project / "requirements.txt").touch()
    for number in range(4):
        text = SLEEPERS.format(count=4, name=f"test_f{number}", seconds=0.1)
        (project / f"test_f{number}.py").write_text(text)
    return project, path


@pytest.mark.timeout(150)
@pytest.mark.parametrize("server", SERVERS)
def test_the_jobs_of_a_snippet_make_one_run(server: str, s3: Any, tmp_path: Path) -> None:
    """Each test runs once in all jobs together, under the name that the variables give, and one job has the report."""
    variables, name = SERVERS[server]
    text = re.sub(r"\$\{\{ (.*?) \}\}", lambda found: EXPRESSIONS.get(found[1], "-"), snippet(server))
    stores = {"s3://acme-ci/fleet": f"'{address(s3)}'", "/mnt/ci/fleet": str(tmp_path / "mnt")}
    for documented, real in stores.items():
        text = text.replace(documented, real)
    running, projects = [], []
    for job in range(1, JOBS + 1):
        folder = tmp_path / f"agent-{job}"
        project, path = checkout(folder)
        environment = {
            **{each: os.environ[each] for each in ("HOME", "LANG") if each in os.environ},
            **{each: value.format(job=job) for each, value in variables.items()},
            "JOB": f"{job}",
            "AWS_ACCESS_KEY_ID": s3.access_key,
            "AWS_SECRET_ACCESS_KEY": s3.secret_key,
            "AWS_EC2_METADATA_DISABLED": "true",
            "FLEET_TRACE": str(tmp_path / "trace"),
            "PATH": path,
        }
        lines = "\n".join(line.replace("/tmp/tool", f"{folder}/tool") for line in commands(text))
        projects.append(project)
        running.append(
            subprocess.Popen(
                ["bash", "-euc", lines],
                cwd=project,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
        )
    outputs = [each.communicate(timeout=120)[0] for each in running]

    assert [each.returncode for each in running] == [0] * JOBS, "\n".join(outputs)
    assert all(f"joins run '{name}', planned for {JOBS} jobs" in output for output in outputs), outputs
    begun = Counter(line.partition("@")[0] for line in (tmp_path / "trace").read_text().splitlines())
    assert len(begun) == 16
    assert set(begun.values()) == {1}
    reports = [
        project / "build/reports/junit.xml" for project in projects if (project / "build/reports/junit.xml").exists()
    ]
    assert len(reports) == 1
    assert len(list(ElementTree.parse(reports[0]).iter("testcase"))) == 16
