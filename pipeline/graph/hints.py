"""Words for habits that would mislead: what doit's options mean here, where other tools taught otherwise.

Only texts; who prints them is another matter.
"""

from __future__ import annotations

from collections.abc import Sequence

WORKERS = "doit-fleet: -n runs several doit tasks at once; for test workers say workers.count={number}\n"


def explain_parse_error(message: str, arguments: Sequence[str]) -> str:
    """doit's message for options it cannot parse, without the dump of its tables, with a hint where one helps."""
    short = message.partition(" (parsing options")[0].strip()
    if "verbosity" in short or "option -v " in short:
        return f"{short}\n  hint: -v wants a number: -v 2 says why each task runs"
    if "num_process" in short or "option -n " in short:
        return f"{short}\n  hint: -n wants a number of doit tasks; for test workers say workers.count=4"
    if "-k" in arguments:
        return f"{short}\n  hint: -k looks for dodo.py in the folders above; to choose tests say select=<expression>"
    return short
