"""What a host says of itself when a relay starts there, and its folder; then the relay.

Called by the bootstrap that `adapters.relay_bootstrap` sends.
"""

from __future__ import annotations

import os
import platform
import shutil
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

from .free_memory import available_memory
from .relay import main
from .relay_house import House


def start(order: dict[str, Any], base: str, say: Callable[..., None], out: int) -> None:
    """Make the folder, say what is here, be the relay. `order`: `name`, `about`, `least_bytes` and what `relay.main` wants."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # From before there is a folder: who has one must live to remove it.
    house = House(base, order["name"])
    house.env = order["env"]
    try:
        house.open(order["about"])
        free = shutil.disk_usage(house.folder).free
        if free < order["least_bytes"]:
            house.leave()
            say(failed="disk", free=free, where=base)
            return
    except OSError as error:
        house.leave()
        say(failed="folder", text=error.strerror, errno=error.errno, where=error.filename or base)
        return
    try:
        say(
            hello={
                "python": ".".join(map(str, sys.version_info[:3])),
                "executable": sys.executable,
                "system": f"{platform.system()} {platform.machine()}",
                "node": platform.node(),
                "folder": house.folder,
                "free": free,
                "cores": os.cpu_count() or 1,
                "load": os.getloadavg()[0],
                "memory": available_memory("/"),
                "uid": os.getuid(),
                "time": time.time(),
            }
        )
    except OSError:  # Nobody listens any more.
        house.leave()
        return
    main(out, house, order)
