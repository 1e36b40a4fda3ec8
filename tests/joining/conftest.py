"""A build whose jobs share a store: a folder, or a bucket where that is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.project import until
from tests.joining.house import Build
from tests.s3.stores import address


@pytest.fixture(params=["folder"])
def build(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Build]:
    """A build; nothing of its jobs may be left afterwards."""
    store = str(tmp_path / "common" / "store")
    (tmp_path / "common").mkdir()
    if request.param == "s3":
        s3: Any = request.getfixturevalue("s3")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", s3.access_key)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", s3.secret_key)
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        store = address(s3)
    made = Build(tmp_path, store)
    yield made
    try:
        until(lambda: not any(job.processes() for job in made.jobs), "no process of any job is left", 15)
    finally:
        made.clear()
