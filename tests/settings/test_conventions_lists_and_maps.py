"""Conventions stand below set values; lists and maps are appended to or replaced."""

from __future__ import annotations

from collections.abc import MutableMapping

import pytest

from pipeline.errors import SettingsError
from pipeline.settings.secret import Secret
from tests.settings.yard import make_yard


def test_a_convention_never_overrides_a_set_value() -> None:
    """Whatever the order in which they are given."""
    yard = make_yard()
    yard.shed.size = 5
    yard.shed.size.convention(9)

    assert yard.shed.size.get() == 5


def test_the_latest_convention_counts_when_nothing_is_set() -> None:
    """Outside packages may correct each other's defaults."""
    yard = make_yard()
    yard.shed.size.convention(8)
    yard.shed.size.convention(9)

    assert yard.shed.size.get() == 9


def test_appending_keeps_what_lower_layers_say() -> None:
    """Also what is appended before the convention is given."""
    yard = make_yard()
    yard.shed.tools.append(["rake"])
    yard.shed.tools.convention(["hoe"])
    yard.shed.tools.append(["saw"])

    assert yard.shed.tools.get() == ("hoe", "rake", "saw")


def test_setting_a_list_replaces_it() -> None:
    """What was appended below is gone, what is appended above stays."""
    yard = make_yard()
    yard.shed.tools.append(["rake"])
    yard.shed.tools = ["saw"]
    yard.shed.tools.append(["axe"])

    assert yard.shed.tools.get() == ("saw", "axe")


def test_appended_keys_of_a_map_override() -> None:
    """A map's keys are laid over the lower ones."""
    yard = make_yard()
    yard.shed.env = {"A": "1", "B": "1"}
    yard.shed.env.append({"B": "2", "C": {"secret": "key"}})

    assert dict(yard.shed.env.get()) == {"A": "1", "B": "2", "C": Secret("key")}


def test_a_map_once_read_cannot_be_changed_in_place() -> None:
    """Final means final."""
    assert not isinstance(make_yard().shed.env.get(), MutableMapping)


def test_nothing_can_be_appended_to_a_single_value() -> None:
    """The error says why."""
    with pytest.raises(SettingsError, match="'shed.size' is neither list nor map"):
        make_yard().shed.size.append(1)


def test_a_provider_may_be_appended() -> None:
    """Lists are lazy in their parts too."""
    yard = make_yard()
    yard.shed.tools.append(yard.shed.title.map(lambda title: [title]))
    yard.shed.title = "barrow"

    assert yard.shed.tools.get() == ("spade", "barrow")


def test_what_an_element_does_not_say_its_parent_says() -> None:
    """Inheritance is per setting and lazy."""
    yard = make_yard()
    yard.beds["rose"].title = "red"
    yard.shed.size = 7
    yard.shed.tools = ["fork"]
    yard.beds["rose"].tools.append(["shears"])

    rose = yard.beds["rose"]
    assert (rose.title.get(), rose.size.get(), rose.tools.get()) == ("red", 7, ("fork", "shears"))
    assert "inherited, from shed.size" in str(rose.size.provenance())


def test_a_convention_of_an_heir_stands_between_its_parents_default_and_its_parents_set_value() -> None:
    """A convention is below every value of the user's own, wherever that was given."""
    yard = make_yard()
    yard.beds.each(lambda bed: bed.size.convention(4))
    assert yard.beds["rose"].size.peek() == 4
    yard.shed.size.convention(5)
    assert yard.beds["rose"].size.peek() == 4

    yard.shed.size = 6

    assert yard.beds["rose"].size.peek() == 6
    yard.beds["rose"].size = 7
    assert yard.beds["rose"].size.peek() == 7


@pytest.mark.parametrize(
    ("name", "value"), [("size", "many"), ("size", True), ("size", -1), ("tools", "spade"), ("title", 3)]
)
def test_a_wrong_type_is_refused_where_it_is_written(name: str, value: object) -> None:
    """The message holds place, name, expected form and given value."""
    with pytest.raises(
        SettingsError, match=rf"test_conventions.*\.py:\d+: setting 'shed.{name}': expected .*{value!r}"
    ):
        setattr(make_yard().shed, name, value)


def test_an_unknown_name_is_an_error_in_both_directions() -> None:
    """Python would silently make an attribute."""
    yard = make_yard()

    with pytest.raises(SettingsError, match=r"unknown setting 'shed.titel' \(did you mean 'title'\?\)"):
        yard.shed.titel = "x"
    with pytest.raises(SettingsError, match=r"unknown setting 'shed.tols' \(did you mean 'tools'\?\)"):
        yard.shed.tols.get()
    assert not hasattr(yard.shed, "nothing_like_it")


def test_an_object_of_settings_cannot_be_assigned() -> None:
    """Only its settings can."""
    with pytest.raises(SettingsError, match="'shed' holds settings and cannot be set itself"):
        make_yard().shed = 3
