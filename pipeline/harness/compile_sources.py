"""Byte-compile sources with the project's own Python and say which ones are no valid syntax: run as a file.

Standard library only, Python 3.8 syntax. Must not import anything of ours.
Input: paths, one JSON string a line. Output: one JSON object `{"compiled": n, "broken": [[path, line, text], …]}`.
"""

import importlib.util
import json
import os
import py_compile
import sys
import tokenize
import warnings
from typing import Optional, Tuple


def is_fresh(path: str) -> bool:
    """Whether the byte-code beside `path` belongs to it, by the time and size that the import system compares."""
    try:
        with open(importlib.util.cache_from_source(path), "rb") as file:
            head = file.read(16)
        status = os.stat(path)
    except (OSError, NotImplementedError):
        return False
    magic, flags = head[:4], head[4:8]
    expected = int(status.st_mtime) & 0xFFFFFFFF, status.st_size & 0xFFFFFFFF
    found = int.from_bytes(head[8:12], "little"), int.from_bytes(head[12:16], "little")
    return magic == importlib.util.MAGIC_NUMBER and flags == b"\0\0\0\0" and expected == found


def check(path: str) -> Optional[Tuple[int, str]]:
    """Compile `path`; the line and text of its fault, or None. What cannot be read or written is no fault."""
    try:
        if sys.dont_write_bytecode:
            with tokenize.open(path) as file:
                compile(file.read(), path, "exec", dont_inherit=True)
        else:
            py_compile.compile(path, doraise=True)
    except py_compile.PyCompileError as error:
        return place(error.exc_value)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return place(error)
    except OSError:
        return None
    return None


def place(error: BaseException) -> Tuple[int, str]:
    """(line, text) of a fault."""
    return getattr(error, "lineno", None) or 0, str(getattr(error, "msg", None) or error)


def main() -> None:
    """Read paths, compile what is not fresh, print the outcome."""
    warnings.simplefilter("ignore")
    compiled, broken = 0, []
    for line in sys.stdin:
        path = json.loads(line)
        if is_fresh(path):
            continue
        fault = check(path)
        compiled += 1
        if fault:
            broken.append([path, fault[0], fault[1]])
    print(json.dumps({"compiled": compiled, "broken": broken}))


if __name__ == "__main__":
    main()
