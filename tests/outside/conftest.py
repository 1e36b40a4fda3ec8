"""The environment of somebody who has installed doit-fleet and the outside package, both from wheels."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.first_use.conftest import tool, wheel
from tests.first_use.installing import Venv, build_wheel, make_venv
from tests.first_use.using import Site

__all__ = ["tool", "wheel"]
PACKAGE = Path(__file__).with_name("package")


@pytest.fixture(scope="session")
def extended(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Venv:
    """doit-fleet, the outside package, and the pytest that its own tests need."""
    theirs = build_wheel(PACKAGE, tmp_path_factory.mktemp("theirs"))
    made = make_venv(tmp_path_factory.mktemp("extended") / "env")
    return (
        made.link("doit", "attrs", "cattrs", "rich", "jinja2", "junitparser", "pytest").install(wheel).install(theirs)
    )


@pytest.fixture
def site(extended: Venv, tmp_path: Path) -> Site:
    """A project of lines, tested with the package's framework, launcher, store and reporter."""
    made = Site(tmp_path / "project", tmp_path / "home", extended)
    made.write("sums.lines", "1 + 1 == 2\n2 * 2 == 4\nos.environ['ACME_GREETING'] == 'good day'\n")
    made.write(
        "fleet.toml",
        f"""\
store.url = "copy://{tmp_path}/copies"
acme.greeting = "good day"
reports.formats = ["junit", "tally"]
[workers]
launcher = "acme"
count = 2
[suites.sums]
framework = "lines"
""",
    )
    return made
