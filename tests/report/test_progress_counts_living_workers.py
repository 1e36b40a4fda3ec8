"""Who is at work, by events alone."""

from __future__ import annotations

from pipeline.model import events as e
from pipeline.report.progress import Progress


def test_a_worker_that_lost_its_harness_counts_again_with_the_next() -> None:
    """Workers elsewhere go on under their name; one that has ended does not come back."""
    progress = Progress()
    progress.take(e.WorkerStarted(worker="w3-1", slot=3, launcher="docker", place="c"), 1)
    progress.take(e.WorkerReady(worker="w3-1", seconds=1.0), 2)

    progress.take(e.WorkerLost(worker="w3-1", cause="crashed"), 3)
    assert not progress.workers

    progress.take(e.WorkerReady(worker="w3-1", seconds=1.0), 4)
    assert progress.workers["w3-1"].slot == 3
    assert progress.lost_workers == 1


def test_between_collecting_and_running_all_is_preparation() -> None:
    """Images are made and sent then; who reads "planning" for minutes thinks that it hangs."""
    progress = Progress()
    progress.take(e.CollectionFinished(tests=3, files=1), 1)

    assert progress.phase == "preparing"
