"""How files are dealt to harnesses, and how tests are named."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import EngineError, UntrustworthyRun
from pipeline.logic.naming import name_tests
from pipeline.model.messages import Message
from pipeline.ports import HarnessEnd
from pipeline.protocol.collecting import collect_suite, share


class ScriptedHarness:
    """A harness that has walked over some files and collects one test of each."""

    place, log = "here", "worker.log"

    def __init__(self, files: list[str], *, whole: str = "", dies_at: str = "") -> None:
        self.says: deque[Message | HarnessEnd] = deque(
            [{"say": "hello", "facts": {"maxfail": 1}}, {"say": "files", "files": files, "whole": whole}]
        )
        self.files, self.dies_at = files, dies_at
        self.asked: list[str] = []

    async def send(self, message: Message) -> None:
        """Answer at once."""
        wanted = self.files if message["do"] == "collect-all" else [message["file"]]
        self.asked += wanted
        if self.dies_at in wanted:
            self.says.append(HarnessEnd(proof=True, asked=False, code=-11, cause="signalled"))
            return
        tests: list[list[Any]] = [[f"{file}::test", 0, "", "", file] for file in wanted]
        told = {"file": "" if message["do"] == "collect-all" else wanted[0], "tests": tests, "errors": []}
        self.says.append({"say": "collected", **told, "deselected": 0, "seconds": 0.0})

    async def receive(self) -> Message | HarnessEnd:
        """What it has to say next."""
        await asyncio.sleep(0)
        return self.says.popleft()


class Harnesses:
    """Gives out scripted harnesses by slot."""

    def __init__(self, *harnesses: ScriptedHarness) -> None:
        self.harnesses = harnesses

    async def warm(self, slot: int, suite: str) -> ScriptedHarness:
        """The one of that slot."""
        return self.harnesses[slot]


def collect(*harnesses: ScriptedHarness) -> Any:
    """Collect with these harnesses."""
    warm: Any = Harnesses(*harnesses)
    return asyncio.run(collect_suite("s", warm, len(harnesses), weights={}, emit=lambda event: None))


@given(
    st.lists(st.integers(0, 60).map("f{}.py".format), unique=True),
    st.dictionaries(st.integers(0, 60).map("f{}.py".format), st.floats(0, 1e6)),
    st.integers(1, 9),
)
def test_every_file_is_dealt_once_and_in_walk_order(files: list[str], weights: dict[str, float], slots: int) -> None:
    """Whatever history says, queues are a partition of the files."""
    queues = share(files, weights, slots)

    assert sorted(file for queue in queues for file in queue) == sorted(files)
    assert all(list(queue) == sorted(queue, key=files.index) for queue in queues)


def test_each_file_is_collected_by_one_harness_and_tests_come_in_walk_order() -> None:
    """Two harnesses share the files; the result is as if one had collected."""
    files = [f"{letter}.py" for letter in "cabfed"]
    harnesses = ScriptedHarness(files), ScriptedHarness(files)

    found = collect(*harnesses)

    assert sorted(harnesses[0].asked + harnesses[1].asked) == sorted(files)
    assert harnesses[0].asked and harnesses[1].asked
    assert [test.file for test in found.tests] == files
    assert found.affinity == {file: slot for slot, one in enumerate(harnesses) for file in one.asked}
    assert found.facts == {"maxfail": 1}


def test_a_harness_that_needs_the_whole_list_is_asked_for_it_at_once() -> None:
    """Then one harness collects everything, and no file belongs to a slot."""
    files = ["a.py", "b.py"]
    harnesses = ScriptedHarness(files, whole="--lf"), ScriptedHarness(files, whole="--lf")

    found = collect(*harnesses)

    assert harnesses[0].asked == files
    assert harnesses[1].asked == []
    assert len(found.tests) == 2
    assert found.affinity == {}


def test_a_harness_that_dies_while_collecting_is_named_with_its_log() -> None:
    """An import that kills the process is no silence."""
    with pytest.raises(UntrustworthyRun, match=r"signalled.*-11[^$]*worker\.log"):
        collect(ScriptedHarness(["a.py", "b.py"], dies_at="b.py"))


def test_a_framework_that_gives_up_is_an_engine_error() -> None:
    """For instance a usage error of pytest."""
    harness = ScriptedHarness([])
    harness.says = deque([{"say": "bye", "code": 4}])

    with pytest.raises(EngineError, match="status 4"):
        collect(harness)


def test_tests_of_one_name_get_ids_of_their_own() -> None:
    """The second of two equal native ids is number 2."""
    tests = name_tests("s", [["a::t", 0, "", "", "a"], ["a::t", 1, "", "", "a"]])

    assert [test.id for test in tests] == ["s::a::t", "s::a::t #2"]


def test_ids_that_would_collide_are_refused() -> None:
    """A native id that ends like a number of ours is no way to hide a test."""
    with pytest.raises(UntrustworthyRun, match="two tests are called"):
        name_tests("s", [["a::t", 0, "", "", "a"], ["a::t", 1, "", "", "a"], ["a::t #2", 0, "", "", "a"]])
