"""Settings are lazy values: wired before they are known, final once read, never going in circles."""

from __future__ import annotations

import pytest

from pipeline.errors import SettingsError
from pipeline.settings.providers import provider
from tests.settings.yard import make_yard


def test_a_mapped_value_follows_what_is_set_later() -> None:
    """Wiring reads nothing."""
    yard = make_yard()
    yard.shed.title = yard.beds["rose"].title.map(lambda title: title + "-shed")

    yard.beds["rose"].title = "red"

    assert yard.shed.title.get() == "red-shed"


def test_a_computed_value_is_checked_like_a_given_one() -> None:
    """A provider of the wrong type is an error with the place where it was given."""
    yard = make_yard()
    yard.shed.size = yard.shed.title.map(lambda title: title)

    with pytest.raises(
        SettingsError, match=r"test_lazy_values.py:\d+: setting 'shed.size': expected a whole number .* got 'shed'"
    ):
        yard.shed.size.get()


def test_a_failing_computation_names_the_setting() -> None:
    """The user's own error is told with the setting and the place, not as a bare traceback."""
    yard = make_yard()
    yard.shed.title = provider(lambda: str(1 // 0))

    with pytest.raises(SettingsError, match=r"'shed.title' could not be computed: ZeroDivisionError"):
        yard.shed.title.get()


def test_two_values_are_zipped() -> None:
    """A value may be computed from two others."""
    yard = make_yard()
    rose = yard.beds["rose"]
    yard.shed.title = rose.title.zip(rose.size, lambda title, size: f"{title}-{size}")
    rose.title = "red"

    assert yard.shed.title.get() == "red-auto"


def test_setting_a_value_that_was_read_names_reader_and_both_places() -> None:
    """A value is final once read."""
    yard = make_yard()
    yard.shed.size = 3
    yard.shed.size.get()

    with pytest.raises(SettingsError) as caught:
        yard.shed.size = 4
    places = [word for word in caught.value.message.replace("(", " ").replace(")", " ").split() if ".py:" in word]
    assert len(set(places)) == 3  # Where it is set again, where its value was set, where that was read.
    assert yard.shed.size.get() == 3


def test_reading_makes_everything_it_is_computed_from_final() -> None:
    """Else two readers could see different values."""
    yard = make_yard()
    yard.beds["rose"].title = "red"
    yard.shed.title = yard.beds["rose"].title.map(str.upper)
    yard.shed.title.get()

    with pytest.raises(SettingsError, match=r"final since setting 'shed.title' read it"):
        yard.beds["rose"].title.convention("late")


def test_looking_leaves_a_value_open() -> None:
    """`peek` is for those who only show values."""
    yard = make_yard()
    assert yard.shed.size.peek() == "auto"

    yard.shed.size = 2

    assert yard.shed.size.get() == 2


def test_a_circle_is_reported_with_its_way() -> None:
    """Three settings that wait for each other are named in order."""
    yard = make_yard()
    rose, bean = yard.beds["rose"], yard.beds["bean-row"]
    yard.shed.title = rose.title.map(str)
    rose.title = bean.title.map(str)
    bean.title = yard.shed.title.map(str)

    with pytest.raises(SettingsError, match=r"shed.title -> beds.rose.title -> beds.bean-row.title -> shed.title"):
        yard.shed.title.get()


def test_task_edges_travel_with_the_value() -> None:
    """Whoever uses a value must wait for the tasks that make it known."""
    yard = make_yard()
    yard.shed.title = provider(lambda: "x", needs=("measure",)).map(str.upper).needs("paint")
    yard.beds["rose"].title = yard.shed.title.map(str.lower)

    assert yard.beds["rose"].title.tasks() == ("paint", "measure")
    assert yard.shed.size.tasks() == ()


def test_an_overridden_provider_brings_no_tasks() -> None:
    """Only what makes up the value counts."""
    yard = make_yard()
    yard.shed.title = provider(lambda: "x", needs=("measure",))
    yard.shed.title = "y"

    assert yard.shed.title.tasks() == ()


def test_a_setting_is_neither_true_nor_false() -> None:
    """`if fleet.run.allow_empty:` would always hold, so it is an error."""
    with pytest.raises(TypeError, match=r"read it with .get\(\)"):
        bool(make_yard().shed.title)


def test_provenance_names_what_a_value_was_computed_from() -> None:
    """The way back to the hand-written value is never lost."""
    yard = make_yard()
    yard.beds["rose"].title = "red"
    yard.shed.title = yard.beds["rose"].title.map(str.upper)

    shown = str(yard.shed.title.provenance())

    assert shown.count("test_lazy_values.py:") == 2
    assert "from beds.rose.title" in shown
