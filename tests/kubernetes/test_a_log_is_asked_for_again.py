"""What a worker has printed is kept although its node does not answer at once."""

from __future__ import annotations

import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from attrs import define, field

from pipeline.adapters.kubernetes_api import KubernetesApi
from pipeline.adapters.kubernetes_client import KubernetesClient
from pipeline.launchers.kubernetes.objects import ClusterObjects

LOG = b"worker w0-1 begins\n"


@define
class Answers:
    """A client whose requests meet these statuses, one after the other."""

    statuses: list[int] = field()

    def send(self, *asked: Any) -> SimpleNamespace:
        """The next answer."""
        status = self.statuses.pop(0)
        return SimpleNamespace(status=status, data=LOG if status == 200 else b"busy")


def kept(statuses: list[int], target: Path) -> str:
    """What is told of the end of a log whose node answers so."""
    client = cast(KubernetesClient, Answers(statuses))
    return ClusterObjects(KubernetesApi(client), "here", threading.Event()).save_log("pod", target)


def test_a_node_that_is_busy_is_asked_again(tmp_path: Path) -> None:
    """Its log is kept all the same."""
    assert kept([503, 200], tmp_path / "pod.log") == LOG.decode().strip()
    assert (tmp_path / "pod.log").read_bytes() == LOG


def test_a_log_that_nobody_has_is_no_error(tmp_path: Path) -> None:
    """It is asked for once, and nothing is kept."""
    assert kept([404], tmp_path / "pod.log") == ""
    assert not (tmp_path / "pod.log").exists()
