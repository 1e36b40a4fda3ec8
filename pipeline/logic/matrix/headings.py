"""The first lines of stanzas and of variants: `variants axis [default=name]:` and `- @name: dependency other`. Pure."""

from __future__ import annotations

import re
from typing import Final

from attrs import frozen

from pipeline.logic.matrix.filters import Label
from pipeline.logic.matrix.lines import Line
from pipeline.logic.matrix.places import MatrixError
from pipeline.logic.matrix.words import without_comment

_META: Final = r"\[\s*([\w-]+)\s*(?:=\s*([^\]]*?)\s*)?\]"
_STANZA: Final = re.compile(rf"variants\s*([\w-]*)\s*((?:{_META}\s*)*):")
_VARIANT: Final = re.compile(r"-\s*(@?)\s*([\w-]+(?:\.[\w-]+)*)\s*(?::(.*))?")


@frozen
class StanzaHeading:
    """The axis (may be empty) and the names of defaults."""

    axis: str
    defaults: tuple[str, ...]


@frozen
class VariantHeading:
    """One variant without its block."""

    labels: tuple[Label, ...]
    is_marked: bool
    dependencies: str


def stanza_heading(line: Line) -> StanzaHeading:
    """Raises `MatrixError` for a line that is not well formed."""
    found = _STANZA.fullmatch(without_comment(line.text))
    if found is None:
        hint = "write 'variants:', 'variants axis:' or 'variants axis [default=name]:'"
        raise MatrixError(line.place, f"{line.text!r} is no heading of variants", hint=hint)
    metas = re.findall(_META, found[2])
    if any(key == "default" and not value for key, value in metas):
        raise MatrixError(line.place, "[default] names no variant", hint="write [default=name]")
    return StanzaHeading(found[1], tuple(value for key, value in metas if key == "default"))


def variant_heading(line: Line, axis: str) -> VariantHeading:
    """Raises `MatrixError` for a line that is not well formed."""
    found = _VARIANT.fullmatch(without_comment(line.text))
    if found is None:
        hint = "write '- name:', '- @name:' or '- name: other variants it depends on'"
        raise MatrixError(line.place, f"{line.text!r} is no variant", hint=hint)
    labels = tuple(Label(name, axis) for name in found[2].split("."))
    return VariantHeading(labels, bool(found[1]), found[3] or "")
