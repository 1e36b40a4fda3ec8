"""The worker's layer holds byte-code for every interpreter that will run a part of it: a read-only image can keep none."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.adapters.runtime_tree import runtime_layer
from pipeline.errors import EngineError
from tests.engines import only_outside_pods

OLD = ("3.8", "3.9", "3.10")
AT = "/opt/doit-fleet"


def tags(folder: Path) -> dict[str, set[str]]:
    """Names of sources in the harness, and elsewhere, that have byte-code, by cache tag."""
    found: dict[str, set[str]] = {}
    for path in folder.rglob("*.pyc"):
        name, tag, _ = path.name.rsplit(".", 2)
        where = path.parent.parent.relative_to(folder / "pipeline") if "pipeline" in path.parts else Path("packages")
        found.setdefault(tag, set()).add(f"{where.as_posix()}/{name}")
    return found


def test_our_own_interpreter_runs_all_of_it_compiled(tmp_path: Path) -> None:
    """Each source has byte-code."""
    runtime_layer({}, with_s3=False, at=AT).make(tmp_path)

    sources = {path.with_suffix("") for path in tmp_path.rglob("*.py")}
    compiled = {path.parent.parent / path.name.split(".")[0] for path in tmp_path.rglob("*.pyc")}
    assert sources == compiled


def test_an_old_interpreter_runs_the_harness_compiled(tmp_path: Path) -> None:
    """That is all that the project's interpreter runs of ours."""
    for version in OLD:
        python = shutil.which(f"python{version}")
        if python and subprocess.run([python, "-c", ""], capture_output=True, check=False).returncode == 0:
            break
    else:
        only_outside_pods("interpreters of the machine may lie where only root may look")
        pytest.skip("needs one of Python 3.8, 3.9, 3.10 on PATH")
    runtime_layer({f"{version}.1": python}, with_s3=False, at=AT).make(tmp_path)

    found = tags(tmp_path)
    own = str(sys.implementation.cache_tag)
    old = f"cpython-{version.replace('.', '')}"
    assert set(found) == {own, old}
    assert found[old] == {name for name in found[own] if name.startswith("harness")}


def test_a_source_that_changes_meanwhile_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The layer is never of other sources than its key says."""
    layer = runtime_layer({}, with_s3=False, at=AT)
    copyfile = shutil.copyfile

    def edited(source: Path, target: Path) -> None:
        copyfile(source, target)
        target.write_bytes(target.read_bytes() + b"# more\n")

    monkeypatch.setattr(shutil, "copyfile", edited)
    with pytest.raises(EngineError, match="changed while"):
        layer.make(tmp_path)
