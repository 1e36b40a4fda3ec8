"""An agent of root's gives its store to the user that containers run as."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from pipeline.adapters.directory_store import DirectoryStore
from tests.engines import only_outside_pods

NOBODY = (65532, 0)


@pytest.fixture(autouse=True)
def root() -> None:
    """Only root may give files away."""
    only_outside_pods("only root may give files away")
    if os.getuid() != 0:
        pytest.skip("only root may give files away")


async def _write(store: DirectoryStore) -> None:
    await store.create("runs/r/claims/0/000000.1", b"x")
    await store.replace("runs/r/beats/w", b"y")
    journal = store.journal("runs/r/journal/w")
    journal.append(b"z")
    await journal.flush()


def test_what_is_made_belongs_to_them(tmp_path: Path) -> None:
    """Folders and values; a journal is written by its worker only, but lies in a folder of theirs."""

    store = DirectoryStore(tmp_path / "store")
    store.give_to(*NOBODY)
    asyncio.run(_write(store))

    records = tmp_path / "store" / "runs" / "r" / "journal" / "w" / "records"
    found = {path for path in [tmp_path / "store", *(tmp_path / "store").rglob("*")] if path != records}
    assert {(path.stat().st_uid, path.stat().st_gid) for path in found} == {NOBODY}


def test_folders_of_earlier_runs_are_given_too(tmp_path: Path) -> None:
    """A run that local workers began can go on in containers."""

    asyncio.run(_write(DirectoryStore(tmp_path / "store")))
    later = DirectoryStore(tmp_path / "store")
    later.give_to(*NOBODY)
    asyncio.run(later.create("runs/r/tombs/w", b"x"))

    folders = [path for path in (tmp_path / "store").rglob("*") if path.is_dir()]
    assert {(path.stat().st_uid, path.stat().st_gid) for path in folders} == {NOBODY}
