"""Images belong to a plan; a run that goes on needs images of its own plan, not of the one that would be made today."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

import pytest

from extensions.agent import LocalAgent
from extensions.fleet import Fleet
from pipeline.adapters.clock import SystemClock
from pipeline.adapters.directory_store import DirectoryStore
from pipeline.logic.plan_reading import from_json
from pipeline.protocol.resuming import open_run
from tests.images.conftest import MakeSite

pytestmark = pytest.mark.timeout(180)


def identity_of(root: Path) -> str:
    """What names runs of these inputs."""
    fleet = Fleet.build(root, environment=dict(os.environ), arguments={}, home=Path.home())
    fleet.check()
    return LocalAgent(fleet).inputs().identity


def test_images_are_made_for_the_plan_of_the_run_that_goes_on(make_site: MakeSite) -> None:
    """Fewer workers would make another plan; while a run is open, it stays that run's."""
    site = make_site()
    assert site.fleet("group").returncode == 0
    plan = from_json((site.root / "build/group/plan.json").read_bytes())

    free = json.loads(site.fleet("plan", "--json", "workers.count=1").stdout)["plan"]
    store = DirectoryStore(str(site.root / ".fleet/store"))
    asyncio.run(open_run(store, SystemClock(), identity_of(site.root), plan))
    bound = json.loads(site.fleet("plan", "--json", "workers.count=1").stdout)["plan"]

    assert free != plan.digest
    assert bound == plan.digest
