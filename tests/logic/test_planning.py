"""A frozen plan is whole, has one spelling, and is read back only as it was written."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import StoreDamaged, UntrustworthyRun
from pipeline.logic.plan_codec import json_chunks, to_json
from pipeline.logic.plan_reading import from_json
from pipeline.logic.planning import digest, freeze
from pipeline.model.plans import Batch
from pipeline.model.tests import Test
from tests.logic.suites import a_test, planned, suites

TESTS = [a_test("t1", 1.0), a_test("t2", 2.0, unit="u", exclusive="db"), a_test("t3", suite="other")]


@settings(max_examples=30)
@given(suites(), st.integers(1, 5), st.integers(0, 2))
def test_a_plan_is_read_back_equal(tests: list[Test], workers: int, seed: int) -> None:
    """Nothing of a plan is lost between agent and worker."""
    plan = planned(tests, workers, seed)

    assert from_json(to_json(plan)) == plan


@given(st.lists(st.text(st.characters(), max_size=8), min_size=1, max_size=5, unique=True), st.integers(0, 3))
def test_any_name_survives(names: list[str], occurrence: int) -> None:
    """Newlines, quotes, lone surrogates: ids are hostile input."""
    tests = [
        Test(id=f"s::{name} #{at}", suite="s", native=name, occurrence=occurrence, file=name)
        for at, name in enumerate(names)
    ]
    plan = planned(tests, 2)

    assert from_json(to_json(plan)) == plan


@settings(max_examples=30)
@given(suites(), st.integers(1, 5))
def test_equal_inputs_give_equal_bytes(tests: list[Test], workers: int) -> None:
    """A plan has one spelling, so that its digest names it."""
    assert to_json(planned(tests, workers)) == to_json(planned(tests, workers))


def test_the_digest_is_of_everything_else() -> None:
    """Any change makes another plan."""
    plan = planned(TESTS, 2)
    others = [
        evolve(plan, seed=9),
        evolve(plan, retries=1),
        evolve(plan, fail_fast=1),
        evolve(plan, tests=(evolve(plan.tests[0], seconds=5.0), *plan.tests[1:])),
        evolve(plan, buckets=plan.buckets[::-1]),
    ]

    assert digest(plan) == plan.digest
    assert len({plan.digest, *map(digest, others)}) == 1 + len(others)


def test_the_digest_can_be_checked_without_us() -> None:
    """SHA-256 of the file's bytes without the digest's own key, as docs/plan.md says."""
    data = to_json(planned(TESTS, 2))
    claimed = json.loads(data)["digest"]

    assert hashlib.sha256(data.replace(f'"digest":"{claimed}",'.encode(), b"", 1)).hexdigest() == claimed


def test_chunks_are_the_whole() -> None:
    """A plan can be written without holding all its bytes."""
    plan = planned(TESTS, 2)

    assert b"".join(json_chunks(plan)) == to_json(plan)


def changed(change: Callable[[dict[str, Any]], object]) -> bytes:
    """A plan's bytes with something changed and a right digest."""
    document = json.loads(to_json(planned(TESTS, 2)))
    del document["digest"]
    change(document)
    body = json.dumps(document, separators=(",", ":")).encode()
    return b'{"digest":"' + hashlib.sha256(body).hexdigest().encode() + b'",' + body[1:]


def test_a_right_digest_over_a_whole_plan_is_accepted() -> None:
    """The damage below is refused for itself, not for how it is made."""
    assert from_json(changed(lambda document: None)) == planned(TESTS, 2)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d.update(version=99), "version 99"),
        (lambda d: d.pop("buckets"), "'buckets' is missing"),
        (lambda d: d.update(seed=-1), "seed holds -1"),
        (lambda d: d.update(seed=True), "seed holds True"),
        (lambda d: d.update(tests={}), "no list"),
        (lambda d: d["tests"].pop(), "exactly once"),
        (lambda d: d["tests"].append(d["tests"][0]), "share one id"),
        (lambda d: d["tests"][0].__setitem__(0, 7), "suite 7"),
        (lambda d: d["tests"][0].__setitem__(2, 7), "no text"),
        (lambda d: d["tests"][0].__setitem__(3, -1.0), "no duration"),
        (lambda d: d["tests"][0].__setitem__(3, float("inf")), "no duration"),
        (lambda d: d["tests"].__setitem__(0, []), "0 fields"),
        (lambda d: d["tests"].__setitem__(0, 1), "no list"),
        (lambda d: d["batches"].append([1.0, [0]]), "exactly once"),
        (lambda d: d["batches"].append([1.0, []]), "exactly once"),
        (lambda d: d["batches"][0].__setitem__(1, [10**30]), "exactly once"),
        (lambda d: d["batches"].__setitem__(0, [1.0]), "1 fields"),
        (lambda d: d["buckets"].append([0]), "exactly once"),
        (lambda d: d["files"].clear(), "not in its table"),
    ],
)
def test_a_damaged_plan_is_refused_with_what_is_wrong(change: Callable[[dict[str, Any]], object], words: str) -> None:
    """A worker never starts on half a plan."""
    with pytest.raises(StoreDamaged, match=words):
        from_json(changed(change))


@pytest.mark.parametrize("data", [b"", b"null", b"{}", b"[" * 100_000, b'{"digest":"' + b"0" * 64 + b'",}', b"\xff"])
def test_bytes_that_are_no_plan_are_refused(data: bytes) -> None:
    """Hostile bytes are an error of their own, never a crash."""
    with pytest.raises(StoreDamaged):
        from_json(data)


@given(st.data())
def test_a_flipped_byte_is_refused(data: st.DataObject) -> None:
    """The digest covers every byte."""
    good = to_json(planned(TESTS, 2))
    at = data.draw(st.integers(0, len(good) - 1))

    with pytest.raises(StoreDamaged):
        from_json(good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :])


def test_a_deep_document_with_a_right_digest_is_refused() -> None:
    """Nesting is no way around the checks."""
    body = b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    data = b'{"digest":"' + hashlib.sha256(body).hexdigest().encode() + b'",' + body[1:]

    with pytest.raises(StoreDamaged):
        from_json(data)


@pytest.mark.parametrize(
    ("batches", "buckets", "words"),
    [
        ([(0, 1, 2)], [[0]], "mixes suites"),
        ([(0, 1)], [[0]], "exactly once"),
        ([(0, 1), (1, 2)], [[0], [1]], "exactly once"),
        ([(0, 1), (2,)], [[0]], "every batch"),
        ([(0, 1), (2,), ()], [[0, 1, 2]], "empty"),
    ],
)
def test_what_is_no_partition_is_never_frozen(
    batches: list[tuple[int, ...]], buckets: list[list[int]], words: str
) -> None:
    """A plug-in's own grouping cannot lose a test."""
    made = [Batch(number=number, bucket=0, tests=tests, seconds=1.0) for number, tests in enumerate(batches)]

    with pytest.raises(UntrustworthyRun, match=words):
        freeze(TESTS, made, buckets)


def test_an_exclusive_resource_in_two_batches_is_never_frozen() -> None:
    """Its claim would be no lock."""
    tests = [a_test("t1", exclusive="db"), a_test("t2", exclusive="db")]
    made = [Batch(number=at, bucket=0, tests=(at,), seconds=1.0) for at in range(2)]

    with pytest.raises(UntrustworthyRun, match="'db' is in two batches"):
        freeze(tests, made, [[0], [1]])
