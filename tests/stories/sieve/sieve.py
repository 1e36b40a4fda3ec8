"""Stands for Sieve: learns plans for controllers, and tests one plan; a controller says itself which plans find a bug in it."""

import argparse
import json
import pathlib
import sys

PATTERNS = ("intermediate-state", "stale-state", "unobserved-state")


def learn(controllers: str, plans: str) -> int:
    """Write a plan for each controller and pattern."""
    for file in sorted(pathlib.Path(controllers).glob("*.json")):
        for pattern in PATTERNS:
            folder = pathlib.Path(plans, file.stem)
            folder.mkdir(parents=True, exist_ok=True)
            plan = {"controller": file.stem, "pattern": pattern, "bug": pattern in json.loads(file.read_text())["bugs"]}
            (folder / f"{pattern}.json").write_text(json.dumps(plan, sort_keys=True) + "\n")
    return 0


def test(plan: str, into: str) -> int:
    """Try one plan; 1 when it has found something."""
    told = json.loads(pathlib.Path(plan).read_text())
    print(f"injecting {told['pattern']} into {told['controller']}")
    errors = [f"{told['controller']} differs from its oracle"] if told["bug"] else []
    result = {"injection_completed": True, "workload_completed": True, "number_errors": len(errors), "errors": errors}
    pathlib.Path(into, "result.json").write_text(json.dumps({told["controller"]: {told["pattern"]: result}}))
    print("\n".join(errors))
    return 1 if errors else 0


parser = argparse.ArgumentParser()
commands = parser.add_subparsers(dest="command")
learning = commands.add_parser("learn")
learning.add_argument("controllers")
learning.add_argument("plans")
testing = commands.add_parser("test")
testing.add_argument("plan")
testing.add_argument("--cluster")
testing.add_argument("--into")
asked = parser.parse_args()
sys.exit(learn(asked.controllers, asked.plans) if asked.command == "learn" else test(asked.plan, asked.into))
