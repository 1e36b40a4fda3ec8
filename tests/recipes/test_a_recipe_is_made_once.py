"""A recipe is made once for equal inputs, by whoever is first; failures are never kept."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from attrs import evolve

from pipeline.adapters.recipes import Kitchen, key_of, make, recipe_layer
from pipeline.errors import EngineError, Stopped, UsageError
from pipeline.model.recipes import Made, Recipe

Kitchens = Callable[..., Kitchen]
LOUD = Recipe(
    name="loud",
    command=(
        "mkdir -p out/deep && tr a-z A-Z <in.txt >out/deep/loud.txt && ln -sf deep/loud.txt out/link && echo ran >>runs",
    ),
    inputs=("in.txt",),
    outputs=("out",),
)


def cook(recipe: Recipe, kitchen: Kitchen) -> Made:
    """Make it, under the key that it has now."""
    return make(recipe, kitchen, key_of(recipe, kitchen))


def runs(kitchen: Kitchen) -> int:
    """How often the command ran in that project."""
    path = kitchen.root / "runs"
    return len(path.read_text().splitlines()) if path.exists() else 0


def test_equal_inputs_are_made_once_for_all_projects(kitchens: Kitchens) -> None:
    """A second project with equal inputs gets the outputs, links included, without running the command."""
    first, second = kitchens("one"), kitchens("two")
    for kitchen in (first, second):
        (kitchen.root / "in.txt").write_text("quiet")
    made, hit = cook(LOUD, first), cook(LOUD, second)

    assert (made.how, hit.how) == ("made", "hit")
    assert (runs(first), runs(second)) == (1, 0)
    assert (second.root / "out" / "link").read_text() == "QUIET"
    assert recipe_layer(made).key == recipe_layer(hit).key


@pytest.mark.parametrize(
    "change",
    [
        {"command": ("mkdir -p out && echo other >out/x",)},
        {"environment": ("LEVEL",)},
        {"tools": ("echo tool 2.0",)},
        {"inputs": ("in.txt", "more.txt")},
        {"cwd": "sub"},
    ],
)
def test_all_that_decides_is_in_the_key(kitchens: Kitchens, change: dict[str, object]) -> None:
    """Command, declared environment, tools, inputs and folder each make another artifact of it."""
    kitchen = kitchens(LEVEL="1")
    (kitchen.root / "in.txt").write_text("quiet")
    (kitchen.root / "more.txt").write_text("more")

    assert key_of(LOUD, kitchen) == key_of(LOUD, kitchen)
    assert key_of(evolve(LOUD, **change), kitchen) != key_of(LOUD, kitchen)  # type: ignore[arg-type]


def test_values_count_and_not_only_names(kitchens: Kitchens) -> None:
    """Another value of a declared variable, another content or mode of an input: another key; other variables: the same."""
    recipe = evolve(LOUD, environment=("LEVEL",))
    kitchen, other = kitchens(LEVEL="1"), kitchens(LEVEL="2")
    path = kitchen.root / "in.txt"
    path.write_text("quiet")
    key = key_of(recipe, kitchen)

    assert key_of(recipe, other) != key
    assert key_of(recipe, kitchens(LEVEL="1", OTHER="x")) == key
    path.chmod(0o755)
    assert key_of(recipe, kitchen) != key
    path.chmod(0o644)
    path.write_text("silent")
    assert key_of(recipe, kitchen) != key


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("mkdir -p out && echo half >out/half && echo because of this && exit 3", "status 3: because of this"),
        ("mkdir -p out && echo half >out/half && sleep 600 & sleep 600", "took longer"),
    ],
)
def test_a_failed_command_leaves_nothing_in_the_cache(kitchens: Kitchens, command: str, said: str) -> None:
    """A failure or a time-out is an error with the command's words, and the next time the command runs again."""
    kitchen = kitchens()
    recipe = Recipe(name="bad", command=(command,), outputs=("out",), timeout_seconds=0.5)

    for _ in range(2):
        with pytest.raises(EngineError, match=said):
            cook(recipe, kitchen)
    assert kitchen.cache.find(key_of(recipe, kitchen)) is None


class Alarm:
    """A stop that comes when told to."""

    def __init__(self) -> None:
        self.signal_number: int | None = None
        self._callbacks: list[Callable[[int], object]] = []
        self.registered = threading.Event()

    @contextmanager
    def calling(self, callback: Callable[[int], object]) -> Iterator[None]:
        self._callbacks.append(callback)
        self.registered.set()
        yield

    def ring(self) -> None:
        """Stop all."""
        self.signal_number = signal.SIGTERM
        for callback in self._callbacks:
            callback(signal.SIGTERM)

    def check(self) -> None:
        """Raise when it has come."""
        if self.signal_number:
            raise Stopped("stopped", signal_number=self.signal_number)


def test_a_stopped_command_leaves_nothing_in_the_cache(kitchens: Kitchens) -> None:
    """A stop ends the command at once; what it had written so far does not count, even if it ends with status 0."""
    alarm = Alarm()
    kitchen = evolve(kitchens(), stop=alarm)
    command = "trap 'exit 0' TERM; mkdir -p out; echo half >out/half; while :; do sleep 0.05; done"
    recipe = Recipe(name="slow", command=(command,), outputs=("out",))
    key = key_of(recipe, kitchen)

    def ring() -> None:
        alarm.registered.wait(20)
        half = kitchen.root / "out" / "half"
        while not half.exists():
            threading.Event().wait(0.01)
        alarm.ring()

    ringer = threading.Thread(target=ring)
    ringer.start()
    with pytest.raises(Stopped):
        make(recipe, kitchen, key)
    ringer.join()
    assert kitchen.cache.find(key) is None


def test_leftovers_of_earlier_inputs_are_not_taken_along(kitchens: Kitchens) -> None:
    """Files that an earlier making left are removed before the next one, but never what somebody else wrote or changed."""
    kitchen = kitchens()
    recipe = Recipe(
        name="named",
        command=("mkdir -p out && while read n; do echo x >out/$n; done <names",),
        inputs=("names",),
        outputs=("out",),
    )
    (kitchen.root / "names").write_text("a\nb\nc\n")
    cook(recipe, kitchen)
    (kitchen.root / "out" / "mine").write_text("mine")
    (kitchen.root / "out" / "b").write_text("changed by hand")
    (kitchen.root / "names").write_text("d\n")
    cook(recipe, kitchen)

    assert sorted(path.name for path in (kitchen.root / "out").iterdir()) == ["b", "d", "mine"]


def test_inputs_that_change_meanwhile_spoil_the_result(kitchens: Kitchens) -> None:
    """A command that writes its own inputs cannot be kept, and is told which."""
    kitchen = kitchens()
    (kitchen.root / "in.txt").write_text("1")
    recipe = Recipe(
        name="odd", command=("echo 2 >in.txt; mkdir -p out; cp in.txt out",), inputs=("in.txt",), outputs=("out",)
    )

    with pytest.raises(UsageError, match=r"'in\.txt' changed while it was made"):
        cook(recipe, kitchen)


@pytest.mark.parametrize("pattern", ["../outside", "/etc/passwd"])
def test_recipes_stay_inside_the_project(kitchens: Kitchens, pattern: str) -> None:
    """Neither inputs nor outputs may be elsewhere."""
    with pytest.raises(UsageError, match="leaves the project"):
        cook(Recipe(name="wide", command=("true",), outputs=(pattern,)), kitchens())


def test_outputs_never_pass_a_link_out_of_the_project(kitchens: Kitchens, tmp_path: Path) -> None:
    """Where an output's folder is a link to elsewhere, a hit is not unpacked through it."""
    first, second = kitchens("one"), kitchens("two")
    for kitchen in (first, second):
        (kitchen.root / "in.txt").write_text("quiet")
    cook(LOUD, first)
    (tmp_path / "elsewhere").mkdir()
    (second.root / "out").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(UsageError, match="outside the project"):
        cook(LOUD, second)
    assert not list((tmp_path / "elsewhere").iterdir())


@pytest.mark.parametrize(
    ("outputs", "target", "paths"),
    [
        (("out",), "", {"project/out/deep/loud.txt", "project/out/link"}),
        (("out",), "/opt/data", {"opt/data/deep/loud.txt", "opt/data/link"}),
        (("out/deep/loud.txt",), "/opt/data", {"opt/data/loud.txt"}),
        (("out/*/*.txt",), "/opt/data", {"opt/data/deep/loud.txt"}),
    ],
)
def test_outputs_are_where_the_target_says(
    kitchens: Kitchens, tmp_path: Path, outputs: tuple[str, ...], target: str, paths: set[str]
) -> None:
    """Without a target they keep their place; with one their common folder becomes it."""
    kitchen = kitchens()
    (kitchen.root / "in.txt").write_text("quiet")
    layer = recipe_layer(cook(evolve(LOUD, outputs=outputs, target=target), kitchen))
    (tmp_path / "scratch").mkdir()

    found = {entry.path for entry in layer.make(tmp_path / "scratch")}
    assert paths <= found
    assert not [path for path in found - paths if path.endswith(".txt")]
