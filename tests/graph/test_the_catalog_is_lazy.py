"""The catalog by itself: registering costs nothing, names and changes are checked."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import UsageError
from pipeline.graph.catalog import Catalog
from pipeline.graph.freshness import changed_parts
from pipeline.graph.task import Handle, TaskSpec


def spec(name: str) -> TaskSpec:
    """A task that does nothing."""
    return TaskSpec(name=name)


def test_a_family_of_a_million_costs_nothing() -> None:
    """A member is realised by a membership check alone, keys are never listed."""

    def keys() -> Iterator[str]:
        raise AssertionError("keys were listed")

    catalog = Catalog()
    image = catalog.family("image", keys, spec, has=lambda key: 0 <= int(key) < 1_000_000)
    before = time.perf_counter()

    assert "image:999999" == catalog.realise(image("999999").name).name
    assert "image:1000000" not in catalog
    assert ("image:999999",) == catalog.realised
    assert time.perf_counter() - before < 0.1
    assert [] == list(catalog.matching("push*"))


def test_a_task_is_realised_once() -> None:
    """The factory is called once, and the description comes from the registration."""
    calls: list[str] = []
    catalog = Catalog()
    catalog.add("one", lambda: calls.append("one") or spec("one"), doc="the one")  # type: ignore[func-returns-value]

    assert catalog.realise("one") is catalog.realise("one")
    assert ["one"] == calls
    assert "the one" == catalog.realise("one").doc


def test_changes_are_applied_when_realised() -> None:
    """`configure` sees only tasks that match, in order, and may not come too late."""
    catalog = Catalog()
    catalog.family("image", lambda: ["1"], spec)
    catalog.add("other", lambda: spec("other"))
    catalog.configure("image:*", lambda spec: spec.evolve(doc="first"))
    catalog.configure("image:*", lambda spec: spec.evolve(doc=f"{spec.doc}, second"))
    catalog["image:1"].needs("migrate", Handle("other"))

    realised = catalog.realise("image:1")

    assert "first, second" == realised.doc
    assert ("migrate", "other") == realised.edges
    assert "" == catalog.realise("other").doc
    with pytest.raises(UsageError, match="'image:1' is already realised"):
        catalog.configure("image:*", lambda spec: spec)


@pytest.mark.parametrize("name", ["", "a=b", "a*", "a:b", "-a", "_a"])
def test_names_doit_could_not_address_are_refused(name: str) -> None:
    """No `=`, `*` or `:`."""
    with pytest.raises(UsageError, match="cannot be the name"):
        Catalog().add(name, lambda: spec(name))


def test_two_tasks_of_one_name_are_refused() -> None:
    """Also a family and a task."""
    catalog = Catalog()
    catalog.add("one", lambda: spec("one"))

    with pytest.raises(UsageError, match="two tasks called 'one'"):
        catalog.family("one", list, spec)
    with pytest.raises(UsageError, match="did you mean 'one'"):
        catalog["on"]


DIGESTS = st.dictionaries(
    st.sampled_from("abc"), st.text(max_size=2) | st.dictionaries(st.sampled_from("xyz"), st.text())
)


@given(DIGESTS, DIGESTS)
def test_reasons_are_given_exactly_for_what_differs(before: dict[str, str], now: dict[str, str]) -> None:
    """One reason for each part that is not equal, none for equal digests."""
    reasons = changed_parts(before, now)

    assert (before == now) == (not reasons)
    assert {part for part in {*before, *now} if before.get(part) != now.get(part)} == {
        reason.partition(":")[0].partition(" ")[0] for reason in reasons
    }


def test_reasons_name_files() -> None:
    """At most a handful of them."""
    before = {"sources": {"a": "1", "b": "1", "c": "1"}}
    now = {"sources": {"b": "2", "c": "1", "d": "1"}}

    assert ["sources: a removed, b changed, d added"] == changed_parts(before, now)
    assert changed_parts({"s": {}}, {"s": {str(i): "" for i in range(9)}})[0].endswith("and 4 more")
