"""Post JSON to an address, with a time-out for each try and some tries. Follows no redirection: headers may hold secrets.

Its errors never name the address, which may be a secret itself.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

from pipeline.errors import EngineError

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 30.0
AGAIN = frozenset({408, 425, 429})
"""Statuses below 500 for which another try may help."""


def tell_address(
    address: str,
    content: bytes,
    *,
    headers: Mapping[str, str],
    seconds: float,
    retries: int,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Post until it is taken. Raises `EngineError` with what came of the last try."""
    pause = FIRST_PAUSE_SECONDS
    for left in range(retries, -1, -1):
        trouble, is_final = _try(address, content, headers, seconds)
        if not trouble:
            return
        if is_final or not left:
            tries = retries - left + 1
            raise EngineError(trouble if tries == 1 else f"{trouble}, {tries} times")
        sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE_SECONDS)


def _try(address: str, content: bytes, headers: Mapping[str, str], seconds: float) -> tuple[str, bool]:
    """(what is wrong, whether another try is pointless); in a thread, because the time-out is for the whole."""
    told: list[tuple[str, bool]] = []
    thread = threading.Thread(target=lambda: told.append(_post(address, content, headers, seconds)), daemon=True)
    thread.start()
    thread.join(seconds)
    return told[0] if told else (f"no answer within {seconds:g} s", False)


def _post(address: str, content: bytes, headers: Mapping[str, str], seconds: float) -> tuple[str, bool]:
    import requests

    wanted = {"Content-Type": "application/json", "User-Agent": "doit-fleet", **headers}
    try:
        with requests.post(
            address, data=content, headers=wanted, timeout=seconds, allow_redirects=False, stream=True
        ) as answer:
            status = answer.status_code
    except requests.exceptions.Timeout:
        return f"no answer within {seconds:g} s", False
    except (
        requests.exceptions.MissingSchema,
        requests.exceptions.InvalidSchema,
        requests.exceptions.InvalidURL,
        requests.exceptions.InvalidHeader,
    ) as error:
        return f"it cannot be sent: {type(error).__name__}", True
    except requests.exceptions.RequestException as error:
        return f"it is not reached: {type(error).__name__}", False
    if 200 <= status < 300:
        return "", True
    return f"it answered with status {status}", status < 500 and status not in AGAIN
