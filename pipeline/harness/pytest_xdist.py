"""What suites written for pytest-xdist look at (environment, `config.workerinput`, two fixtures); its options off.

`workerinput` appears only when the session starts: set earlier it makes plug-ins look for a master that is not there.
"""

from __future__ import annotations

import os
import socket
import uuid
from typing import Any

import pytest

_OFF: dict[str, Any] = {
    "numprocesses": 0,
    "maxprocesses": None,
    "dist": "no",
    "distload": False,
    "tx": [],
    "looponfail": False,
}


def export(options: dict[str, Any]) -> None:
    """Set the variables that workers of pytest-xdist have."""
    os.environ["PYTEST_XDIST_WORKER"] = f"gw{options.get('slot', 0)}"
    os.environ["PYTEST_XDIST_WORKER_COUNT"] = str(options.get("slots", 1))
    os.environ["PYTEST_XDIST_TESTRUNUID"] = options.setdefault("run", uuid.uuid4().hex)


def switch_off(config: Any) -> None:
    """Take back what addopts ask of pytest-xdist: the fleet spreads the tests."""
    for name, value in _OFF.items():
        if hasattr(config.option, name):
            setattr(config.option, name, value)


def pose_as_worker(config: Any, options: dict[str, Any]) -> None:
    """Give the configuration what pytest-xdist gives to a worker's."""
    config.workerinput = {
        "workerid": f"gw{options.get('slot', 0)}",
        "workercount": int(options.get("slots", 1)),
        "testrunuid": options["run"],
        "mainargv": list(options.get("args", ())),
        "cov_master_host": socket.gethostname(),
        "cov_master_topdir": os.getcwd(),
        "cov_master_rsync_roots": [],
    }
    config.workeroutput = {}


class Fixtures:
    """The fixtures of pytest-xdist, for when it is not installed."""

    @pytest.fixture(scope="session")
    def worker_id(self, request: Any) -> str:
        """The id of this worker."""
        return str(request.config.workerinput["workerid"])

    @pytest.fixture(scope="session")
    def testrun_uid(self, request: Any) -> str:
        """What all workers of one run share."""
        return str(request.config.workerinput["testrunuid"])
