"""Rows of a matrix against Avocado-VT's own parser, in the same process: `python -m benchmarks.matrix [--json]`.

100,000 rows of 5 x 10 variants with a value each, whole and filtered to 1,000; and its own files, 7,000 lines. Medians of 3, in seconds of processor time.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from time import process_time
from typing import Any

from benchmarks.output import Row, show
from pipeline.logic.matrix.matrix import Matrix
from pipeline.logic.matrix.reading import read_text
from tests.matrix import peer as avocado_vt
from tests.matrix.test_against_avocado_vt import assembled

ROUNDS = 3
MOST_ROWS = 3_000
STANZAS = "".join(
    "variants:\n" + "".join(f"    - v{stanza}_{at}:\n        k{stanza} = {at}\n" for at in range(10))
    for stanza in range(5)
)
ITS_OWN = "only qcow2..smp2..virtio_net..virtio_blk..smallpages..JeOS"


def main(arguments: Sequence[str]) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args(arguments)
    peer = avocado_vt.find()
    cases: list[tuple[Any, ...]] = [
        ("100,000 rows", STANZAS, ""),
        ("outermost and another filtered", STANZAS, "only v4_3..v2_1"),
        ("innermost and another filtered", STANZAS, "only v0_3..v2_1"),
    ]
    if peer is None:
        sys.stderr.write(f"{avocado_vt.MISSING}\n")
    else:
        cases.append(
            ("its own files, 3,000 rows", assembled(peer.folder / "virttest" / "shared" / "cfg"), ITS_OWN, MOST_ROWS)
        )
    show("matrix", [_measured(peer, *case) for case in cases], as_json=chosen.json)
    return 0


def _measured(peer: avocado_vt.Peer | None, name: str, text: str, selection: str, most: int = 100_000) -> Row:
    def ours() -> Iterator[Any]:
        return Matrix(blocks=(read_text(text), read_text(selection))).rows()

    rows, seconds = _timed(ours, most)
    measured: dict[str, str | int | float] = {"case": name, "rows": rows, "seconds": seconds}
    if peer is not None:
        same, theirs = _timed(lambda: peer.rows(text, selection), most)
        assert same == rows, f"{same} rows there"
        measured |= {"peer": theirs, "ratio": seconds / theirs}
    return measured


def _timed(rows: Callable[[], Iterator[Any]], most: int) -> tuple[int, float]:
    found: list[float] = []
    for _ in range(ROUNDS):
        start = process_time()
        count = sum(1 for _ in islice(rows(), most))
        found.append(process_time() - start)
    return count, statistics.median(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
