"""Settings are on the way of every command, so they import little, read little and compute nothing early."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
import time
from pathlib import Path

import pytest

from extensions.fleet import Fleet
from extensions.outside import outside_extensions
from tests.extensions.sites import Site

HEAVY = {
    "attr",
    "attrs",
    "asyncio",
    "rich",
    "cattrs",
    "inspect",
    "difflib",
    "dataclasses",
    "hashlib",
    "urllib.request",
    "doit",
}
PROBE = """
import sys
from pathlib import Path
from extensions.fleet import Fleet
fleet = Fleet.build(Path(sys.argv[1]), environment={}, arguments={"workers.count": "2"}, home=Path(sys.argv[1]))
fleet.check()
fleet.workers.count.get()
print(*sys.modules)
"""


def test_building_and_reading_imports_nothing_heavy(tmp_path: Path) -> None:
    """Without files not even TOML."""
    done = subprocess.run([sys.executable, "-c", PROBE, tmp_path], capture_output=True, text=True, check=True)

    assert (HEAVY | {"tomllib"}) & set(done.stdout.split()) == set()


def test_building_takes_a_few_milliseconds(site: Site) -> None:
    """Best of some, in processor time; the machine may be busy."""
    site.write("fleet.toml", "[workers]\ncount = 3\n[suites.unit]\npaths = ['x']\n[profiles.n]\nrun.seed = 3\n")
    times = []
    for _ in range(20):
        start = time.process_time()
        fleet = site.build({"run.fail_fast": "1"}, DOIT_FLEET__WORKERS__NICE="3")
        fleet.check()
        times.append(time.process_time() - start)

    assert min(times) < 0.005


def test_nothing_is_realised_by_building(site: Site) -> None:
    """Names are known from the files."""
    site.write("fleet.toml", "\n".join(f"[suites.s{number}]" for number in range(50)))
    fleet = site.build()

    assert len(fleet.suites.known()) == 50
    assert fleet.suites.realised() == ()


def test_a_pyproject_that_does_not_speak_of_us_is_not_parsed(site: Site) -> None:
    """Even if it is broken: that is its owner's business."""
    site.write("pyproject.toml", "broken = ")

    site.build().check()


def test_outside_extensions_are_found_by_entry_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package that is merely on the path registers one."""
    info = tmp_path / "acme_fleet-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-fleet\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[doit_fleet.extensions]\nacme = tests.extensions.sites:Nomad\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(
        "pipeline.graph.plugins.everything", importlib.metadata.entry_points
    )  # Others have read them already.
    found = outside_extensions()
    fleet = Fleet.build(tmp_path, environment={}, arguments={"acme.namespace": "x"}, home=tmp_path, extensions=found)
    fleet.check()

    assert fleet.acme.namespace.get() == "x"
