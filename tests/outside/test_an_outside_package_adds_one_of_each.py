"""What an outside package adds by the documented API works like what is built in."""

from __future__ import annotations

import json
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest

from tests.first_use.installing import Venv
from tests.first_use.using import Site
from tests.outside.conftest import PACKAGE

pytestmark = pytest.mark.timeout(240)
"""The first test waits until wheels are built and installed."""


def test_it_runs_a_project(site: Site) -> None:
    """Its framework's tests run on its launcher over its store, its reporter and its settings take part."""
    said = site.fleet()

    assert said.code == 0, said.text
    assert (site.root / "build/reports/tally.txt").read_text() == "passed 3\nseen 3\n"
    assert list((site.root.parent / "copies").iterdir())
    assert set(site.outcomes().values()) == {"passed"}


def test_a_failure_is_one_and_can_be_repeated_by_hand(site: Site) -> None:
    """A line that is not true makes the run red, with the framework's own line to repeat it."""
    site.write("sums.lines", "1 + 1 == 2\n1 + 1 == 3\n1 / 0\n")

    said = site.fleet()

    assert said.code == 1, said.text
    assert """-c 'print(eval(open("sums.lines").readlines()[1]))'""" in said.text
    assert (site.root / "build/reports/tally.txt").read_text() == "error 1\nfailed 1\npassed 1\nseen 3\n"


def test_nothing_changed_means_nothing_runs(site: Site) -> None:
    """Its results stand while nothing changes, and its settings decide as ours do."""
    site.fleet()

    again = site.fleet()
    changed = site.fleet("acme.greeting=evening")

    assert (again.code, changed.code) == (0, 1)
    assert "`doit-fleet -a` runs regardless" in again.text
    assert "os.environ" in changed.text


def test_it_shows_in_settings_schema_and_doctor(site: Site) -> None:
    """Its settings are told like ours with where they come from, and all it offers is named."""
    settings = site.fleet("settings", "acme")
    slowest = site.fleet("settings", "reports.slowest")
    schema = json.loads(site.fleet("settings", "--schema").text)
    doctor = site.fleet("doctor")

    assert "good day" in settings.text and "fleet.toml" in settings.text
    assert "3" in slowest.text and "acme_fleet" in slowest.text
    jsonschema.validate(tomllib.loads((site.root / "fleet.toml").read_text()), schema)
    for wrong in ({"acme": {"greeting": 3}}, {"acme": {"greting": "x"}}, {"workers": {"launcher": "acmee"}}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, schema)
    assert doctor.code == 0, doctor.text
    for offer in ("extension acme", "framework lines", "launcher acme", "store copy", "reporter tally"):
        assert f"ok   {offer}" in doctor.text


def test_its_own_tests_pass_our_contract_suites(extended: Venv, site: Site) -> None:
    """The suites are in the wheel, so outside stores and launchers prove themselves at home."""
    site.write("test_proofs.py", (PACKAGE / "contracts" / "proofs.py").read_text())

    said = site.run(str(extended.python), "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_proofs.py")

    assert said.code == 0, said.text
    assert " passed" in said.text and "skipped" not in said.text


@pytest.fixture
def broken(extended: Venv) -> Iterator[Path]:
    """An installed package whose entry points name a module that is not there; its file of entry points."""
    folder = extended.packages / "broken-1.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1\n")
    yield folder / "entry_points.txt"
    shutil.rmtree(folder)


def test_a_package_that_cannot_be_loaded_is_named(site: Site, broken: Path) -> None:
    """The message says which package is at fault, and `doctor` finds it before a run does."""
    broken.write_text("[doit_fleet.launchers]\nbroken = no_such_module:launcher\n")

    said = site.fleet("workers.launcher=broken")
    doctor = site.fleet("doctor")

    assert said.code == 3, said.text
    assert "launcher 'broken' of package 'broken' cannot be loaded" in said.text
    assert "BAD  launcher broken" in doctor.text


def test_an_extension_that_cannot_be_loaded_is_named(site: Site, broken: Path) -> None:
    """Its settings are unknown then, so nothing starts."""
    broken.write_text("[doit_fleet.extensions]\nbroken = no_such_module:Settings\n")

    said = site.fleet()

    assert said.code == 3, said.text
    assert "extension 'broken' of package 'broken' cannot be loaded" in said.text
    assert "Traceback" not in said.text
