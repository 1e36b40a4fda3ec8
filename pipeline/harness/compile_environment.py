"""Byte-compile sources for a place where they are not yet: run as a file by an interpreter of the same version.

Writes files in `__pycache__` that are never checked against their source (https://peps.python.org/pep-0552/) and whose
bytes depend on nothing but source, path and interpreter. Standard library only, Python 3.8 syntax.
Input: one JSON array `[source, path in the image]` a line. Output: how many were written. What is no valid syntax is left out.
"""

import importlib.util
import json
import marshal
import os
import sys
import types
import warnings
from typing import Any, List

UNCHECKED = (1).to_bytes(4, "little")
ATTRIBUTES = (
    "co_consts", "co_names", "co_varnames", "co_freevars", "co_cellvars", "co_filename", "co_name", "co_qualname",
    "co_linetable", "co_lnotab", "co_exceptiontable", "co_code",
)  # fmt: skip


def hold(value: Any, held: List[Any]) -> None:
    """Keep a reference to a code object and all in it.

    `marshal` writes an object that only one other refers to in another form; who else happens to refer to a name
    depends on what was compiled before, and must not show.
    """
    held.append(value)
    if isinstance(value, types.CodeType):
        for name in ATTRIBUTES:
            if name != "co_lnotab" or sys.version_info < (3, 10):
                hold(getattr(value, name, None), held)
    elif isinstance(value, (tuple, frozenset)):
        for item in value:
            hold(item, held)


def compile_one(source: str, path: str) -> bool:
    """Write the byte-code beside a source; False when it is no valid syntax."""
    with open(source, "rb") as file:
        text = file.read()
    try:
        code = compile(text, path, "exec", dont_inherit=True, optimize=0)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    held: List[Any] = []
    hold(code, held)
    data = importlib.util.MAGIC_NUMBER + UNCHECKED + importlib.util.source_hash(text) + marshal.dumps(code)
    folder, name = os.path.split(source)
    target = os.path.join(folder, "__pycache__", "%s.%s.pyc" % (name[:-3], sys.implementation.cache_tag))
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with open(target, "wb") as file:
        file.write(data)
    return True


def main() -> None:
    """Read pairs, compile, print how many."""
    warnings.simplefilter("ignore")
    print(sum(compile_one(*json.loads(line)) for line in sys.stdin))


if __name__ == "__main__":
    main()
