"""The project under attack: the text of each attacker, the verdict it deserves, and a hundred innocents.

Attackers share files with innocents, so that whoever harms a neighbour is seen. Knows nothing of doit-fleet.
"""

from __future__ import annotations

from textwrap import dedent

HEAD = """
import ctypes, os, pytest, resource, signal, subprocess, sys, threading, time
"""

ATTACKS: dict[str, tuple[str, str]] = {
    "writes_to_descriptors": (
        "passed",
        """
        libc = ctypes.CDLL(None)
        libc.write(1, b"from C\\n", 7)
        libc.write(2, b"\\xff\\xfe\\x00\\x1b[31m", 8)
        libc.puts(b"buffered in C")
        """,
    ),
    "closes_descriptors": ("passed", "os.closerange(0, 3)"),
    "prints_100_mb": (
        "failed",
        """
        piece = "x" * 1023 + "\\n"
        for _ in range(100):
            sys.stdout.write(piece * 1024)
        assert 0, "loud"
        """,
    ),
    "prints_no_text": (
        "failed",
        """
        os.write(1, bytes(range(256)) * 64)
        sys.stdout.write("\\ud800 \\x00 ::error::inert ]]> \\x1b]0;title\\x07")
        assert 0, "no text"
        """,
    ),
    "changes_folder": (
        "passed",
        """
        gone = tmp_path / "gone"
        gone.mkdir()
        os.chdir(gone)
        gone.rmdir()
        """,
    ),
    "clears_environment": ("passed", "os.environ.clear()"),
    "changes_umask": ("passed", "os.umask(0o077)"),
    "lowers_limits": (
        "passed",
        """
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
        """,
    ),
    "installs_handlers": (
        "passed",
        """
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD, signal.SIGALRM, signal.SIGUSR1, signal.SIGPIPE):
            signal.signal(number, signal.SIG_IGN)
        signal.alarm(1)
        """,
    ),
    "starts_daemon": (
        "passed",
        """
        subprocess.Popen(["sleep", "1000"], start_new_session=True)
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                time.sleep(1000)
            os._exit(0)
        """,
    ),
    "leaves_thread": ("passed", "threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()"),
    "forks_and_returns": (
        "passed",
        """
        if os.fork():
            os.wait()
        """,
    ),
    "raises_system_exit": ("failed", "raise SystemExit(3)"),
    "raises_interrupt": ("failed", "raise KeyboardInterrupt"),
    "ends_session": ("failed", "pytest.exit('enough', 0)"),
    "overflows_python_stack": ("failed", "f = lambda: f()\nf()"),
    "exits": ("crashed", "os._exit(0)"),
    "segfaults": ("crashed", "ctypes.string_at(0)"),
    "overflows_c_stack": (
        "crashed",
        """
        sys.setrecursionlimit(10**9)
        class Endless:
            def __repr__(self): return repr([self])
        try:
            repr(Endless())
        except RecursionError:  # Newer interpreters count the C stack too.
            os.abort()
        """,
    ),
    "kills_itself": ("crashed", "os.kill(os.getpid(), signal.SIGABRT)"),
    "eats_memory": (
        "failed",
        """
        used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + (1 << 26), resource.getrlimit(resource.RLIMIT_AS)[1]))
        try:
            eaten = [bytearray(1 << 22) for _ in range(100)]
        finally:
            resource.setrlimit(resource.RLIMIT_AS, (-1, resource.getrlimit(resource.RLIMIT_AS)[1]))
        """,
    ),
    "hangs": ("timed-out", "time.sleep(1000)"),
    "hangs_deaf": ("timed-out", "signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 32))\nwhile True: pass"),
}
"""Body of the test by its name, and its verdict."""

INNOCENT_FILES, INNOCENTS_PER_FILE = 5, 16
BESIDE = 20
"""Innocents in the attackers' own files."""
INNOCENT = """
import os, pytest, resource, sys
@pytest.mark.parametrize("n", range({count}))
def test_innocent(n, tmp_path, capfd):
    (tmp_path / "file").write_text("mine")
    assert (tmp_path / "file").read_text() == "mine"
    print("heard", n)
    os.write(2, b"heard too")
    assert capfd.readouterr() == (f"heard {{n}}\\n", "heard too")
"""


def files() -> dict[str, str]:
    """Texts of the project's files by name."""
    made = {f"test_innocent_{n}.py": INNOCENT.format(count=INNOCENTS_PER_FILE) for n in range(INNOCENT_FILES)}
    attackers = list(ATTACKS.items())
    for half in range(2):
        tests = [attack(name, body) for name, (_, body) in attackers[half::2]]
        made[f"test_attack_{half}.py"] = HEAD + "\n".join(tests) + INNOCENT.format(count=BESIDE // 2)
    return made


def attack(name: str, body: str) -> str:
    """The text of one attacker."""
    lines = dedent(body).strip().splitlines()
    return f"def test_{name}(tmp_path):\n" + "".join(f"    {line}\n" for line in lines)
