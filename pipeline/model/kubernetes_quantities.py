"""Quantities as Kubernetes writes them (`250m`, `2Gi`, `1e3`), as whole billionths, so that sums are exact.

Form and rounding as in `k8s.io/apimachinery/pkg/api/resource`: nothing is finer than a billionth, and what is, is rounded
up. Not what people write in our settings: see `quantities`.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

ONE: Final = 10**9
"""A whole: one processor, one byte, one pod."""
MILLI: Final = 10**6
_DECIMAL: Final = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY: Final = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_FORM: Final = re.compile(
    r"([+-]?)([0-9]+)?(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]{1,4})|(Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE]))?", re.ASCII
)


@lru_cache(4096)
def parse_quantity(value: str | int | float) -> int:
    """Billionths. Raises ValueError for what is no quantity."""
    text = str(value)
    match = _FORM.fullmatch(text)
    if match is None or not (match[2] or match[3]):
        raise ValueError(f"{text!r} is no quantity")
    digits, fraction = match[2] or "", match[3] or ""
    exponent = int(match[4]) if match[4] else _DECIMAL.get(match[5] or "", 0)
    shift = exponent + 9 - len(fraction)
    whole = int(digits + fraction) << _BINARY.get(match[5] or "", 0)
    amount: int = whole * 10**shift if shift >= 0 else -(-whole // 10**-shift)
    return -amount if match[1] == "-" else amount


def round_up(amount: int, step: int) -> int:
    """The next multiple of `step` that is no less."""
    return -(-amount // step) * step


def format_quantity(name: str, amount: int) -> str:
    """For people: processors with thousandths, memory and storage in the largest binary unit that shows it well."""
    if name.rpartition(".")[2] in ("memory", "ephemeral-storage", "storage"):
        for unit, bits in (("Gi", 30), ("Mi", 20), ("Ki", 10)):
            if amount >= ONE << bits:
                return f"{amount / (ONE << bits):.4g}{unit}"
    return f"{amount / ONE:.4g}"
