"""Every layer overrides those below it, and each value knows where it came from."""

from __future__ import annotations

import pytest

from pipeline.settings.description import describe
from tests.extensions.sites import Site

LAYERS = ["home", "extends", "project", "profile", "dodo", "environment", "command line"]


@pytest.mark.parametrize("top", range(len(LAYERS)))
def test_the_highest_layer_that_speaks_wins(site: Site, top: int) -> None:
    """With all layers up to one of them speaking, that one decides."""
    speaks = {name: index <= top for index, name in enumerate(LAYERS)}
    if speaks["home"]:
        site.write_home("workers.count = 1\n")
    project = 'extends = "team.toml"\n'
    site.write("team.toml", "workers.count = 2\n" if speaks["extends"] else "")
    project += "workers.count = 3\n" if speaks["project"] else ""
    project += "[profiles.nightly]\n" + ("workers.count = 4\n" if speaks["profile"] else "")
    site.write("fleet.toml", project)
    arguments = {"profile": "nightly"} | ({"workers.count": "7"} if speaks["command line"] else {})
    environment = {"DOIT_FLEET__WORKERS__COUNT": "6"} if speaks["environment"] else {}
    fleet = site.build(arguments, **environment)

    with fleet.dodo():
        fleet.workers.count.convention(0)
        if speaks["dodo"]:
            fleet.workers.count = 5

    (row,) = describe(fleet, "workers.count")
    assert row.value == top + 1
    assert len(row.overridden) == top + 2  # The lower layers, the convention and the built-in default.
    assert fleet.workers.count.get() == top + 1


def test_places_are_exact(site: Site) -> None:
    """File and line, variable, argument."""
    site.write_home("\nworkers.nice = 1\n")
    site.write("pyproject.toml", '[project]\nname = "x"\n[tool.doit-fleet.workers]\n# why\ncount = 3\n')
    site.write("team.toml", "run.seed = 3")
    fleet = site.build({"run.fail_fast": "2"}, DOIT_FLEET__WORKERS__LEASE_SECONDS="1m")
    with fleet.dodo():
        fleet.store.keep_days = 3

    places = {row.name: row.provenance for row in describe(fleet)}

    assert places["workers.nice"] == "~/.config/doit-fleet.toml:2"
    assert places["workers.count"] == "pyproject.toml:5"
    assert places["workers.lease_seconds"] == "variable DOIT_FLEET__WORKERS__LEASE_SECONDS"
    assert places["run.fail_fast"] == "argument run.fail_fast=2"
    assert "test_layers_override_in_order.py:" in places["store.keep_days"]
    assert places["store.url"] == "built-in, from project.state_dir (built-in)"


@pytest.mark.parametrize(
    ("arguments", "environment", "expected"),
    [
        ({}, {}, ("a", "b")),
        ({"suites.unit.paths": "x,y"}, {}, ("x", "y")),
        ({"suites.unit.paths+": "x,y"}, {}, ("a", "b", "x", "y")),
        ({"suites.unit.paths.append": "x"}, {"DOIT_FLEET__SUITES__UNIT__PATHS__APPEND": "v"}, ("a", "b", "v", "x")),
        ({}, {"DOIT_FLEET__SUITES__UNIT__PATHS+": "v"}, ("a", "b", "v")),
        ({"suites.unit.paths+": "x"}, {"DOIT_FLEET__SUITES__UNIT__PATHS": "v"}, ("v", "x")),
    ],
)
def test_lists_are_appended_to_and_replaced_in_text_layers(
    site: Site, arguments: dict[str, str], environment: dict[str, str], expected: tuple[str, ...]
) -> None:
    """`+=` and `append` add, plain text replaces."""
    site.write("team.toml", 'suites.unit.paths = ["a"]')
    site.write("fleet.toml", 'extends = "team.toml"\nsuites.unit.paths.append = ["b"]')
    fleet = site.build(arguments, **environment)
    fleet.check()

    assert fleet.suites["unit"].paths.get() == expected


def test_maps_are_laid_over_each_other_key_by_key(site: Site) -> None:
    """A key's letters are kept in every layer, and `replace` starts anew."""
    site.write("team.toml", '[suites.unit.env]\nA = "team"\nB = "team"')
    site.write(
        "fleet.toml", 'extends = "team.toml"\nsuites.unit.env.B = "project"\nsuites.unit.env.P = { secret = "db" }'
    )
    fleet = site.build({"suites.unit.env.Mixed": "argument"}, DOIT_FLEET__SUITES__UNIT__ENV__C="variable")
    fleet.check()

    kind = fleet.suites.unit.env.declaration.kind
    assert kind.plain(fleet.suites.unit.env.get()) == {
        "A": "team", "B": "project", "P": "•••", "C": "variable", "Mixed": "argument",
    }  # fmt: skip

    anew = site.build({"suites.unit.env.replace": "X=1"})
    anew.check()
    assert dict(anew.suites.unit.env.get()) == {"X": "1"}


def test_an_element_is_found_by_variable_whatever_its_letters(site: Site) -> None:
    """Variables know neither lower case nor hyphens."""
    site.write("fleet.toml", '[suites.My-Unit]\npaths = ["a"]')
    fleet = site.build(DOIT_FLEET__SUITES__MY_UNIT__RETRIES="2")
    fleet.check()

    assert fleet.suites["My-Unit"].retries.get() == 2


def test_undotted_arguments_are_left_over(site: Site) -> None:
    """They belong to the user's `get_var`."""
    fleet = site.build({"color": "red", "resume": "r1", "profile": "", "workers.count": "1"})

    assert fleet.leftovers == {"color": "red", "resume": "r1"}


def test_an_outside_extension_gives_conventions_to_ours(site: Site) -> None:
    """Below any value of the user's own."""
    fleet = site.build({"nomad.namespace": "ci"})
    with fleet.dodo():
        fleet.nomad.grace_seconds = fleet.workers.lease_seconds.map(lambda lease: lease + 5)

    assert fleet.nomad.namespace.get() == "ci"
    assert fleet.nomad.grace_seconds.get() == 50
    assert "sites.py:" in str(fleet.workers.lease_seconds.provenance())


def test_a_profile_is_a_set_of_overrides(site: Site) -> None:
    """Only the selected one counts; dodo.py may define some too."""
    site.write(
        "fleet.toml",
        "[profiles.nightly]\nworkers.count = 50\nselect.marks = 'slow'\n[profiles.quick]\nworkers.count = 2",
    )

    def configured(profile: str) -> tuple[object, object, str]:
        fleet = site.build({"profile": profile} if profile else {})
        with fleet.dodo():
            fleet.profiles.add("own").set("workers.count", 9)
            fleet.profiles["nightly"].append("pytest.args", ["-x"])
        return fleet.workers.count.get(), fleet.suites.pytest.args.get(), fleet.suites.pytest.select.marks.get()

    assert configured("") == ("auto", (), "")
    assert configured("nightly") == (50, ("-x",), "slow")
    assert configured("own") == (9, (), "")
