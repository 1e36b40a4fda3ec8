"""What CI servers say in variables gives all jobs of one build the same name, and other builds another."""

from __future__ import annotations

from pathlib import Path

import pytest

from extensions.fleet import Fleet
from extensions.join import GUESSED_JOBS, NAME, expected_jobs, name_of_run
from pipeline.errors import UsageError

GITLAB = {"CI_PIPELINE_ID": "7", "CI_JOB_NAME": "unit tests: [3.12, slow] 2/5"}


def _fleet(root: Path, **arguments: str) -> Fleet:
    named = {name.replace("_", ".", 1): value for name, value in arguments.items()}
    return Fleet.build(root, environment={}, arguments=named, home=root)


def _name(root: Path, environment: dict[str, str], name: str = "auto") -> str:
    return name_of_run(_fleet(root, join_name=name).join, "acme", environment)


def test_jobs_of_one_matrix_have_one_name(tmp_path: Path) -> None:
    """GitLab numbers its jobs in their names; other pipelines have other names."""
    parallel = [{"CI_PIPELINE_ID": "7", "CI_JOB_NAME": f"unit tests {job}/3"} for job in (1, 2, 3)]

    assert {_name(tmp_path, each) for each in parallel} == {"acme-7-unit-tests"}
    assert _name(tmp_path, {**parallel[0], "CI_PIPELINE_ID": "8"}) == "acme-8-unit-tests"


def test_another_attempt_is_another_run(tmp_path: Path) -> None:
    """At GitHub, where a person asks for all tests again."""
    build = {"GITHUB_RUN_ID": "9", "GITHUB_RUN_ATTEMPT": "1", "GITHUB_JOB": "tests"}

    assert _name(tmp_path, build) == "acme-9-1-tests"
    assert _name(tmp_path, {**build, "GITHUB_RUN_ATTEMPT": "2"}) == "acme-9-2-tests"


@pytest.mark.parametrize(
    "environment", [GITLAB, {"BUILD_TAG": "jenkins-team/acme/main-17 " + "x" * 200}, {"BUILD_TAG": "…-1"}]
)
def test_whatever_servers_say_is_a_name_for_the_store(tmp_path: Path, environment: dict[str, str]) -> None:
    """Letters that keys may not have are replaced, and long names cut at the front, where they differ least."""
    assert NAME.fullmatch(_name(tmp_path, environment))


@pytest.mark.parametrize("name", ["a/b", "", ".x", "x" * 101, "0123456789abcdef-3", "ä"])
def test_other_names_are_refused_or_none(tmp_path: Path, name: str) -> None:
    """Empty means that this job works alone."""
    if not name:
        assert _name(tmp_path, GITLAB, name) == ""
        return
    with pytest.raises(UsageError, match=r"join\.name"):
        _name(tmp_path, GITLAB, name)


def test_the_number_of_jobs_is_said_by_settings_then_servers(tmp_path: Path) -> None:
    """Without either some are assumed."""
    assert expected_jobs(_fleet(tmp_path, join_jobs="7").join, {"CI_NODE_TOTAL": "3"}) == 7
    assert expected_jobs(_fleet(tmp_path).join, {"CI_NODE_TOTAL": "3"}) == 3
    assert expected_jobs(_fleet(tmp_path).join, {"CI_NODE_TOTAL": "many"}) == GUESSED_JOBS
