"""How a relay gets onto a host: one constant command for whatever login shell, and what is then sent to its standard input.

First a line with the path of an interpreter (or an empty one), then a line of Python, then a line of JSON: the order. The
harness folder follows only where the host does not have it, by digest. Knows no processes.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from functools import cache
from pathlib import Path
from typing import Any

import pipeline.harness

MARKER = "doit-fleet-relay:"
NO_PYTHON = f"{MARKER}no-python"
LEAST = (3, 8)
"""The oldest Python that the harness runs in."""

COMMAND = (
    "exec /bin/sh -c 'IFS= read -r p; "
    'for c in "$p" python3 /usr/bin/python3 /usr/local/bin/python3 /opt/homebrew/bin/python3; do '
    'if command -v "$c" >/dev/null 2>&1 && '
    f'x=`"$c" -I -S -c "import sys; print(sys.executable or sys.argv[1]); sys.exit(sys.version_info < {LEAST})" "$c" '
    "</dev/null 2>/dev/null`; "
    'then exec "$x" -I -u -c "import sys; exec(sys.stdin.buffer.readline())"; fi; done; '
    f"echo {NO_PYTHON}; exit 127'"
)
"""Read alike by sh, bash, dash, zsh, csh, tcsh and fish: one pair of single quotes, in them no quote, `!`, backslash or line end.

What is asked for its version says where it is, too: `python3` is often a script that takes long to find out which one to start."""

SOURCE = """\
import hashlib, importlib.util, json, os, shutil, sys, tempfile, zlib
given = sys.stdin.buffer
order = json.loads(given.readline())
out = os.dup(1)
os.dup2(2, 1)
def say(**told):
    line = "\\n" + order["marker"] + json.dumps(told) + "\\n"
    data = line.encode("ascii")
    while data:
        data = data[os.write(out, data):]
def digest_of(folder):
    total = hashlib.sha256()
    for name in sorted(name for name in os.listdir(folder) if name.endswith(".py")):
        with open(os.path.join(folder, name), "rb") as file:
            total.update(name.encode() + b"\\0" + hashlib.sha256(file.read()).digest())
    return total.hexdigest()
def has(folder):
    try:
        return digest_of(folder) == order["digest"]
    except OSError:
        return False
def unpack(folder):
    say(want=True)
    files = json.loads(zlib.decompress(given.read(order["size"])))
    os.makedirs(os.path.dirname(folder), mode=0o700, exist_ok=True)
    fresh = tempfile.mkdtemp(dir=os.path.dirname(folder), prefix=".")
    for name, text in files.items():
        with open(os.path.join(fresh, name), "w", encoding="utf-8", newline="") as file:
            file.write(text)
    old = tempfile.mkdtemp(dir=os.path.dirname(folder), prefix=".")
    try:
        if os.path.isdir(folder) and not has(folder):
            os.rename(folder, old)
        if not has(folder):
            os.rename(fresh, folder)
    except OSError:
        if not has(folder):
            raise
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)
cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
base = os.path.expanduser(order["folder"]) if order["folder"] else os.path.join(cache, "doit-fleet", "host")
folder = os.path.join(base, "harness", order["digest"])
try:
    if not has(folder):
        unpack(folder)
    os.utime(folder)
except OSError as error:
    say(failed="folder", text=error.strerror, errno=error.errno, where=error.filename or base)
    sys.exit(1)
spec = importlib.util.spec_from_file_location("_doit_fleet_harness", folder + "/__init__.py",
                                              submodule_search_locations=[folder])
sys.modules[spec.name] = importlib.util.module_from_spec(spec)
from _doit_fleet_harness.relay_start import start
start(order, base, say, out)
"""


def opening(python: str, order: dict[str, Any]) -> bytes:
    """What is sent first; `order` is completed with what names the harness."""
    digest, packed = harness()
    head = {**order, "digest": digest, "size": len(packed)}
    first = python if python.startswith("/") and "\n" not in python else ""
    return f"{first}\nexec({json.dumps(SOURCE)})\n{json.dumps(head)}\n".encode()


@cache
def harness() -> tuple[str, bytes]:
    """The digest of the harness folder, and the folder packed."""
    folder = Path(pipeline.harness.__file__).parent
    total, files = hashlib.sha256(), {}
    for path in sorted(folder.glob("*.py"), key=lambda path: path.name):
        content = path.read_bytes()
        files[path.name] = content.decode("utf-8")
        total.update(path.name.encode() + b"\0" + hashlib.sha256(content).digest())
    return total.hexdigest(), zlib.compress(json.dumps(files).encode("ascii"))
