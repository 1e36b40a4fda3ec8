"""Process 1: it hands signals on, reaps whatever ends, and exits as the supervisor does."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

PROGRAM = """\
import ctypes, os, signal, sys, time
from pipeline.worker.init import watch

PR_SET_CHILD_SUBREAPER = 36  # Orphans fall to this process, as they do to process 1.
ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

def work():
{work}

sys.exit(watch(work))
"""


def run(work: str) -> subprocess.Popen[bytes]:
    """The first process around that work."""
    program = PROGRAM.format(work="\n".join(f"    {line}" for line in work.splitlines()))
    return subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE)


@pytest.mark.parametrize(
    ("work", "code"),
    [
        ("return 0", 0),
        ("return 65", 65),
        ("sys.exit(7)", 7),
        ("raise ValueError('x')", 70),
        ("os.kill(os.getpid(), signal.SIGKILL)", 137),
    ],
)
def test_it_exits_as_its_work_does(work: str, code: int) -> None:
    """A status as it is, a signal as 128 plus its number."""
    process = run(work)
    process.communicate(timeout=20)

    assert process.returncode == code


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1])
def test_signals_reach_the_work(number: int) -> None:
    """The work decides what a signal means."""
    process = run(
        "for n in (1, 2, 10, 15):\n"
        "    signal.signal(n, lambda number, frame: os._exit(100 + number))\n"
        "print('ready', flush=True)\n"
        "while True:\n"
        "    time.sleep(0.1)"
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(number)
    process.communicate(timeout=20)

    assert process.returncode == 100 + number


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="process states are read from /proc")
def test_what_ends_is_reaped() -> None:
    """Orphans that fall to the first process do not stay as zombies, and do not end it."""
    process = run(
        "for _ in range(20):\n"
        "    if os.fork() == 0:\n"
        "        if os.fork() == 0:\n"
        "            time.sleep(0.05)\n"
        "        os._exit(0)\n"
        "    os.wait()\n"
        "time.sleep(0.5)\n"
        "parent = os.getppid()\n"
        "states = []\n"
        "for p in filter(str.isdigit, os.listdir('/proc')):\n"
        "    try:\n"
        "        states.append(open(f'/proc/{p}/stat').read().rpartition(')')[2].split())\n"
        "    except (FileNotFoundError, ProcessLookupError):\n"
        "        pass  # Others' end all the time.\n"
        "print(sum(s[0] == 'Z' and int(s[1]) == parent for s in states), flush=True)\n"
        "return 5"
    )
    out, _ = process.communicate(timeout=20)

    assert (out.strip(), process.returncode) == (b"0", 5)
