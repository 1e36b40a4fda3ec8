"""Without any settings there is one suite, one pool, and folders inside the project."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.extensions.sites import Site


def test_one_suite_and_one_pool_by_convention(site: Site) -> None:
    """Until somebody names one."""
    fleet = site.build()
    fleet.check()
    assert (fleet.suites.names(), fleet.pools.names()) == (("pytest",), ("default",))
    assert fleet.suites["pytest"].root.get() == site.root

    site.write("fleet.toml", "[suites.unit]\npool = 'big'\n[pools.big]")
    named = site.build()
    named.check()
    assert (named.suites.names(), named.pools.names()) == (("unit",), ("default", "big"))


def test_a_pool_overrides_what_differs_from_workers(site: Site) -> None:
    """What it says stands above `workers` even on the command line, because it is more special."""
    site.write("fleet.toml", "suites.unit.pool = 'big'\npools.big.count = 3\nworkers.nice = 2")
    fleet = site.build({"workers.count": "9"})
    fleet.check()

    assert (fleet.pools.big.count.get(), fleet.pools.big.nice.get()) == (3, 2)
    assert fleet.pools["default"].count.get() == 9


def test_a_suite_takes_defaults_from_its_framework(site: Site) -> None:
    """A suite of another framework does not."""
    site.write(
        "fleet.toml", "pytest.retries = 2\n[suites.a]\n[suites.b]\nretries = 1\n[suites.c]\nframework = 'command'"
    )
    fleet = site.build()
    fleet.check()

    assert [suite.retries.get() for suite in fleet.suites] == [2, 1, 0]


def test_a_selection_for_all_suites_is_every_suites_default(site: Site) -> None:
    """`doit select.keyword=…` needs no suite's name."""
    site.write("fleet.toml", "[suites.a]\n[suites.b]\nselect.keyword = 'fast'\nselect.paths.append = ['y']")
    fleet = site.build({"select.keyword": "slow", "select.paths": "x"})
    fleet.check()

    assert [suite.select.keyword.get() for suite in fleet.suites] == ["slow", "fast"]
    assert [suite.select.paths.get() for suite in fleet.suites] == [("x",), ("x", "y")]


def test_folders_follow_the_one_they_are_in(site: Site) -> None:
    """Moving state_dir moves store and scratch."""
    site.write("fleet.toml", "project.state_dir = 'state'")
    fleet = site.build()
    fleet.check()

    assert fleet.store.url.get() == str(site.root / "state" / "store")
    assert fleet.local.scratch_dir.get() == site.root / "state" / "local"
    assert fleet.reports.dir.get() == site.root / "build" / "reports"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('[project]\nname = "mine"', "mine"),
        ('[tool.poetry]\nname = "old"', "old"),
        ("[project]\ndynamic = []", "project"),
        ("broken =", "project"),
        ("project = 3", "project"),
    ],
)
def test_the_name_is_the_projects_own(site: Site, text: str, name: str) -> None:
    """Else that of its folder, also when the file is broken."""
    site.write("pyproject.toml", text)

    assert site.build().project.name.get() == name


def test_the_branch_is_what_ci_says_or_git_has(site: Site) -> None:
    """Empty where neither knows."""
    assert site.build().project.branch.get() == ""
    site.write(".git/HEAD", "ref: refs/heads/feature/x\n")
    assert site.build().project.branch.get() == "feature/x"
    assert site.build(GITHUB_REF_NAME="main").project.branch.get() == "main"
    site.write(".git/HEAD", "0123456789\n")
    assert site.build().project.branch.get() == ""


def test_the_branch_of_a_linked_work_tree_is_found(site: Site) -> None:
    """There `.git` is a file."""
    site.write("elsewhere/HEAD", "ref: refs/heads/side\n")
    site.write("tree/.git", f"gitdir: {site.root / 'elsewhere'}\n")
    tree = Site(site.root / "tree")
    Path(tree.root).mkdir()

    assert tree.build().project.branch.get() == "side"
