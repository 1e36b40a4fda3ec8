"""One name out of a closed or an open set. Open sets are those outside packages add to.

The names of outside packages are asked for only when a value is none of ours: finding them costs a scan of what is
installed.
"""

from __future__ import annotations

from pipeline.settings.kinds import Context, Kind, Schema
from pipeline.settings.suggestion import did_you_mean


class Choice(Kind[str]):
    """One of the names given, or of the set of that name in the context's choices."""

    def __init__(self, *names: str, open_set: str = "") -> None:
        self._names, self._open_set = names, open_set
        self.form = "one of " + ", ".join(repr(name) for name in names)
        if open_set:
            self.form += f", or another of the {open_set} installed"

    def parse(self, value: object, context: Context) -> str:
        """Return the name. Raises `WrongValue` with the names known."""
        if isinstance(value, str) and (value in self._names or value in self.names(context)):
            return value
        raise self.refuse(value, did_you_mean(str(value), self.names(context)).strip(" ()"))

    def names(self, context: Context) -> tuple[str, ...]:
        """Return every name that may be given."""
        others = context.choices[self._open_set]() if self._open_set in context.choices else ()
        return tuple(dict.fromkeys((*self._names, *others)))

    def schema(self, context: Context) -> Schema:
        """Allow the names known now."""
        return {"enum": list(self.names(context))}
