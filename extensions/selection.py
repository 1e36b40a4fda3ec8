"""Which tests run: the same object to select with and to exclude with, for all suites and for each.

It says what is wanted; how a framework finds those tests is the framework's business.
"""

from __future__ import annotations

from extensions.matrix_kinds import filters
from pipeline.settings import kinds
from pipeline.settings.collected import texts
from pipeline.settings.declaration import setting
from pipeline.settings.extension import Extension


class Selection(Extension):
    """Tests, by several criteria at once; the top-level one is every suite's default."""

    keyword = setting(kinds.text, "")
    """A `-k` expression over names. Empty: all."""

    marks = setting(kinds.text, "")
    """A `-m` expression over marks. Empty: all."""

    paths = setting(texts, ())
    """Files, folders or node ids, relative to the suite's root. Empty: all."""

    ids_file = setting(kinds.Optional(kinds.path), None)
    """A file with a test id a line, as in test-group-<n>: `suite::native id`, or the native id alone. Off: all."""

    def parent(self) -> Extension | None:
        """Return the top-level object of the same name, for a suite's."""
        above: Extension = getattr(self.scope.fleet, self.scope.path[-1])
        return None if above is self else above


class Select(Selection):
    """Tests to run, nothing else. Every criterion given must hold."""

    last_failed = setting(kinds.boolean, False)
    """Only tests whose latest verdict was bad; all when there is none."""

    only = setting(filters, ())
    """Rows of matrices that meet these filters, written as behind `only` in a matrix: `boot, install`, `linux..ide`. Each must hold.
    Tests that are no rows of a matrix are left out. A side that matches in no suite is an error."""

    no = setting(filters, ())
    """Rows of matrices that meet one of these are left out, as behind `no` in a matrix."""


class Exclude(Selection):
    """Tests to leave out. Any criterion suffices."""


class SelectAll(Select):
    """Tests to run, of all suites."""

    suites = setting(texts, ())
    """Names of the suites that run, `*` and `?` standing for any signs. Empty: all. What a profile is made of, as a rule."""


class ExcludeAll(Exclude):
    """Tests to leave out, of all suites."""

    suites = setting(texts, ())
    """Names of suites that do not run, also as patterns."""
