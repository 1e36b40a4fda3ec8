"""Send many images at once: layers, config, then the manifest of each. Knows any `ports.images.Registry`."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed

from pipeline.ports.images import OutgoingImage

Send = Callable[[OutgoingImage], int]


def send_all(
    images: Sequence[OutgoingImage],
    send: Send,
    done: Callable[[OutgoingImage], None],
    *,
    connections: int,
    stop: threading.Event,
) -> int:
    """Call `send` for each image in `connections` threads; the sum of what they return.

    The first error, or Ctrl-C, sets `stop`, cancels what has not begun, waits for what has, and is raised.
    """
    with ThreadPoolExecutor(max_workers=connections, thread_name_prefix="registry") as pool:
        waiting: dict[Future[int], OutgoingImage] = {}
        try:
            waiting.update((pool.submit(send, image), image) for image in images)
            total = 0
            for future in as_completed(waiting):
                total += future.result()
                done(waiting[future])
        except BaseException:
            stop.set()
            for future in waiting:
                future.cancel()
            raise
    return total


def content_of(data: bytes) -> Callable[[], io.BytesIO]:
    """Opens bytes, as blobs are sent."""
    return lambda: io.BytesIO(data)
