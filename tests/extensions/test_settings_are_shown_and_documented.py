"""`doit settings`, the schema and the reference are derived from the declarations, and change nothing."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import jsonschema
import pytest

from extensions.fleet import Fleet
from pipeline.errors import SettingsError
from pipeline.settings.description import describe, render, walk
from pipeline.settings.documentation import docstrings
from pipeline.settings.providers import provider
from pipeline.settings.reference import markdown
from pipeline.settings.schema import json_schema
from tests.extensions.sites import Site


def test_every_setting_is_documented(site: Site) -> None:
    """Each declaration is followed by a docstring."""
    missing = [
        setting.name
        for owner, setting in walk(site.build())
        if not docstrings(type(owner)).get(setting.declaration.name)
    ]
    assert missing == []


def test_showing_makes_nothing_final(site: Site) -> None:
    """Looking at everything leaves everything open."""
    fleet = site.build()
    with fleet.dodo():
        describe(fleet)
        fleet.workers.count = 3

    assert fleet.workers.count.get() == 3


def test_rows_survive_json_and_hide_secrets(site: Site) -> None:
    """No row holds a secret's name or value."""
    site.write(
        "fleet.toml",
        "suites.unit.env.PASSWORD = { secret = 'hush' }\nsuites.unit.env.replace = { P = { secret = 'hush' } }",
    )
    fleet = site.build()
    fleet.check()
    rows = describe(fleet)

    text = json.dumps([row.as_json() for row in rows]) + render(rows, explained=True) + str(rows)
    assert "hush" not in text
    assert "•••" in render(rows)


def test_a_value_of_a_task_is_shown_as_not_yet_known(site: Site) -> None:
    """It is not computed before its task has run."""
    fleet = site.build()
    with fleet.dodo():
        fleet.workers.count = provider(lambda: int("not yet"), needs=("measure",))

    (row,) = describe(fleet, "workers.count")
    assert (row.value, row.shown) == (None, "<known after measure>")


def test_a_value_that_cannot_be_computed_hides_no_other(site: Site) -> None:
    """Its row says why."""
    fleet = site.build()
    with fleet.dodo():
        fleet.workers.count = provider(lambda: int("no number"))

    shown = {row.name: row.shown for row in describe(fleet)}
    assert "'workers.count' could not be computed: ValueError" in shown["workers.count"]
    assert shown["workers.nice"] == "0"


def test_a_name_or_a_prefix_may_be_asked_for(site: Site) -> None:
    """An unknown one is an error with the nearest."""
    fleet = site.build()

    assert [row.name for row in describe(fleet, "console")] == [
        "console.style",
        "console.groups",
        "console.interval_seconds",
    ]
    assert [row.name for row in describe(fleet, "workers.nice")] == ["workers.nice"]
    with pytest.raises(SettingsError, match=r"there is no setting 'workers.cuont' \(did you mean 'workers.count'\?\)"):
        describe(fleet, "workers.cuont")


def test_rendered_text_explains(site: Site) -> None:
    """Value, place, what is overridden, form and meaning."""
    site.write("fleet.toml", "workers.count = 3")
    fleet = site.build({"workers.count": "4"})

    assert render(describe(fleet, "workers.count"), explained=True).splitlines()[:4] == [
        "workers.count = 4  (command line: argument workers.count=4)",
        "    overrides 3  (project: fleet.toml:1)",
        "    overrides auto  (built-in)",
        '    expected: a whole number from 0 up or "auto"',
    ]


GOOD = """
extends = ["a.toml", { url = "https://x/y", sha256 = "%s" }]
workers.launcher = "kubernetes"
workers.lease_seconds = "1m"
suites.unit = { paths.append = ["x"], python = "3.8", timeout_seconds = "off", env = { A = "1", B = { secret = "b" } } }
suites.unit.env.append.C = "1"
profiles.nightly = { workers.count = 50, select.keyword = "x" }
kubernetes.namespace = "ci"
""" % ("0" * 64)


def test_the_schema_accepts_what_we_accept(site: Site) -> None:
    """Outside extensions included."""
    schema = json_schema(site.build())
    jsonschema.Draft202012Validator.check_schema(schema)

    text = GOOD.replace('suites.unit.env.append.C = "1"\n', "")
    jsonschema.Draft202012Validator(schema).validate(tomllib.loads(text))


@pytest.mark.parametrize(
    "wrong",
    ["wokers.count = 1", "workers.count = 'all'", "suites.unit.paths = 3", "profiles.x.workers.cuont = 1",
     "workers.launcher = 'x'", "suites.'a b'.retries = 1", "extends = { url = 'https://x' }", "run.seed = -1"],
)  # fmt: skip
def test_the_schema_refuses_what_we_refuse(site: Site, wrong: str) -> None:
    """An editor says so while one types."""
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(json_schema(site.build())).validate(tomllib.loads(wrong))
    site.write("fleet.toml", wrong)
    with pytest.raises(SettingsError):
        site.build().check()


def test_the_reference_in_docs_is_up_to_date(site: Site) -> None:
    """Written by `python -m extensions.reference`, the same on every machine."""
    fleet = Fleet.build(site.root, environment={}, arguments={}, home=site.home)
    docs = Path(__file__).parents[2] / "docs" / "settings.md"

    assert docs.read_text(encoding="utf-8") == markdown(fleet)


def test_the_reference_names_every_setting(site: Site) -> None:
    """Elements of containers under `<name>`."""
    fleet = site.build()
    text = markdown(fleet)

    for _, setting in walk(fleet):
        name = setting.name.replace("suites.pytest", "suites.<name>").replace("pools.default", "pools.<name>")
        assert f"**`{name}`**" in text
