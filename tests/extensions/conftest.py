"""Fixtures of the tests of settings objects."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.extensions.sites import Site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """Return an empty project beside an empty home."""
    (tmp_path / "project").mkdir()
    (tmp_path / "home").mkdir()
    return Site(tmp_path)
