"""Names among what a worker elsewhere is given for the store's client, beside the client's own variables."""

from __future__ import annotations

from typing import Final

CA_BUNDLE: Final = "DOIT_FLEET_STORE_CA"
"""Certificates in PEM form: the content of the agent's `AWS_CA_BUNDLE`."""
UNTIL: Final = "DOIT_FLEET_STORE_UNTIL"
"""When the credentials expire, in seconds since the epoch, where later workers are given others."""
MOST_MARGIN_SECONDS: Final = 300.0
"""Before credentials expire, a worker claims nothing more: botocore has renewed those of the agent by then."""


def seconds_to_work(until: str, now: float) -> float:
    """How long a worker may claim batches at `now`, seconds since the epoch; less than 0: not at all. For people's clocks only
    in that S3 itself refuses a clock that is wrong by minutes. Raises `ValueError`."""
    left = float(until) - now
    return left - min(MOST_MARGIN_SECONDS, left / 4) if left > 0 else left
