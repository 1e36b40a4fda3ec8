"""Containers know their elements' names without realising any."""

from __future__ import annotations

import pytest

from pipeline.errors import SettingsError
from tests.settings.yard import Bed, make_yard


def test_each_and_named_realise_nothing() -> None:
    """Actions wait until somebody takes the element."""
    yard, seen = make_yard(), list[str]()
    yard.beds.each(lambda bed: seen.append("each"))
    yard.beds.named("rose", lambda bed: seen.append("named"))
    assert (seen, yard.beds.names(), yard.beds.realised()) == ([], ("rose", "bean-row"), ())

    yard.beds["rose"]
    yard.beds["rose"]

    assert (seen, yard.beds.realised()) == (["each", "named"], ("rose",))


def test_actions_reach_elements_realised_before() -> None:
    """The order of dodo.py's lines does not matter."""
    yard = make_yard()
    bean = yard.beds["bean-row"]

    yard.beds.each(lambda bed: bed.size.convention(4))

    assert bean.size.get() == 4


def test_an_element_is_an_attribute_too() -> None:
    """A hyphen is written as an underscore there."""
    yard = make_yard()

    assert yard.beds.rose is yard.beds["rose"]
    assert yard.beds.bean_row is yard.beds["bean-row"]


def test_an_unknown_element_is_an_error_with_the_known_ones() -> None:
    """By index and by attribute."""
    yard = make_yard()

    with pytest.raises(SettingsError, match=r"there is no 'beds.rosé' \(did you mean 'rose'\?\)"):
        yard.beds["rosé"]
    with pytest.raises(SettingsError, match=r"unknown setting 'beds.lawn'"):
        yard.beds.lawn.title.get()


def test_names_are_final_once_read() -> None:
    """Adding later is an error that names the reader and both places."""
    yard = make_yard()
    yard.beds.names()

    with pytest.raises(
        SettingsError, match=r"'beds.herb' cannot be added at .*\.py:\d+: .* since .*\.py:\d+ read them"
    ):
        yard.beds.add("herb")
    yard.beds.add("rose")


def test_iterating_realises_all_in_order() -> None:
    """With the actions applied."""
    yard = make_yard()
    yard.beds.add("herb", lambda bed: bed.title.set("thyme"))

    assert [bed.title.get() for bed in yard.beds] == ["shed", "shed", "thyme"]
    assert len(yard.beds) == 3
    assert "herb" in yard.beds


@pytest.mark.parametrize("name", ["", "a.b", "a b", "-a", "ä"])
def test_a_name_that_could_not_be_typed_is_refused(name: str) -> None:
    """Names end up in dotted arguments and in file names."""
    with pytest.raises(SettingsError, match="is no name"):
        make_yard().beds.add(name)


def test_a_thousand_elements_cost_nothing_until_taken() -> None:
    """Only the one that is taken is made."""
    yard, made = make_yard(), list[Bed]()
    for number in range(1000):
        yard.beds.add(f"bed{number}", made.append)

    yard.beds["bed7"]

    assert len(made) == 1
