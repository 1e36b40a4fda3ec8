"""A clock that is wrong, for whatever runs in one pod: a library that is loaded before others and moves the time of day.

Namespaces cannot do it (time_namespaces(7) move only the monotonic clocks, which stay as they are here). libfaketime 0.9.10 of
Debian makes Python's `time.sleep` fail.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

from tests.engines import places, require

SOURCE = r"""
struct span { long seconds, rest; };
extern char *getenv(const char *);
extern long atol(const char *), syscall(long, ...);
#if defined(__x86_64__)
#define CLOCK_GETTIME 228
#elif defined(__aarch64__)
#define CLOCK_GETTIME 113
#endif

int clock_gettime(int which, struct span *now)
{
    long failed = syscall(CLOCK_GETTIME, which, now);
    const char *shift = getenv("WRONG_BY_SECONDS");
    if (!failed && shift && (which == 0 || which == 5)) /* CLOCK_REALTIME and _COARSE */
        now->seconds += atol(shift);
    return (int)failed;
}

int gettimeofday(struct span *now, void *zone)
{
    int failed = now ? clock_gettime(0, now) : 0;
    if (now) now->rest /= 1000;
    return failed;
}

long time(long *kept)
{
    struct span now = {0, 0};
    clock_gettime(5, &now);
    if (kept) *kept = now.seconds;
    return now.seconds;
}
"""
NAME = "wrong_clock.so"


def library() -> Path:
    """The folder with the library, made where there is a compiler; else the test is skipped, or fails where all is required."""
    folder = places.home() / "built" / f"wrong-clock-{hashlib.sha256(SOURCE.encode()).hexdigest()[:16]}"
    if not (folder / NAME).exists():
        compiler = require(shutil.which("gcc") or shutil.which("cc"), "no C compiler: apt-get install gcc")
        with places.locked(folder):
            fresh = folder / f".{NAME}"
            argv = [compiler, "-shared", "-fPIC", "-O1", "-fno-builtin", "-nostdlib", "-x", "c", "-", "-o", str(fresh)]
            subprocess.run(argv, input=SOURCE, text=True, check=True)
            fresh.rename(folder / NAME)
    return folder


def environment(place: str, seconds: int) -> dict[str, str]:
    """Variables of a container that has the folder mounted there."""
    return {"LD_PRELOAD": f"{place}/{NAME}", "WRONG_BY_SECONDS": str(seconds)}
