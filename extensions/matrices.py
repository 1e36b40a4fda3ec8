"""Tests that are the rows of a matrix: where it is, which of its rows are the suite's, what its values are.

Settings only; `command_matrices` reads what they name.
"""

from __future__ import annotations

from extensions.matrix_kinds import filters, matrix, types
from pipeline.settings import kinds
from pipeline.settings.collected import texts
from pipeline.settings.declaration import setting
from pipeline.settings.extension import Extension


class Matrices(Extension):
    """What a suite of commands says of its matrix."""

    matrix = setting(matrix, "")
    """Each of its rows is a test, `{values.<key>}` its values. A file in the Cartesian format of KVM-Autotest and Avocado-VT,
    relative to the suite's root; several files, one after the other; a text of several lines in that format; or tables:
    `matrix.axes.size = ["small", "large"]`. docs/matrix.md says what all of them may hold."""

    matrix_search = setting(texts, ())
    """Folders, relative to the suite's root, in which files that are included are looked for when they are not beside the
    including one."""

    matrix_defaults = setting(kinds.boolean, False)
    """Whether a stanza with a default has that variant only, as Avocado-VT's `--defaults` does."""

    matrix_expand = setting(texts, ())
    """Axes of which all variants are wanted although `matrix_defaults` is set."""

    matrix_strict = setting(kinds.boolean, False)
    """Whether conditions, filters inside variants and dependencies that match nothing are errors, too."""

    only = setting(filters, ())
    """Which rows of its matrix are the suite's: filters as behind `only` in a matrix, each of which must hold. One that matches
    nothing is an error. What one `doit` is to run of them is said by `select.only`."""

    no = setting(filters, ())
    """Which rows are not the suite's, as behind `no` in a matrix."""

    types = setting(types, {})
    """What values of rows are: `{ memory = "size", smp = "whole", disk = ["ide", "virtio"] }`. Each row is checked before anything
    runs; commands get sizes in bytes, durations in seconds, booleans as `true` and `false`."""
