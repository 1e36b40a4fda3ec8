"""Compare plain pytest with two harnesses, test by test: `python -m tests.harness_pytest.compare FOLDER [options]`.

Options: `--python PATH`, `--seeds N`, and after `--` the arguments for pytest. Exit 1 when there is a difference.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.harness_pytest.driving import clean_environment
from tests.harness_pytest.fleet import Fleet

FIELDS = ("verdict", "phases", "xfail", "exception", "properties")


def plain_records(folder: Path, args: Sequence[str], python: str) -> dict[str, Any]:
    """What plain pytest says of each test."""
    with tempfile.NamedTemporaryFile(suffix=".json") as output:
        subprocess.run(
            [python, str(Path(__file__).with_name("plain.py")), output.name, *args],
            cwd=folder,
            env=clean_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            check=False,
        )
        return dict(json.loads(Path(output.name).read_text()))


def simplified(result: dict[str, Any]) -> dict[str, Any]:
    """A harness's result in the words of the plain record."""
    is_xfail = result["verdict"] in ("xfailed", "xpassed")
    return {
        "verdict": result["verdict"],
        "phases": [[phase["when"], phase["outcome"]] for phase in result.get("phases", ())],
        "xfail": result.get("message", "") if is_xfail else "",
        "exception": result.get("exception", ""),
        "properties": result.get("properties", []),
    }


def differences(plain: dict[str, Any], fleet: Fleet) -> list[str]:
    """One line per test that is not the same."""
    expected = {(each["native"], each["occurrence"]): each for each in plain["records"]}
    seen = {(native, occurrence): simplified(result) for (_, native, occurrence), result in fleet.results.items()}
    lines = [f"only plain: {key}" for key in expected if key not in seen]
    lines += [f"only fleet: {key} {seen[key]}" for key in seen if key not in expected]
    for key, record in expected.items():
        for field in FIELDS:
            mine, theirs = seen.get(key, record)[field], record[field]
            if field == "xfail":
                mine, theirs = mine[:1000], (theirs.splitlines() or [""])[0][:1000].strip()
            if mine != theirs and not (field == "xfail" and seen[key]["verdict"] not in ("xfailed", "xpassed")):
                lines.append(f"{key}: {field}: plain {theirs!r}, fleet {mine!r}")
    errors = sorted({native for native, _ in fleet.errors})
    if sorted(set(plain["errors"])) != errors:
        lines.append(f"collection errors: plain {sorted(set(plain['errors']))}, fleet {errors}")
    return lines


def main(argv: Sequence[str]) -> int:
    """Print each seed's differences."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--seeds", type=int, default=3)
    own, args = (argv, []) if "--" not in argv else (argv[: argv.index("--")], argv[argv.index("--") + 1 :])
    options = parser.parse_args(own)
    plain = plain_records(options.folder, args, options.python)
    found = 0
    for seed in range(1, options.seeds + 1):
        fleet = Fleet(options.folder, args, python=options.python, seed=seed).run()
        lines = differences(plain, fleet)
        found += len(lines)
        print(f"seed {seed}: {len(plain['records'])} tests, {len(lines)} differences, whole={fleet.whole!r}")
        print("".join(f"  {line}\n" for line in lines[:40]), end="")
        print("".join(f"  log: {line}\n" for line in fleet.logs[:10]), end="")
    return int(found > 0)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
