"""The same rows as Avocado-VT's own parser: names, short names, dependencies and values, in the same order."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from pipeline.adapters.matrix_files import MatrixFiles
from pipeline.logic.matrix.compiling import compile_blocks
from pipeline.logic.matrix.expanding import expand
from pipeline.logic.matrix.reading import read_text
from tests.engines import require
from tests.matrix import peer as avocado_vt
from tests.matrix.generated import Generated
from tests.matrix.peer import Peer

MOST_ROWS = 2_000
SELECTIONS = (
    "only qcow2..smp2..virtio_net..virtio_blk..smallpages..JeOS",
    "only (image_backend=filesystem)..qcow2..smp2..virtio_net..virtio_blk..smallpages..Fedora.31\nno default_bios, up",
    "only Windows..Win7.x86_64.sp1..smp2..rtl8139\nno qcow2v3\nonly qcow2",
)
MANY = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
FEW = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def peer() -> Peer:
    """Its parser."""
    return require(avocado_vt.find(), avocado_vt.MISSING)


def ours(
    *texts: str, file: Path | None = None, defaults: bool = False, expanded: tuple[str, ...] = ()
) -> list[dict[str, Any]]:
    """Our rows in its shape, without the checks that it does not make."""
    blocks = []
    if file:
        files = MatrixFiles(file.parent)
        name, text = files.read(file)
        blocks.append(read_text(text, name, files))
    blocks += map(read_text, texts)
    tree = compile_blocks(blocks, defaults=defaults, expanded=expanded)
    return [
        {**row.values, "name": row.name, "shortname": row.shortname, "dep": list(row.dependencies)}
        for row in islice(expand(tree), MOST_ROWS)
    ]


@MANY
@given(random=st.randoms(use_true_random=False), defaults=st.booleans(), expanded=st.sampled_from(["", "x", "y"]))
def test_random_matrices(peer: Peer, random: Random, defaults: bool, expanded: str) -> None:
    """Whatever stanzas, filters, conditions, operators and suffixes meet."""
    text = Generated(random, joins=False, suffixes=True).text
    theirs = list(islice(peer.rows(text, defaults=defaults, expanded=[expanded]), MOST_ROWS))

    assert theirs == ours(text, defaults=defaults, expanded=(expanded,))


@FEW
@given(random=st.randoms(use_true_random=False))
def test_random_joins(peer: Peer, random: Random) -> None:
    """Values and names; it takes axes in names for regular expressions, forgets the first one's dependencies, and fails on equal names."""
    text = Generated(random, joins=True, suffixes=True).text
    assume(not any(f"variants {axis}" in text for axis in "xyz"))
    try:
        theirs = list(islice(peer.rows(text), MOST_ROWS))
    except ValueError:
        assume(False)
    for one, other in zip(theirs, found := ours(text), strict=True):
        assert set(one.pop("dep")) <= set(other.pop("dep"))
    assert theirs == found


@pytest.mark.parametrize("defaults", [False, True])
@pytest.mark.parametrize("selection", SELECTIONS)
def test_its_own_files(peer: Peer, selection: str, defaults: bool) -> None:
    """Its shared files, 7,000 lines, put together as its bootstrap does."""
    text = assembled(peer.folder / "virttest" / "shared" / "cfg")
    theirs = list(islice(peer.rows(text, selection, defaults=defaults), MOST_ROWS))

    assert theirs
    assert theirs == ours(text, selection, defaults=defaults)


def test_its_huge_self_test(peer: Peer) -> None:
    """The files of its self-tests, which only a checkout has."""
    file = peer.folder / "selftests" / "unit" / "unittest_data" / "testcfg.huge" / "test1.cfg"
    if not file.is_file():
        pytest.skip(f"{avocado_vt.NAMED_BY} names no checkout")
    theirs = list(peer.rows(file=file))

    assert len(theirs) == 465
    assert theirs == ours(file=file)


def assembled(folder: Path) -> str:
    """Base, tests, guests and hardware as one text."""
    tests = "\nvariants:\n    - boot:\n        type = boot\n    - migrate: boot\n        type = migrate\n"
    read = [
        (folder / name).read_text("utf-8") for name in ("base.cfg", "virtio-win.cfg", "guest-hw.cfg", "machines.cfg")
    ]
    return "\n".join((read[0], tests, read[1], guests(folder / "guest-os", 0), read[2], read[3], ""))


def guests(folder: Path, indent: int) -> str:
    """A folder as a stanza: each file is a variant, the folder of its name the stanza inside it."""
    found = [" " * indent + "variants:\n"]
    for file in sorted(folder.glob("*.cfg")):
        lines = file.read_text("utf-8").rstrip().splitlines(keepends=True)
        found += [" " * (indent + 4) + line if line.strip() else line for line in lines]
        found.append("\n")
        inner = file.with_suffix("")
        if inner.is_dir():
            found.append(guests(inner, indent + 8))
    return "".join(found)
