"""Who is at work, by events alone."""

from __future__ import annotations

from pipeline.model import events as e
from pipeline.report.console_live import region
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


def waits(worker: str, slot: int, reason: str, text: str = "") -> e.WorkerWaiting:
    """A worker whose place is not there."""
    return e.WorkerWaiting(worker=worker, slot=slot, reason=reason, text=text)


def test_who_waits_for_a_place_is_shown_until_it_lives_or_is_taken_away() -> None:
    """Below the workers, each with its reason; they are no workers yet."""
    progress = Progress()
    for event in (
        e.RunStarted(run="r", plan="p", tests=3, batches=3, workers=3),
        waits("w0-1", 0, "quota", "no room"),
        waits("w1-1", 1, "image", "no image\x1b[31m"),
        waits("w2-1", 2, "pulling", "pulls"),
        waits("w2-1", 2, ""),
        e.WorkerStarted(worker="w0-1", slot=0, launcher="kubernetes", place="pod"),
    ):
        progress.take(event, 0.0)

    lines = [line.plain for line in region(progress, 1.0, 80, 24)]
    assert lines[1:] == ["  w0-1 ", "  w1-1 waits: no image"]
    assert len(list(region(progress, 1.0, 80, 6))) == 3

    progress.take(e.WorkerTaken(worker="w1-1", cause="preempted"), 2.0)
    assert progress.waiting == {} and progress.lost_workers == 0


def test_many_that_wait_are_counted() -> None:
    """Where there is no room for all."""
    progress = Progress(phase="running")
    for slot in range(30):
        progress.take(waits(f"w{slot}-1", slot, "quota", "no room"), 0.0)

    lines = [line.plain for line in region(progress, 1.0, 80, 9)]

    assert len(lines) == 6
    assert lines[-1] == "  26 more wait for their places"
