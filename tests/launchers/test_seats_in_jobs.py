"""Which pod a hired worker waits for: Jobs replace pods, hirings follow one another, agents come and go. No cluster is asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pipeline.launchers.kubernetes.board import BIRTH_SECONDS, Board, Seat
from pipeline.launchers.kubernetes.essence import JOB_INDEX, JOB_NAME, job_essence, pod_essence
from pipeline.launchers.kubernetes.jobs import QUEUE
from pipeline.launchers.kubernetes.names import TERM, WORKER, WORKERS
from pipeline.ports.places import Hiring

DISRUPTED = {"type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI"}
RUNNING = {"running": {"startedAt": "2026-01-01T00:00:00Z"}}


def hiring(worker: str) -> Hiring:
    """Of that name."""
    return Hiring(run="r-1", term=1, worker=worker, nonce="n", slot=int(worker[1:].partition("-")[0]))


def job(name: str, workers: str, **status: Any) -> dict[str, Any]:
    """A Job of one worker or, with `,` or `:`, of several by ranges."""
    is_one = ":" not in workers
    labels = {TERM: "1", **({WORKER: workers} if is_one else {})}
    about = {"name": name, "uid": f"uid-{name}", "resourceVersion": "1", "labels": labels}
    whole = {"metadata": {**about, "annotations": {} if is_one else {WORKERS: workers}}, "spec": {}, "status": status}
    return job_essence(whole)


def pod(uid: str, of: str, index: int = 0, *, state: dict[str, Any] | None = None, **status: Any) -> dict[str, Any]:
    """A pod of a Job; `state` is its worker's container's."""
    labels = {JOB_NAME: of, JOB_INDEX: str(index), TERM: "1"}
    containers = [{"name": "worker", "state": state}] if state else []
    about = {"name": uid, "uid": uid, "resourceVersion": "1", "labels": labels}
    return pod_essence({"metadata": about, "spec": {}, "status": {**status, "containerStatuses": containers}})


def ended(code: int) -> dict[str, Any]:
    """As the kubelet tells it."""
    return {"terminated": {"exitCode": code, "containerID": "c", "reason": "Error"}}


class Clock:
    """Stands where it is put."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """A clock."""
    return Clock()


@pytest.fixture
def board(clock: Clock) -> Board:
    """Where a Job `a` of `w0-1` was just made."""
    board = Board(clock)
    board.place(job("a", "w0-1"), [hiring("w0-1")])
    return board


def uid_on(board: Board, seat: Seat) -> str | None:
    """Of the pod that the seat's hiring has."""
    found = board.pod_on(seat)
    return found["metadata"]["uid"] if found is not None else None


def adopted(board: Board, worker: str) -> Seat:
    """The free seat of that worker's slot, which it has from now on."""
    seat = board.adoptable(int(worker[1]))
    assert seat is not None
    board.sit(seat, hiring(worker))
    return seat


@pytest.mark.parametrize("order", ["job first", "pod first"])
def test_a_pod_is_found_whichever_watch_is_first(board: Board, order: str) -> None:
    """Jobs and pods are told by two watches."""
    told: list[Callable[[], None]] = [
        lambda: board.see_job("ADDED", job("a", "w0-1")),
        lambda: board.see_pod("ADDED", pod("1", "a")),
    ]
    for tell in told if order == "job first" else reversed(told):
        tell()
    assert uid_on(board, board.seat_of("w0-1")) == "1"


@pytest.mark.parametrize(
    ("last", "is_replaced"),
    [
        ({"state": ended(143)}, True),
        ({"state": ended(66)}, True),
        ({"state": ended(1), "conditions": [DISRUPTED]}, True),
        ({"state": ended(0), "phase": "Succeeded"}, False),
        ({"state": ended(1), "phase": "Failed"}, False),
        ({"state": ended(137), "phase": "Failed"}, False),
    ],
)
def test_the_next_hiring_has_the_seat_where_the_job_makes_another_pod(
    board: Board, last: dict[str, Any], is_replaced: bool
) -> None:
    """By the Job's own rules, before the Job itself says anything; never the pod that has ended."""
    board.see_pod("ADDED", pod("1", "a", **last))
    seat = board.seat_of("w0-1")
    board.leave(seat)
    board.forget("1")
    assert (board.adoptable(0) is seat) == is_replaced
    if is_replaced:
        adopted(board, "w0-2")
        assert uid_on(board, seat) is None
        board.see_pod("ADDED", pod("2", "a"))
        assert uid_on(board, board.seat_of("w0-2")) == "2"


def test_a_job_is_kept_only_where_a_new_one_would_have_no_pod_sooner(clock: Clock) -> None:
    """Its controller waits longer after each pod that was taken away; but other pods go on in it, or a queue has let it start."""
    board = Board(clock)
    queued = job("queued", "w1-1")
    queued["metadata"]["labels"][QUEUE] = "team-a"
    jobs = {"one": job("one", "w0-1"), "queued": queued, "two": job("two", "2-3:1")}
    for body, names in zip(jobs.values(), (["w0-1"], ["w1-1"], ["w2-1", "w3-1"]), strict=True):
        board.place(body, [hiring(name) for name in names])

    found = {name: board.makes_wait(board.seat_of(name)) for name in ("w0-1", "w1-1", "w2-1", "w3-1")}

    assert found == {"w0-1": True, "w1-1": False, "w2-1": False, "w3-1": False}


def test_a_seat_has_one_hiring(board: Board) -> None:
    """Nobody sits where another one waits."""
    assert board.adoptable(0) is None
    assert board.adoptable(1) is None


@pytest.mark.parametrize(
    "over",
    [
        {"conditions": [{"type": "Failed", "status": "True"}]},
        {"conditions": [{"type": "FailureTarget", "status": "True"}]},
        {"conditions": [{"type": "Complete", "status": "True"}]},
    ],
)
def test_a_job_that_is_over_has_no_seats(board: Board, over: dict[str, Any]) -> None:
    """However it came to that."""
    seat = board.seat_of("w0-1")
    board.see_pod("ADDED", pod("1", "a", state=ended(143)))
    board.leave(seat)
    board.see_job("MODIFIED", job("a", "w0-1", **over))
    assert board.is_over(seat)
    assert board.adoptable(0) is None


def test_a_deleted_job_has_no_seats(board: Board) -> None:
    """By whomever."""
    board.see_job("DELETED", job("a", "w0-1"))
    assert board.is_over(board.seat_of("w0-1"))


def test_indexes_end_one_by_one(clock: Clock) -> None:
    """Of an Indexed Job those that have completed or failed are over, and no others."""
    board = Board(clock)
    workers = [hiring(f"w{slot}-1") for slot in range(8)]
    board.place(job("a", "0-7:1"), workers)
    board.see_job("MODIFIED", job("a", "0-7:1", completedIndexes="0,2-4", failedIndexes="6"))
    over = [board.is_over(board.seat_of(each.worker)) for each in workers]
    assert over == [True, False, True, True, True, False, True, False]


def test_a_jobs_news_are_for_those_seats_that_they_concern(clock: Clock) -> None:
    """A Job of thousands tells of itself every second: whoever waits for another index is not woken."""
    board = Board(clock)
    workers = [hiring(f"w{slot}-1") for slot in range(4)]
    board.place(job("a", "0-3:1"), workers)
    seats = [board.seat_of(each.worker) for each in workers]

    def woken(**status: Any) -> list[int]:
        for seat in seats:
            seat.news.clear()
        board.see_job("MODIFIED", job("a", "0-3:1", **status))
        return [seat.index for seat in seats if seat.news.is_set()]

    assert woken(active=4) == []
    assert woken(completedIndexes="1-2") == [1, 2]
    assert woken(completedIndexes="1-2", failedIndexes="0") == [0]
    assert woken(completedIndexes="1-2", conditions=[{"type": "FailureTarget", "status": "True"}]) == [0, 1, 2, 3]


def test_a_job_is_missed_while_anybody_has_a_seat_or_lives_there(clock: Clock) -> None:
    """In whichever order they end, and when a seat that was left is had again."""
    board = Board(clock)
    workers = [hiring(f"w{slot}-1") for slot in range(3)]
    board.place(job("a", "0-2:1"), workers)
    seats = [board.seat_of(each.worker) for each in workers]
    for seat in (seats[0], seats[2]):
        board.leave(seat)
        assert board.is_missed("a")
    board.see_pod("ADDED", pod("1", "a", 1, state=RUNNING))
    board.leave(seats[1])
    assert board.is_missed("a")
    board.see_pod("MODIFIED", pod("1", "a", 1, state=ended(143)))
    assert not board.is_missed("a")
    board.sit(seats[0], hiring("w0-2"))
    assert board.is_missed("a")
    seats[0].is_stopped = True
    assert not board.is_missed("a")


def test_pods_of_an_index_are_its_seats(clock: Clock) -> None:
    """And of no other."""
    board = Board(clock)
    board.place(job("a", "0-1:1"), [hiring("w0-1"), hiring("w1-1")])
    board.see_pod("ADDED", pod("1", "a", 1))
    assert uid_on(board, board.seat_of("w0-1")) is None
    assert uid_on(board, board.seat_of("w1-1")) == "1"


# Agents come after others.


def test_a_later_agent_takes_pods_that_have_not_begun(clock: Clock) -> None:
    """Whatever name they are told: nobody was born there."""
    board = Board(clock)
    board.see_job("ADDED", job("old", "w0-1"))
    board.see_pod("ADDED", pod("1", "old", phase="Pending"), is_old=True)
    assert uid_on(board, adopted(board, "w0-2")) == "1"


def test_a_later_agent_leaves_pods_alone_that_ran_before_it(clock: Clock) -> None:
    """Their workers are in the store; if they are not, they were given up."""
    board = Board(clock)
    board.see_job("ADDED", job("old", "w0-1"))
    board.see_pod("ADDED", pod("1", "old", state=RUNNING), is_old=True)
    assert board.adoptable(0) is None


def test_a_pod_that_has_just_begun_may_still_be_unborn(board: Board, clock: Clock) -> None:
    """For a while; later it is somebody."""
    seat = board.seat_of("w0-1")
    board.see_pod("ADDED", pod("1", "a", state=ended(143)))
    board.leave(seat)
    board.see_pod("ADDED", pod("2", "a", state=RUNNING))
    assert board.adoptable(0) is seat
    clock.now += BIRTH_SECONDS
    assert board.adoptable(0) is None


# Stopping.


def test_workers_are_stopped_where_they_are(board: Board) -> None:
    """Hired here: by name alone, and not whoever has the seat after them. Others: by what their Job was told."""
    seat = board.seat_of("w0-1")
    assert board.seats_named(["w0-1"]) == [seat]
    board.see_pod("ADDED", pod("1", "a", state=ended(143)))
    board.leave(seat)
    adopted(board, "w0-2")
    assert board.seats_named(["w0-1"]) == []
    board.see_job("ADDED", job("old", "1-2:1"))
    (other,) = board.seats_named(["w2-1"])
    assert (other.job, other.index) == ("old", 1)
    assert board.seats_named(["w2-7"]) == [other]  # A pod in another's place, with a later name.


def test_what_is_left_is_what_has_an_object(board: Board) -> None:
    """Ended or not, forgotten or not."""
    board.see_pod("ADDED", pod("1", "a", state=ended(0)))
    board.leave(board.seat_of("w0-1"))
    board.forget("1")
    assert [each["metadata"]["name"] for each in board.living(1)] == ["1"]
    assert board.living(2) == []
    board.see_pod("DELETED", pod("1", "a", state=ended(0)))
    assert board.living() == []


def test_a_stranger_with_our_labels_is_passed_over(board: Board) -> None:
    """A Job of another version, or of somebody's making."""
    board.see_job("ADDED", job("odd", "not a worker"))
    board.see_job("ADDED", job("odder", "x:y"))
    board.see_pod("ADDED", pod("9", "none"))
    assert [board.adoptable(slot) for slot in (-1, 0)] == [None, None]


def test_the_end_of_a_pod_that_nobody_waits_for_is_told_once(board: Board) -> None:
    """Another agent's worker: there may be proof now. Pods of hirings are waited for anyway."""
    told: list[str] = []
    board.ended_alone = lambda: told.append("ended")
    board.see_pod("ADDED", pod("1", "a", state=ended(1)))
    assert told == []
    board.see_pod("ADDED", pod("2", "old", state=RUNNING))
    assert told == []
    for kind in ("MODIFIED", "MODIFIED", "DELETED"):
        board.see_pod(kind, pod("2", "old", state=ended(1)))
    assert told == ["ended"]
