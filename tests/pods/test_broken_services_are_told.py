"""A service that ends, or is never ready, is started anew by the kubelet for ever; we say so, and when to give up."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.launchers.kubernetes.pending import why_waiting


def pod(restarts: int, *, started: bool = False, state: str = "waiting") -> dict[str, Any]:
    """A pod whose service has ended so many times."""
    ended = {"exitCode": 3, "message": "no such file: /etc/cache.conf"}
    service = {
        "name": "service-cache",
        "restartCount": restarts,
        "started": started,
        "state": {state: {"reason": "CrashLoopBackOff"}},
        "lastState": {"terminated": ended} if restarts else {},
    }
    scheduled = {"type": "PodScheduled", "status": "True"}
    status = {"phase": "Pending", "conditions": [scheduled], "initContainerStatuses": [service]}
    return {"metadata": {"name": "p", "uid": "u"}, "spec": {"nodeName": "n"}, "status": status}


@pytest.mark.parametrize(("restarts", "hopeless"), [(1, None), (2, 0.0), (7, 0.0)])
@pytest.mark.parametrize("state", ["waiting", "running"])
def test_a_second_failed_start_is_one_too_many(restarts: int, hopeless: float | None, state: str) -> None:
    """With what the service printed last; whether it is just being started once more makes no difference."""
    told = why_waiting(pod(restarts, state=state), None, [])

    assert told is not None
    assert (told.reason, told.hopeless_after) == ("service", hopeless)
    assert "service 'cache' did not become ready, and ended with status 3: no such file" in told.text


def test_a_service_that_runs_holds_nothing_up() -> None:
    """Though it was started twice."""
    told = why_waiting(pod(2, started=True, state="running"), None, [])

    assert told is None or told.is_ordinary
