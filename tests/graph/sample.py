"""A tiny composition, loaded by real doit processes: it logs which factories were called and which actions ran."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.errors import FleetError, TestsFailed, UntrustworthyRun, UsageError
from pipeline.graph.catalog import Catalog
from pipeline.graph.composition import Composition
from pipeline.graph.loader import CatalogLoader
from pipeline.graph.stop import Stop
from pipeline.graph.task import Action, Handle, Param, TaskSpec

DIALS = {"workers.count": "2", "fail": "", "hang": ""}


def log(kind: str, name: str) -> None:
    """Append one line to the log that tests read."""
    with open(os.environ["SAMPLE_LOG"], "a", encoding="utf-8") as file:
        file.write(f"{kind} {name}\n")


def act(name: str, dials: Mapping[str, str], stop: Stop) -> dict[str, Any]:
    """Say that it ran; fail or hang if that was asked for."""
    log("ran", name)
    if dials["hang"] == name:
        import asyncio

        asyncio.run(_until(stop))
        stop.check()
    failures: dict[str, FleetError] = {
        "red": TestsFailed("2 tests failed"),
        "broken": UntrustworthyRun("no verdict", hint="look there"),
    }
    wanted, _, failure = dials["fail"].partition(":")
    if wanted == name:
        raise failures[failure]
    return {"output": Path("sources").read_text(encoding="utf-8") if name == "collect" else name}


async def _until(stop: Stop) -> None:
    import asyncio  # As in the real thing, nothing heavy at the start.

    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    with stop.calling(lambda number: loop.call_soon_threadsafe(told.set)):
        log("hanging", "")
        await told.wait()
    log("heard", str(stop.signal_number))


def stuck(name: str) -> None:
    """Take no notice of anything."""
    log("hanging", name)
    time.sleep(60)


def sources() -> dict[str, str | dict[str, str]]:
    """The digest of the sample's inputs."""
    return {"sources": {"sources": Path("sources").read_text(encoding="utf-8")}, "python": "3"}


def again(name: str) -> None:
    """Say a result again."""
    print(f"{name} as before")


def show(names: list[str], json_output: bool) -> None:
    """Answer, as a task that informs."""
    print(str(names).replace("'", '"') if json_output else " ".join(names))


class Fleet(NamedTuple):
    """What `configure(fleet)` gets."""

    tasks: Catalog
    dials: dict[str, str]


class SampleLoader(CatalogLoader):
    """A loader with a catalog of its own."""

    def compose(self, start: Path, arguments: Mapping[str, str]) -> Composition:
        log("composed", start.name)
        for name in arguments:
            if "." in name and name not in DIALS:
                raise UsageError(f"there is no setting {name!r}")
        dials = {**DIALS, **{name: value for name, value in arguments.items() if name in DIALS}}
        catalog = Catalog()
        fill(catalog, dials)
        return Composition(
            clear=partial(log, "cleared", "terminal"),
            catalog=catalog,
            fleet=Fleet(catalog, dials),
            leftover={name: value for name, value in arguments.items() if name not in DIALS},
            doit_config={"default_tasks": ["gather"]},
        )


def fill(catalog: Catalog, dials: dict[str, str]) -> None:
    """Register the sample's tasks."""

    def spec(name: str, *needs: Handle, **more: Any) -> TaskSpec:
        log("realised", name)
        return TaskSpec(name=name, actions=(Action(act, {"name": name, "dials": dials}),), needs=needs, **more)

    compiled = catalog.add("compile", lambda: spec("compile", digest=sources), doc="byte-compile")
    collect = catalog.add("collect", lambda: spec("collect", compiled))
    group = catalog.add("group", lambda: spec("group", collect, digest={}), targets=["build/*.plan"])
    launch = catalog.add("launch", lambda: spec("launch", group))
    catalog.add("gather", lambda: spec("gather", launch, if_fresh=Action(again, {"name": "gather"})))
    catalog.add("make", lambda: spec("make", digest={"a": "1"}, targets=("made",)))
    catalog.add("stuck", lambda: TaskSpec(name="stuck", actions=(Action(stuck, {"name": "stuck"}),)))
    catalog.add(
        "show",
        lambda: TaskSpec(
            name="show",
            actions=(Action(show),),
            params=(Param(name="json_output", type=bool, default=False, long="json"),),
            positional="names",
            always=True,
        ),
    )
    image = catalog.family(
        "image",
        lambda: (str(i) for i in range(1_000_000)),
        lambda key: spec(f"image:{key}", compiled),
        has=lambda key: key.isdigit() and int(key) < 1_000_000,
    )
    catalog.family("push", lambda: ["1", "2"], lambda key: spec(f"push:{key}", image(key)), doc="push images")
    catalog.family("late", planned, lambda key: spec(f"late:{key}"), after=group)


def planned() -> list[str]:
    """The keys that an earlier task left behind."""
    plan = Path("planned")
    return plan.read_text(encoding="utf-8").split() if plan.exists() else []


if __name__ == "__main__":
    from pipeline.graph.cli import main

    sys.exit(main(sys.argv[1:], SampleLoader))
