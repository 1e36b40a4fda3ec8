"""Profiles choose suites, rows and settings; `plan` says what each would run."""

from __future__ import annotations

import json
import re
import shlex

import pytest

from tests.any_command.bench import Bench
from tests.any_command.test_the_page_is_true import PAGE
from tests.compatibility.project import TEST_SECONDS, Done

pytestmark = pytest.mark.timeout(TEST_SECONDS)

SETS = """
[suites.guests]
framework = "command"
matrix = { axes = { os = ["linux", "windows"], disk = ["ide", "virtio"] } }
command = "echo $DOIT_FLEET_SUITE $DOIT_FLEET_VALUE_shortname $DEPTH >> ../trace"
[suites.storage]
framework = "command"
rows = [{ name = "fsync" }, { name = "fill" }]
command = "echo $DOIT_FLEET_SUITE $DOIT_FLEET_TEST >> ../trace"
[profiles.quick]
select.suites = ["gu*"]
suites.guests.only = "linux"
suites.guests.no = "ide"
suites.guests.env.DEPTH = "low"
[profiles.nightly]
exclude.suites = ["storage"]
"""


@pytest.fixture
def sets(bench: Bench) -> Bench:
    """A project with two suites and two sets."""
    (bench.root / "fleet.toml").write_text(SETS)
    return bench


def planned(bench: Bench, *arguments: str) -> dict[str, tuple[int, float]]:
    """What `plan` says of each suite: tests and seconds."""
    done = bench.fleet("plan", "--json", *arguments)
    assert done.code == 0, done.output
    told = json.loads(done.output[done.output.index("{\n") :])
    return {one["name"]: (one["tests"], one["seconds"]) for one in told["suites"]}


def test_a_profile_chooses_suites_rows_and_settings(sets: Bench) -> None:
    """A result of one set never stands for another."""
    quick, again, nightly = sets.fleet("profile=quick"), sets.fleet("profile=quick"), sets.fleet("profile=nightly")

    assert (quick.code, again.code, nightly.code) == (0, 0, 0), quick.output + nightly.output
    assert sets.ran[0] == "guests linux.virtio low"
    assert sorted(sets.ran[1:]) == [f"guests {os}.{disk}" for os in ("linux", "windows") for disk in ("ide", "virtio")]
    assert "1 passed" in again.output
    assert "4 passed" in nightly.output


def test_plan_is_a_dry_run_of_a_set(sets: Bench) -> None:
    """Counts and seconds of each suite; a run has taught durations, and nothing runs for a plan."""
    before = planned(sets)
    sets.fleet("profile=nightly")
    ran = len(sets.ran)
    after = planned(sets, "profile=quick")

    assert {name: tests for name, (tests, _) in before.items()} == {"guests": 4, "storage": 2}
    assert {name: tests for name, (tests, _) in after.items()} == {"guests": 1}
    assert 0 < after["guests"][1] < before["guests"][1]
    assert len(sets.ran) == ran == 4


@pytest.mark.parametrize(
    ("argument", "told"),
    [
        ("select.suites=guest", "select.suites has 'guest', but there is no such suite (did you mean 'guests'?)"),
        ("exclude.suites=*", "select.suites and exclude.suites leave no suite"),
        ("profile=weekly", "there is no profile 'weekly'"),
        ("suites.guests.only=linus", "filter 'only linus' matches nothing (nearest: 'linux')"),
        ("profile=quick suites.guests.no=linux", "filter 'no linux' leaves no row"),
    ],
)
def test_a_set_that_cannot_be_meant(sets: Bench, argument: str, told: str) -> None:
    """Nothing runs."""
    done = sets.fleet(*argument.split())

    assert done.code == 3, done.output
    assert told in done.output
    assert not sets.ran


PLACED = """
[local.queues.fast]
env.LANE = "fast"
[local.queues.slow]
env.LANE = "slow"
[profiles.placed]
exclude.suites = ["storage"]
suites.guests.command = "echo $DOIT_FLEET_VALUE_shortname $LANE >> ../trace"
local.queues.slow.only = "windows"
local.queues.slow.claims = true
[profiles.nowhere]
select.suites = ["guests"]
local.queues.fast.no = "windows"
local.queues.slow.no = "windows"
[profiles.typo]
local.queues.fast.only = "windos"
"""


def test_a_profile_says_where_its_tests_run(sets: Bench) -> None:
    """Filters of queues; `plan` counts tests and seconds of each queue, and the run keeps to that."""
    (sets.root / "fleet.toml").write_text(SETS + PLACED)

    planned = sets.fleet("plan", "--json", "profile=placed")
    queues = json.loads(planned.output[planned.output.index("{\n") :])["queues"]
    done = sets.fleet("profile=placed")

    told = {one["queue"]: (one["tests"], one["may_run"], one["pinned"]) for one in queues}
    assert told == {"local/fast": (2, 2, 2), "local/slow": (2, 2, 2)}
    assert all(one["seconds"] > 0 for one in queues)
    assert done.code == 0, done.output
    assert sorted(sets.ran) == ["linux.ide fast", "linux.virtio fast", "windows.ide slow", "windows.virtio slow"]


@pytest.mark.parametrize(
    ("profile", "told"),
    [
        ("nowhere", "guests::(os=windows).(disk=ide): no place"),
        ("typo", "only windos of local/fast: matches no test"),
    ],
)
def test_a_set_without_a_place_is_refused(sets: Bench, profile: str, told: str) -> None:
    """By `plan` as by a run."""
    (sets.root / "fleet.toml").write_text(SETS + PLACED)

    for command in ([], ["plan"]):
        done = sets.fleet(*command, f"profile={profile}")
        assert (done.code, told in done.output) == (3, True), done.output
    assert not sets.ran


def test_the_sets_of_the_page(bench: Bench) -> None:
    """Its settings give what is printed there."""
    section = PAGE.read_text().partition("## Test sets")[2]
    toml, told = re.findall(r"```(?:toml)?\n(.*?)```", section, re.DOTALL)[:2]
    (bench.root / "fleet.toml").write_text(toml)
    steps = re.findall(r"^\$ doit-fleet (.*)\n((?:[^$].*\n)*)", told, re.MULTILINE)

    for typed, wanted in steps:
        assert wanted.replace("build/", f"{bench.root}/build/") in ran(bench, typed).output

    assert len(steps) == 3
    assert "2 tests in" in ran(bench, "plan profile=quick suites.guests.no=").output


def ran(bench: Bench, typed: str) -> Done:
    """A command of the page, which succeeds."""
    done = bench.fleet(*shlex.split(typed))
    assert done.code == 0, done.output
    return done
