"""What goes wrong with engines, always with the way out."""

from __future__ import annotations


class EngineTrouble(Exception):
    """An engine cannot be started, found or stopped; `hint` says what to do."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(f"{message}\n  {hint}")
        self.hint = hint
