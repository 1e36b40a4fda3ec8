"""Whether two runs of the same tests came to the same verdicts: `python -m tests.engines.same_verdicts build/reports build/docker`.

Reads `ctrf.json` of two folders of reports. A test may differ only if the second run skipped it because it cannot run in a
container (`tests.engines.only_outside`); each of these is named with its reason. 0: the same, 1: not, 2: a report is missing.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from attrs import frozen

from tests.engines import ONLY_OUTSIDE, ONLY_OUTSIDE_PODS

PART = "--part"


@frozen(kw_only=True)
class Told:
    """What a report tells of a test."""

    verdict: str
    message: str = ""

    @property
    def is_only_outside(self) -> bool:
        """Whether it was skipped because it cannot run there."""
        return self.verdict == "skipped" and any(said in self.message for said in (ONLY_OUTSIDE, ONLY_OUTSIDE_PODS))


def read(folder: Path) -> dict[str, Told]:
    """Verdicts by test. Raises OSError, ValueError, KeyError."""
    tests = json.loads((folder / "ctrf.json").read_text("utf-8"))["results"]["tests"]
    return {
        "::".join([*test.get("suite", ()), test["name"]]): Told(
            verdict=test.get("rawStatus") or test["status"], message=test.get("message") or ""
        )
        for test in tests
    }


def folder_of(name: str) -> str:
    """The first two folders of the test's file."""
    return "/".join(name.split("::")[1].split("/")[:-1][:2])


def differences(first: Mapping[str, Told], second: Mapping[str, Told]) -> list[str]:
    """A line for each test whose verdicts differ without a reason that counts."""
    absent = Told(verdict="absent")
    lines = []
    for name in sorted({*first, *second}):
        here, there = first.get(name, absent), second.get(name, absent)
        if here.verdict != there.verdict and not there.is_only_outside:
            why = (there.message or here.message).partition("\n")[0]
            lines.append(f"{name}: {here.verdict} / {there.verdict}" + (f" ({why})" if why else ""))
    return lines


def main(arguments: Sequence[str]) -> int:
    """Print what differs, and how many are equal. With `--part`, the second run may have been without whole folders."""
    folders = [Path(argument) for argument in arguments if argument != PART]
    try:
        first, second = (read(folder) for folder in folders)
    except (OSError, ValueError, KeyError) as error:
        print(f"no verdicts to compare: {error!r}", file=sys.stderr)
        return 2
    if PART in arguments:
        there = set(map(folder_of, second))
        without = Counter(folder for folder in map(folder_of, first) if folder not in there)
        print(
            "not run there: " + (", ".join(f"{folder} ({count:,})" for folder, count in without.items()) or "nothing")
        )
        first = {name: told for name, told in first.items() if folder_of(name) in there}
    found = differences(first, second)
    outside = {name: told for name, told in second.items() if told.is_only_outside}
    for reason, count in Counter(told.message for told in outside.values()).items():
        names = [name for name, told in outside.items() if told.message == reason]
        print(f"{count} run {reason}", *(f"  {name}" for name in names), sep="\n")
    equal = len({*first, *second}) - len(found) - len(outside)
    print(f"{equal:,} of {len({*first, *second}):,} tests have the same verdict in {' and '.join(map(str, folders))}")
    if found or not equal:
        print(f"{len(found):,} differ:", *(f"  {line}" for line in found), sep="\n")
    return 1 if found or not equal else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
