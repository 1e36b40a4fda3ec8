"""`python -m tests.engines start|stop|status|logs|wipe [NAME…|all]`: the engines that tests use, shared by all test processes."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from tests.engines import images, own, places
from tests.engines.engines import ENGINES
from tests.engines.errors import EngineTrouble
from tests.engines.registries import PlainRegistry

IMAGES = "images"
NAMES = (*ENGINES, IMAGES)


def start(name: str) -> str:
    """Start one, or make and push the images."""
    if name == IMAGES:
        registry = PlainRegistry()
        registry.start()
        return "in the registry: " + ", ".join(images.pushed(recipe, registry) for recipe in images.ALL)
    engine = ENGINES[name]()
    began = time.monotonic()
    record = engine.start()
    where = record.facts.get("host") or record.facts.get("url") or record.facts.get("address")
    whose = "" if record.processes else " (was there already, not ours)"
    return f"runs at {where}{whose}, {time.monotonic() - began:.1f} s"


def stop(name: str) -> str:
    """Stop one."""
    if name != IMAGES:
        ENGINES[name]().stop()
    return "stopped" if name != IMAGES else "stay in the registry"


def wipe(name: str) -> str:
    """Stop one and remove what it stored."""
    if name != IMAGES:
        ENGINES[name]().discard()
    return "removed" if name != IMAGES else "go with the registry"


def status(name: str) -> str:
    """Whether it runs, and where."""
    if name == IMAGES:
        have = [recipe.name for recipe in images.ALL if recipe.layer.exists()]
        return f"made: {', '.join(have) or 'none'}"
    engine = ENGINES[name]()
    found = engine.record
    if found is None:
        return "does not run"
    facts = " ".join(f"{key}={value}" for key, value in found.facts.items())
    pids = " ".join(str(who.pid) for who in found.processes)
    return f"{'healthy' if engine.is_healthy() else 'does not answer'}: {facts}" + (f" (pid {pids})" if pids else "")


def logs(name: str) -> str:
    """The end of its log, and where the whole is."""
    if name == IMAGES:
        return "no log"
    engine = ENGINES[name]()
    return f"{engine.log}\n{engine.last_words(40)}"


DONE: dict[str, Callable[[str], str]] = {"start": start, "stop": stop, "status": status, "logs": logs, "wipe": wipe}


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(
        prog="python -m tests.engines", description=__doc__, epilog=f"They live in {places.home()}."
    )
    commands = made.add_subparsers(dest="command", required=True)
    for name, function in DONE.items():
        command = commands.add_parser(name, help=function.__doc__, description=function.__doc__)
        command.add_argument(
            "names",
            nargs="*",
            choices=(*NAMES, "all", []),
            metavar="NAME",
            help=f"one of {', '.join(NAMES)}, all",
        )
    return made


def chosen(names: Sequence[str]) -> tuple[str, ...]:
    """Which are meant."""
    return tuple(dict.fromkeys(names)) if names and "all" not in names else NAMES


def main(arguments: Sequence[str]) -> int:
    """Do it to each, several at once; 0 when all went well."""
    options = parser().parse_args(arguments)
    if options.command in ("stop", "wipe"):
        own.sweep()
    names = chosen(options.names)
    with ThreadPoolExecutor(len(names)) as pool:
        tried = [(name, pool.submit(DONE[options.command], name)) for name in names]
        failed = False
        for name, future in tried:
            try:
                print(f"{name}: {future.result()}", flush=True)
            except EngineTrouble as trouble:
                failed = True
                print(f"{name}: {trouble}", file=sys.stderr, flush=True)
    return 2 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
