"""A number of processors as people write it: whole, or with a fraction. Used for what containers may have."""

from __future__ import annotations

from typing import Final

from pipeline.settings.kinds import Kind, Simple

LEAST: Final = 0.01


def _cores(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TypeError
    found = float(value)
    if not LEAST <= found <= 100_000:
        raise ValueError(f"{value!r} is no number of processors")
    return found


cores: Final[Kind[float]] = Simple(
    "a number of processors such as 2 or 0.5",
    {"anyOf": [{"type": "number", "minimum": LEAST}, {"type": "string", "pattern": "^[0-9.]+$"}]},
    _cores,
    show=lambda value: f"{value:g}",
)
