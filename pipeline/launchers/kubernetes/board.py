"""Who sits where: Jobs and pods of a run as the cluster tells them, and which worker that was hired waits for which of them.

A Job of n workers is n seats. Pods come and go on a seat, for the Job's controller replaces those that were disrupted; one
hiring after the other has it. No I/O; only ever used by one thread.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, Final

from attrs import define, field

from pipeline.launchers.kubernetes.containers import WORKER as CONTAINER
from pipeline.launchers.kubernetes.ends import condition_of, disruption_of, has_ended, status_of, terminated
from pipeline.launchers.kubernetes.essence import job_essence, place_of, pod_stub
from pipeline.launchers.kubernetes.jobs import QUEUE, STOPPED
from pipeline.launchers.kubernetes.names import TERM, WORKER, WORKERS
from pipeline.logic.worker_ranges import NAME, read_ranges
from pipeline.model.exits import FENCED
from pipeline.ports.places import Hiring

Object = dict[str, Any]
BIRTH_SECONDS: Final = 30.0
"""A pod that runs for less may still be without a worker's name."""
OVER: Final = ("Complete", "Failed", "FailureTarget", "SuccessCriteriaMet")
DELETED: Final = "DELETED"


@define(eq=False)
class Seat:
    """One index of a Job."""

    job: str
    index: int
    slot: int
    first: str
    """The name that its pods are told."""
    term: int
    hiring: str = ""
    """The name of the worker that is waited for; empty: nobody waits."""
    spent: set[str] = field(factory=set)
    """Pods (uid) of earlier hirings."""
    is_stopped: bool = False
    """Whether we have ended it."""
    news: asyncio.Event = field(factory=asyncio.Event)


class Board:
    """Everything of one run."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self.jobs: dict[str, Object] = {}
        """By name, deleted ones too."""
        self.gone_jobs: set[str] = set()
        self.pods: dict[str, Object] = {}
        """By uid, until they are forgotten."""
        self.gone: set[str] = set()
        """Pods (uid) whose objects are no more."""
        self.events: dict[str, list[Object]] = defaultdict(list)
        """By uid of what they are about, the last few."""
        self._seats: dict[tuple[str, int], Seat] = {}
        self._slots: dict[int, list[Seat]] = defaultdict(list)
        self._in_job: dict[str, list[Seat]] = defaultdict(list)
        self._told: dict[str, list[Seat]] = defaultdict(list)
        """By the name that their pods are told."""
        self._ended: dict[str, frozenset[int]] = {}
        """Indexes that have succeeded or failed for good, by Job."""
        self._first_missed: dict[str, int] = {}
        """Where in a Job the first seat was that somebody would miss."""
        self._here: dict[str, Object] = {}
        """Pods whose objects are there."""
        self._hired: dict[str, Seat] = {}
        self._on: dict[tuple[str, int], list[str]] = defaultdict(list)
        """Pods (uid) by seat, in the order in which they came."""
        self._ran: dict[str, float] = {}
        """Since when pods were seen to run."""
        self._forgotten: dict[str, bool] = {}
        """Whether another pod is made in their place, of pods (uid) that have ended."""
        self.changed = asyncio.Event()
        self.ended_alone: Callable[[], None] = lambda: None
        """Called when a pod ends on a seat that nobody has."""

    # What the cluster tells.

    def see_job(self, kind: str, job: Object) -> None:
        """A Job as it is, or was; news for those seats only for which it is over now: a Job of thousands tells much."""
        name = job["metadata"]["name"]
        had_ended, ended = self._ended.get(name, frozenset()), ended_indexes(job)
        was_over = self._is_over(name)
        self.jobs[name], self._ended[name] = job, ended
        if kind == DELETED:
            self.gone_jobs.add(name)
        for index, worker in enumerate(workers_of(job)):
            self._seat(name, index, worker, int(job["metadata"]["labels"].get(TERM, 0)))
        is_over = self._is_over(name) and not was_over
        for seat in self._in_job[name]:
            if is_over or (seat.index in ended and seat.index not in had_ended):
                seat.news.set()
        self.changed.set()

    def see_pod(self, kind: str, pod: Object, *, is_old: bool = False) -> None:
        """A pod as it is, or was; `is_old`: it was there before we looked."""
        uid, place = pod["metadata"]["uid"], place_of(pod)
        if kind == DELETED:
            self.gone.add(uid)
            self._here.pop(uid, None)
        if uid in self._forgotten:
            self.changed.set()
            return
        if uid not in self.pods:
            self._on[place].append(uid)
        had_ended = uid in self.pods and has_ended(self.pods[uid])
        self.pods[uid] = pod
        if kind != DELETED:
            self._here[uid] = pod
        if status_of(pod, CONTAINER).get("state", {}).get("running") and uid not in self._ran:
            self._ran[uid] = float("-inf") if is_old else self._now()
        seat = self._seats.get(place)
        if seat is not None:
            seat.news.set()
        if has_ended(pod) and not had_ended and (seat is None or not seat.hiring):
            self.ended_alone()
        self.changed.set()

    def see_event(self, event: Object, most: int = 12) -> None:
        """Something that happened to a pod or Job."""
        uid = event.get("involvedObject", {}).get("uid", "")
        told = self.events[uid]
        told.append(event)
        del told[:-most]
        self.changed.set()

    # Seats.

    def _seat(self, job: str, index: int, worker: str, term: int) -> Seat:
        seat = self._seats.get((job, index))
        if seat is None:
            slot = slot_of(worker)
            seat = self._seats[job, index] = Seat(job, index, slot, worker, term)
            for seats in (self._slots[slot], self._in_job[job], self._told[worker]):
                seats.append(seat)
        return seat

    def place(self, job: Object, hirings: Sequence[Hiring]) -> None:
        """These hirings have the seats of a new Job, in this order."""
        name = job["metadata"]["name"]
        self.jobs.setdefault(name, job_essence(job))
        for index, hiring in enumerate(hirings):
            self.sit(self._seat(name, index, hiring.worker, hiring.term), hiring)

    def sit(self, seat: Seat, hiring: Hiring) -> None:
        """This hiring has the seat; pods that have ended there were others'."""
        seat.hiring = hiring.worker
        seat.spent |= {uid for uid in self._on[seat.job, seat.index] if self.has_ended(uid)}
        seat.news.set()
        self._hired[hiring.worker] = seat

    def leave(self, seat: Seat) -> None:
        """The hiring has ended; whoever is hired next may have it."""
        seat.spent |= {uid for uid in self._on[seat.job, seat.index] if self.has_ended(uid)}
        self._hired.pop(seat.hiring, None)
        seat.hiring = ""
        self.changed.set()

    def remove(self, hirings: Iterable[Hiring]) -> None:
        """These hirings have come to nothing."""
        for hiring in hirings:
            seat = self._hired.pop(hiring.worker, None)
            if seat is not None:
                seat.hiring = ""

    def seat_of(self, worker: str) -> Seat:
        """Of a worker that was hired here."""
        return self._hired[worker]

    def seat_if(self, worker: str) -> Seat | None:
        """The same, if it has one now."""
        return self._hired.get(worker)

    def pod_on(self, seat: Seat) -> Object | None:
        """The pod of the seat's hiring, living or not; None: there is none yet."""
        uids = [uid for uid in self._on[seat.job, seat.index] if uid not in seat.spent]
        return self.pods[uids[0]] if uids else None

    def has_ended(self, uid: str) -> bool:
        """Whether a pod has ended, as far as the cluster says, or its object is no more."""
        return uid in self.gone or uid in self._forgotten or has_ended(self.pods[uid])

    def forget(self, uid: str) -> None:
        """Keep no more than needed of a pod that has ended."""
        self._forgotten[uid] = self.will_replace(uid)
        self.pods[uid] = pod_stub(self.pods[uid])
        if uid in self._here:
            self._here[uid] = self.pods[uid]
        self.events.pop(uid, None)
        self._ran.pop(uid, None)

    def is_over(self, seat: Seat) -> bool:
        """Whether the Job will never have another pod there."""
        return self._is_over(seat.job) or seat.index in self._ended.get(seat.job, ())

    def _is_over(self, name: str) -> bool:
        """Whether a Job that was heard of will never have another pod."""
        job = self.jobs.get(name)
        if job is None or name in self.gone_jobs or job["metadata"].get("deletionTimestamp"):
            return job is not None
        return any(condition_of(job, kind).get("status") == "True" for kind in OVER)

    def adoptable(self, slot: int) -> Seat | None:
        """A seat of that slot that nobody has, and where a pod is to begin or has just begun."""
        return next((seat for seat in self._slots[slot] if not seat.hiring and self._will_begin(seat)), None)

    def _will_begin(self, seat: Seat) -> bool:
        if seat.is_stopped or self.is_over(seat):
            return False
        uids = self._on[seat.job, seat.index]
        living = [uid for uid in uids if not self.has_ended(uid)]
        if not living:
            return not uids or self.will_replace(uids[-1])
        ran = self._ran.get(living[-1])
        is_leaving = bool(self.pods[living[-1]]["metadata"].get("deletionTimestamp"))
        return not is_leaving and (ran is None or self._now() - ran < BIRTH_SECONDS)

    def seats_named(self, workers: Iterable[str]) -> list[Seat]:
        """Seats of these workers, hired here or by others: by name, else by the slot in it, where nobody here has it."""
        found: dict[int, Seat] = {}
        for worker in workers:
            if worker in self._hired:
                seats: Iterable[Seat] = [self._hired[worker]]
            else:
                known = [seat for seat in self._told.get(worker, ()) if not seat.hiring]
                seats = known or (seat for seat in self._slots[slot_of(worker)] if not seat.hiring)
            found |= {id(seat): seat for seat in seats}
        return list(found.values())

    def siblings(self, seat: Seat) -> Iterator[Seat]:
        """All seats of its Job."""
        return iter(self._in_job[seat.job])

    def makes_wait(self, seat: Seat) -> bool:
        """Whether a new Job has a pod sooner: after each pod that was taken away the controller waits for 10 s, then 20, 40, …

        A Job of other pods is kept, and one that a queue has admitted.
        """
        return len(self._in_job[seat.job]) == 1 and QUEUE not in self.jobs[seat.job]["metadata"].get("labels", {})

    def is_missed(self, job: str) -> bool:
        """Whether anybody would miss a Job. Asked at every end, so it goes on where it last found somebody."""
        seats, first = self._in_job[job], self._first_missed.get(job, 0)
        for at in chain(range(first, len(seats)), range(first)):
            if not self.is_done(seats[at]):
                self._first_missed[job] = at
                return True
        return False

    def is_done(self, seat: Seat) -> bool:
        """Whether nobody would miss the seat."""
        return seat.is_stopped or (not seat.hiring and not self._living(seat))

    def living_on(self, seat: Seat) -> list[Object]:
        """Pods of the seat that have not ended, as far as known."""
        return [self.pods[uid] for uid in self._living(seat)]

    def _living(self, seat: Seat) -> list[str]:
        return [uid for uid in self._on[seat.job, seat.index] if not self.has_ended(uid)]

    def will_replace(self, uid: str) -> bool:
        """Whether the Job makes another pod in this one's place, which has ended."""
        if uid in self._forgotten:
            return self._forgotten[uid]
        return is_replaced(self.pods[uid], is_gone=uid in self.gone)

    def job_of(self, pod: Object) -> Object | None:
        """The Job of a pod, as it is or was."""
        return self.jobs.get(place_of(pod)[0])

    def living(self, term: int | None = None) -> list[Object]:
        """Pods whose objects are there, of all terms or one."""
        return [pod for pod in self._here.values() if _is_of(pod, term)]

    def is_empty(self, term: int | None = None) -> bool:
        """Whether there are none of them; cheap, for whoever looks at every change."""
        return not any(_is_of(pod, term) for pod in self._here.values())


def workers_of(job: Object) -> list[str]:
    """Names that a Job's pods are told, by index."""
    about = job["metadata"]
    ranges = about.get("annotations", {}).get(WORKERS)
    try:
        found = read_ranges(ranges) if ranges else [about["labels"][WORKER]]
    except (KeyError, ValueError):
        return []  # Not of our making, or of another version's.
    return found if all(NAME.fullmatch(name) for name in found) else []


def slot_of(worker: str) -> int:
    """`w<slot>-<ordinal>`."""
    found = NAME.fullmatch(worker)
    return int(found[1]) if found is not None else -1


def is_replaced(pod: Object, *, is_gone: bool) -> bool:
    """Whether the Job's controller makes another one in its place, by our own rules (`jobs`)."""
    told = terminated(pod)
    if disruption_of(pod) or (is_gone and told is None):
        return True
    return told is not None and told.get("exitCode") in (FENCED, STOPPED)


def _is_of(pod: Object, term: int | None) -> bool:
    return term is None or pod["metadata"].get("labels", {}).get(TERM) == str(term)


def ended_indexes(job: Object) -> frozenset[int]:
    """Indexes of a Job that have succeeded or failed for good."""
    status = job.get("status", {})
    return frozenset(
        index for which in ("completedIndexes", "failedIndexes") for index in _indexes(status.get(which, ""))
    )


def _indexes(text: str) -> Iterator[int]:
    """`1,3-5`."""
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        yield from range(int(first), int(last or first) + 1)
