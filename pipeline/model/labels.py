"""What tests are told of their run, so that objects which they make elsewhere can be found by it and swept.

Values of labels as in Kubernetes' "Labels and Selectors".
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

PREFIX: Final = "doit-fleet.io/"
RUN: Final = f"{PREFIX}run"
LONGEST: Final = 63
DIGEST: Final = 8


def label_value(text: str) -> str:
    """That text where it may be a label's value, else what is left of it with a digest."""
    if not text or (len(text) <= LONGEST and re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?", text, re.ASCII)):
        return text
    plain = re.sub(r"[^A-Za-z0-9._-]", "-", text)[: LONGEST - DIGEST - 1].strip("-_.")
    return f"{plain or 'x'}-{hashlib.sha256(text.encode()).hexdigest()[:DIGEST]}"


def told_to_tests(run: str) -> dict[str, str]:
    """Environment variables of all tests of a run, whatever its launcher."""
    return {"DOIT_FLEET_RUN_ID": run, "DOIT_FLEET_LABEL": f"{RUN}={label_value(run)}"}
