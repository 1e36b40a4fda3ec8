"""What holds for any matrix: laziness changes nothing, provenance tells the truth, explanations agree with the rows."""

from __future__ import annotations

from itertools import islice
from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.logic.matrix.checking import unmet
from pipeline.logic.matrix.compiling import compile_blocks
from pipeline.logic.matrix.expanding import expand
from pipeline.logic.matrix.explaining import Dropped, Kept, explain
from pipeline.logic.matrix.filters import Seen, decide
from pipeline.logic.matrix.nodes import Tree
from pipeline.logic.matrix.places import Place
from pipeline.logic.matrix.reading import read_text
from pipeline.logic.matrix.rows import Row
from pipeline.logic.matrix.words import filter_of
from pipeline.logic.placement.offers import labels_of
from tests.matrix.generated import Generated

MOST_ROWS = 300
MANY = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
RANDOM = st.randoms(use_true_random=False)
WORDS = st.lists(st.sampled_from(["a", "b", "c", "a.b", "b..a", "(x=c)", "c..d.e", "f"]), min_size=1, max_size=3).map(
    ", ".join
)


def tree_of(*texts: str) -> Tree:
    """Texts as a graph, without checks."""
    return compile_blocks([read_text(text) for text in texts])


def some(tree: Tree) -> list[Row]:
    """The first rows."""
    return list(islice(expand(tree), MOST_ROWS))


@MANY
@given(RANDOM, WORDS)
def test_filtering_on_the_way_is_filtering_at_the_end(random: Random, words: str) -> None:
    """`only` keeps just the rows whose whole name meets it, `no` the others."""
    text = Generated(random, joins=False, suffixes=False).text
    everything = list(expand(tree_of(text)))
    wanted = filter_of(words, Place("test", 1))

    def meets(row: Row) -> bool:
        labels = labels_of(row.name)
        return (
            decide(wanted, Seen(labels, frozenset(key for label in labels for key in label.keys), frozenset())) is True
        )

    assert list(expand(tree_of(text, f"only {words}\n"))) == [row for row in everything if meets(row)]
    assert list(expand(tree_of(text, f"no {words}\n"))) == [row for row in everything if not meets(row)]


@MANY
@given(RANDOM)
def test_what_matches_nothing_drops_or_keeps_nothing(random: Random) -> None:
    """A filter that is told to match nothing is met by no row there could be."""
    text = Generated(random, joins=False, suffixes=False).text
    rows = list(expand(tree_of(text)))
    for wanted in ("a", "b.c", "c..b", "h.g..a", "(x=b)", "d.d"):
        is_unmet = any(each.said == f"only {wanted}" for each in unmet(tree_of(text, f"only {wanted}\n")))
        if is_unmet:
            assert list(expand(tree_of(text, f"only {wanted}\n"))) == []
            assert list(expand(tree_of(text, f"no {wanted}\n"))) == rows


@MANY
@given(RANDOM, st.booleans())
def test_the_last_statement_made_the_value(random: Random, joins: bool) -> None:
    """Provenance ends with the value of the row, for every key it has, and for no other that was not deleted."""
    for row in islice(some(tree_of(Generated(random, joins=joins, suffixes=not joins).text)), 20):
        told = row.provenance()

        assert {key: each[-1].value for key, each in told.items() if each[-1].value is not None} == dict(row.values)


@MANY
@given(RANDOM)
def test_rows_are_explained_as_kept_and_others_as_dropped(random: Random) -> None:
    """By the same names; a row dropped by one more filter names that filter."""
    text = Generated(random, joins=False, suffixes=True).text
    for row in islice(some(tree_of(text)), 5):
        (first, *_) = (each for each in explain(tree_of(text), row.name) if isinstance(each, Kept))
        last = row.name.rsplit(".", 1)[-1]
        dropped = explain(tree_of(text, f"no {last}\n"), row.name)

        assert first.row.name == row.name
        assert all(isinstance(each, Dropped) for each in dropped)
        assert all(
            f"no {last}" in [reason.said for reason in each.reasons] for each in dropped if isinstance(each, Dropped)
        )
