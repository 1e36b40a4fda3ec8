"""The directory store passes the contract suites, synced and unsynced, races and unknown outcomes included."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pipeline.adapters import directory_journal
from pipeline.adapters.directory_store import DirectoryStore
from pipeline.contracts.journal_contract import JournalContract
from pipeline.contracts.store_contract import Party, StoreContract
from pipeline.contracts.unknown_outcome_contract import Trouble, UnknownOutcomeContract
from pipeline.ports import Store


class TestUnsyncedDirectoryStore(StoreContract, JournalContract, UnknownOutcomeContract):
    """Without fsync, every step happens in the caller's own thread."""

    @pytest.fixture
    def party(self, tmp_path: Path) -> Party:
        """Handles of one directory."""
        return lambda: DirectoryStore(tmp_path / "store", fsync=False)

    @pytest.fixture
    def trouble(self, monkeypatch: pytest.MonkeyPatch) -> Trouble:
        """Breaks the system calls that make a write visible, before or after they act."""

        @contextmanager
        def make(store: Store, fault: str) -> Iterator[None]:
            with monkeypatch.context() as patched:
                for module, name in ((os, "link"), (directory_journal, "write_at")):
                    patched.setattr(module, name, _broken(getattr(module, name), acts=fault == "answer-lost"))
                yield

        return make


class TestSyncedDirectoryStore(StoreContract, JournalContract):
    """With fsync, writes go through threads."""

    @pytest.fixture
    def party(self, tmp_path: Path) -> Party:
        """Handles of one directory."""
        return lambda: DirectoryStore(tmp_path / "store")


def _broken(call: Callable[..., Any], *, acts: bool) -> Callable[..., Any]:
    def broken(*args: Any) -> None:
        if acts:
            call(*args)
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    return broken
