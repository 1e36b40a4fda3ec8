"""Options of the simulation: how many seeds, or which one."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Plays `--seeds=10000` worlds, or one by `--seed=123`; `--all-mutations` searches from the first seed."""
    group = parser.getgroup("simulation")
    group.addoption("--seeds", type=int, default=300)
    group.addoption("--seed", type=int, default=None)
    group.addoption("--all-mutations", action="store_true")


@pytest.fixture(autouse=True)
def quiet_asyncio() -> Iterator[None]:
    """Crashed processes leave tasks behind; asyncio would talk about each."""
    logging.getLogger("asyncio").disabled = True
    yield
    logging.getLogger("asyncio").disabled = False
