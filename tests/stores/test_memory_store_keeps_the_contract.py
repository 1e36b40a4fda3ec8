"""The in-memory fake passes the suites of the real stores, so that what is proved on it means something."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from pipeline.contracts.journal_contract import JournalContract
from pipeline.contracts.store_contract import Party, StoreContract
from pipeline.contracts.unknown_outcome_contract import Trouble, UnknownOutcomeContract
from pipeline.ports import Store
from tests.fakes.faults import Fate, Operation, no_trouble
from tests.fakes.memory_store import MemoryStore

FATES = {"answer-lost": Fate(answer_lost=True), "refused": Fate(refused=True)}


class TestMemoryStore(StoreContract, JournalContract, UnknownOutcomeContract):
    """All contract suites."""

    @pytest.fixture
    def party(self) -> Party:
        """Views of one store."""
        store = MemoryStore()
        return lambda: store.view("any")

    @pytest.fixture
    def trouble(self) -> Trouble:
        """Decides a fate for all writes."""

        @contextmanager
        def make(store: Store, fault: str) -> Iterator[None]:
            assert isinstance(store, MemoryStore)

            def decide(operation: Operation) -> Fate:
                return Fate() if operation.kind.endswith(("read", "list")) else FATES[fault]

            store.decide = decide
            yield
            store.decide = no_trouble

        return make
