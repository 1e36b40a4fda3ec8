"""What recent durations of one test say about the next: a median in which older values weigh less.

Pure numbers; which runs they come from is not known here.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Final

DECAY: Final = 0.8
"""Weight of each value relative to the one after it: three slow runs outvote any past, one slow run does not."""

_WEIGHTS = tuple(DECAY**age for age in range(100))
_TOTALS = (0.0, *accumulate(_WEIGHTS))


def decayed_median(newest_first: Sequence[float]) -> float:
    """The value at which half the weight is reached; 0 for no values. Only the first 100 count."""
    values = newest_first[: len(_WEIGHTS)]
    if len(values) < 2:
        return values[0] if values else 0.0
    half, reached = _TOTALS[len(values)] / 2, 0.0
    for value, age in sorted(zip(values, range(len(values)), strict=True)):
        reached += _WEIGHTS[age]
        if reached >= half:
            return value
    return max(values)  # Rounding kept the sum a hair below the half it equals.
