"""Replay histories of real suites: plan on one version, run on the next, against the lower bound max(sum/N, longest).

Grouping and stealing are the real code, time is imagined. Peers in the same run: static longest-first buckets and
contiguous chunks (pytest-split's default). Files: JSON lines (may be gzipped), `{"seconds": {"file::test": s}}`.
"""

from __future__ import annotations

import argparse
import gzip
import heapq
import itertools
import json
import statistics
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from benchmarks.output import show
from pipeline.logic.batching import make_batches
from pipeline.logic.estimating import estimate
from pipeline.logic.grouping import make_buckets
from pipeline.logic.planning import freeze
from pipeline.logic.simulating import simulate
from pipeline.model.tests import Test

WORKERS = (8, 16, 32)
CLAIM_SECONDS = (0.0, 0.005, 0.050)
Version = Mapping[str, float]
Score = tuple[float, float]
"""Wall time as a multiple of the lower bound; files met by workers as a multiple of the number of files."""
Strategy = Callable[[Sequence[Test], Sequence[float], int, float], Score]


def fleet(tests: Sequence[Test], real: Sequence[float], workers: int, claim_seconds: float) -> Score:
    """Batches pulled from buckets, and stolen."""
    batches = make_batches(tests, workers, claim_seconds=claim_seconds)
    plan = freeze(tests, batches, make_buckets(tests, batches, workers))
    run = simulate(plan, workers, seconds=real, claim_seconds=claim_seconds)
    return run.seconds / floor(real, workers), run.loads / len({test.file for test in tests})


def static(tests: Sequence[Test], real: Sequence[float], workers: int, claim_seconds: float) -> Score:
    """Single tests to the bucket with the least estimate, longest first; nothing moves afterwards."""
    heap = [(0.0, bucket) for bucket in range(workers)]
    homes = [0] * len(tests)
    for at in sorted(range(len(tests)), key=lambda at: -tests[at].seconds):
        load, homes[at] = heap[0]
        heapq.heapreplace(heap, (load + tests[at].seconds, homes[at]))
    return _fixed(tests, real, homes, workers, claim_seconds)


def chunks(tests: Sequence[Test], real: Sequence[float], workers: int, claim_seconds: float) -> Score:
    """Consecutive tests, each worker about the same estimate."""
    share = sum(test.seconds for test in tests) / workers
    starts = itertools.accumulate((test.seconds for test in tests), initial=0.0)
    homes = [min(workers - 1, int(start / share)) for start, _ in zip(starts, tests, strict=False)]
    return _fixed(tests, real, homes, workers, claim_seconds)


STRATEGIES: Mapping[str, Strategy] = {"fleet": fleet, "static": static, "chunks": chunks}


def _fixed(
    tests: Sequence[Test], real: Sequence[float], homes: Sequence[int], workers: int, claim_seconds: float
) -> Score:
    loads = [claim_seconds] * workers
    for home, seconds in zip(homes, real, strict=True):
        loads[home] += seconds
    met = {(home, test.file) for home, test in zip(homes, tests, strict=True)}
    return max(loads) / floor(real, workers), len(met) / len({test.file for test in tests})


def floor(real: Sequence[float], workers: int) -> float:
    """No schedule is shorter."""
    return max(sum(real) / workers, max(real))


def read_versions(path: Path) -> list[Version]:
    """The durations of each version, oldest first."""
    data = path.read_bytes()
    text = (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).decode()
    return [json.loads(line)["seconds"] for line in text.splitlines() if line.strip()]


def replays(versions: Sequence[Version], stale: int, every: int) -> Iterator[tuple[tuple[Test, ...], list[float]]]:
    """Tests of each version with estimates from the one `stale` versions before, and their real durations."""
    for known, real in itertools.islice(zip(versions, versions[stale:], strict=False), 0, None, every):
        named = [Test(id=name, suite="", native=name, file=name.partition("::")[0]) for name in real]
        yield estimate(named, known), list(real.values())


def measure(name: str, versions: Sequence[Version], stale: int, every: int) -> Iterator[dict[str, str | int | float]]:
    """One row for each number of workers, cost of a claim, and strategy."""
    played = list(replays(versions, stale, every))
    for workers, cost in itertools.product(WORKERS, CLAIM_SECONDS):
        for strategy, run in STRATEGIES.items():
            scores = [run(tests, real, workers, cost) for tests, real in played]
            ratios = sorted(ratio for ratio, _ in scores)
            yield {
                "suite": name,
                "workers": workers,
                "claim_ms": round(cost * 1000),
                "strategy": strategy,
                "median": statistics.median(ratios),
                "p90": ratios[int(0.9 * (len(ratios) - 1))],
                "worst": ratios[-1],
                "loads_per_file": statistics.median(loads for _, loads in scores),
            }


def main(arguments: Sequence[str]) -> int:
    """Measure each history file and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.schedule", description=__doc__)
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--stale", type=int, default=1, help="plan on the version that many before (default: 1)")
    parser.add_argument("--every", type=int, default=1, help="score only each n-th pair, for a quick look")
    options = parser.parse_args(arguments)
    rows = [
        row
        for path in options.files
        for row in measure(path.name.partition(".")[0], read_versions(path), options.stale, options.every)
    ]
    show("schedule", rows, as_json=options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
