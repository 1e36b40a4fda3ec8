"""The store in S3 passes the contract suites on a real server, races and unknown outcomes included."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from pipeline.adapters import s3_requests
from pipeline.contracts.journal_contract import JournalContract
from pipeline.contracts.store_contract import Party, StoreContract
from pipeline.contracts.unknown_outcome_contract import Trouble, UnknownOutcomeContract
from pipeline.errors import StoreUnavailable
from pipeline.ports import Store
from tests.s3.stores import store_in


class TestS3Store(StoreContract, JournalContract, UnknownOutcomeContract):
    """All contract suites."""

    @pytest.fixture
    def party(self, s3: Any) -> Party:
        """Handles that share nothing but the bucket."""
        return lambda: store_in(s3)

    @pytest.fixture
    def trouble(self, monkeypatch: pytest.MonkeyPatch) -> Trouble:
        """Breaks the request that creates, before or after the server has acted."""

        @contextmanager
        def make(store: Store, fault: str) -> Iterator[None]:
            with monkeypatch.context() as patched:
                put = _broken(s3_requests.put_if_absent, acts=fault == "answer-lost")
                patched.setattr(s3_requests, "put_if_absent", put)
                yield

        return make


def _broken(call: Callable[..., Any], *, acts: bool) -> Callable[..., Any]:
    def broken(*args: Any) -> None:
        if acts:
            call(*args)
        raise StoreUnavailable("no answer")

    return broken
