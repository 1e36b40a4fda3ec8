"""When a worker's pod was asked for, got its node and its image, was started and ended, as far as the cluster still knows.

Times come from several machines' clocks, mostly in whole seconds: for people only. Events are kept for an hour or so, and
may be missing. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from pipeline.launchers.kubernetes.containers import WORKER
from pipeline.launchers.kubernetes.ends import (
    condition_of,
    disruption_of,
    end_of,
    end_of_deleted,
    has_ended,
    status_of,
    terminated,
)
from pipeline.ports.places import PlaceStory

Object = Mapping[str, Any]
PULLED: Final = re.compile(
    r"Successfully pulled image .* in (?P<pull>[0-9a-zµ.]+)(?: \((?P<whole>[0-9a-zµ.]+) including)?"
)
DURATION: Final = re.compile(r"([0-9.]+)(h|ms|µs|us|ns|m|s)")
UNITS: Final = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "µs": 1e-6, "us": 1e-6, "ns": 1e-9}


def story_of(
    pod: Object, events: Iterable[Object] = (), job: Object | None = None, *, is_gone: bool = False
) -> PlaceStory:
    """What is known of a pod; `is_gone`: this is the last that was seen of it."""
    uid = pod["metadata"].get("uid")
    pulls = [
        each for each in events if each.get("reason") == "Pulled" and each.get("involvedObject", {}).get("uid") == uid
    ]
    end = end_of_deleted(pod, job) if is_gone else end_of(pod, job)
    told = terminated(pod) or {}
    state = status_of(pod, WORKER).get("state", {})
    started = (state.get("running") or told).get("startedAt")
    scheduled = condition_of(pod, "PodScheduled")
    return PlaceStory(
        node=str(pod.get("spec", {}).get("nodeName", "")),
        asked=seconds_of(pod["metadata"].get("creationTimestamp")),
        scheduled=seconds_of(scheduled.get("lastTransitionTime")) if scheduled.get("status") == "True" else 0.0,
        pulled=max((_seen(each) for each in pulls), default=0.0),
        started=seconds_of(started),
        ended=seconds_of(told.get("finishedAt")) if has_ended(pod) else 0.0,
        pull_seconds=round(sum(_pull_seconds(str(each.get("message", ""))) for each in pulls), 3),
        cause=end.cause if end else "",
        disruption=end.disruption if end else disruption_of(pod, job),
        code=end.code if end else None,
        detail=end.detail if end else "",
    )


def seconds_of(told: object) -> float:
    """Seconds since the epoch of `2026-11-21T16:27:33Z` or finer; 0 for nothing, and for what never was (1970)."""
    try:
        return datetime.fromisoformat(str(told).replace("Z", "+00:00")).timestamp()
    except ValueError:
        return 0.0


def duration_seconds(text: str) -> float:
    """Of a duration as Go writes it: `1m2.5s`, `345ms`."""
    return sum(float(number) * UNITS[unit] for number, unit in DURATION.findall(text))


def _pull_seconds(message: str) -> float:
    found = PULLED.search(message)
    return duration_seconds(found["whole"] or found["pull"]) if found else 0.0


def _seen(event: Object) -> float:
    return seconds_of(event.get("eventTime") or event.get("firstTimestamp") or event.get("lastTimestamp"))
