"""The console for a terminal: one live region at the bottom, whatever is said stands above it for good.

The only module that imports rich. Every text is handed over as plain `Text`, so that no markup, emoji code or control
character of a test is ever obeyed.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from attrs import define, field
from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from pipeline.model import events as e
from pipeline.report.console import ConsoleReporter
from pipeline.report.inert import inert_line
from pipeline.report.phrases import count, duration, number
from pipeline.report.progress import Progress

REFRESHES_PER_SECOND: Final = 8
MOST_WORKERS: Final = 8
"""Workers with a line of their own; the rest are summed up."""
BAR_WIDTH: Final = 24
_STYLES: Final = {"FAILED": "bold red", "ERROR": "bold red", "TIMED-OUT": "bold red", "CRASHED": "bold red"}
_WORD_STYLES: Final = {"flaky:": "yellow", "slow:": "yellow", "lost": "yellow", "warning:": "yellow", "error:": "red"}


@define(slots=False)
class LiveConsole(ConsoleReporter):
    """A region that is drawn again and again; all drawing and saying goes through rich's one lock."""

    environment: Mapping[str, str] = field(factory=dict, kw_only=True)
    _lock: threading.RLock = field(factory=threading.RLock)
    _console: Console = field(init=False)
    _live: Live | None = None
    _dead: bool = False
    _collecting: list[str] | None = None

    def __attrs_post_init__(self) -> None:
        """Make rich's console, told everything that it would otherwise guess."""
        self._console = Console(
            file=self.stream,
            force_terminal=True,
            force_interactive=True,
            no_color=bool(self.environment.get("NO_COLOR")),
            markup=False,
            emoji=False,
            highlight=False,
            _environ=self.environment,
        )

    def start(self) -> None:
        """Show the region."""
        if self._live is None and not self._dead:
            self._live = Live(
                get_renderable=self._region,
                console=self._console,
                refresh_per_second=REFRESHES_PER_SECOND,
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
                vertical_overflow="crop",
            )
            with self._surviving():
                self._live.start()

    def stop(self) -> None:
        """Take the region away."""
        live, self._live = self._live, None
        if live is not None:
            with self._surviving():
                live.stop()

    def tick(self) -> None:
        """Draw the region now."""
        if self._live is not None:
            with self._surviving():
                self._live.refresh()

    def event(self, event: e.Event) -> None:
        """Take an event; the drawing thread must not see it half taken."""
        with self._lock:
            text = self._taken(event)
        for each in text:
            self._print(each)

    def _taken(self, event: e.Event) -> list[str]:
        said: list[str] = []
        self._collecting = said
        try:
            super().event(event)
        finally:
            self._collecting = None
        return said

    def say(self, text: str) -> None:
        """Print above the region; from within `event` only once the state is free again for the drawing thread."""
        if self._collecting is not None:
            self._collecting.append(text)
        else:
            self._print(text)

    def _print(self, text: str) -> None:
        if self._dead:
            return
        with self._surviving():
            self._console.print(_styled(text), soft_wrap=True)

    @contextmanager
    def _surviving(self) -> Iterator[None]:
        """A terminal that has gone away is no error of the run. Rich answers a broken pipe with `SystemExit`."""
        try:
            yield
        except (OSError, ValueError, SystemExit):
            self._dead = True

    def _region(self) -> Group:
        with self._lock:
            lines = list(region(self.progress, self.now(), self._console.width, self._console.height))
        return Group(*lines)


def _styled(text: str) -> Text:
    """Give the first word its colour, if it has one."""
    styled = Text(text)
    word = text.split(" ", 1)[0]
    style = _STYLES.get(word) or _WORD_STYLES.get(word)
    if style:
        styled.stylize(style, 0, len(word))
    return styled


def region(progress: Progress, now: float, width: int, height: int) -> Iterator[Text]:
    """The lines of the region, each cut to the terminal's width."""
    room = max(1, min(MOST_WORKERS, height - 4))
    workers = list(_worker_lines(progress, now, room))
    waiting = list(_waiting_lines(progress, room - len(workers)))
    for line in (_status(progress, now, width), *workers, *waiting):
        line.no_wrap = True
        line.truncate(max(1, width - 1), overflow="ellipsis")
        yield line


def _status(progress: Progress, now: float, width: int) -> Text:
    if progress.phase != "running":
        found = f" {count(progress.collected, 'test')} in {count(progress.files, 'file')}" if progress.files else ""
        return Text(f"{progress.phase}…{found}")
    done = min(progress.done, progress.total)
    line = Text()
    if width >= 3 * BAR_WIDTH:
        filled = BAR_WIDTH * done // max(1, progress.total)
        line.append("█" * filled, "red" if progress.bad else "green").append("░" * (BAR_WIDTH - filled) + " ", "dim")
    line.append(f"{number(done)}/{number(progress.total)}")
    if progress.bad:
        line.append(f"  {number(progress.bad)} not good", "bold red")
    if progress.flaky:
        line.append(f"  {number(progress.flaky)} flaky", "yellow")
    if progress.lost_workers:
        line.append(f"  {progress.lost_workers} lost", "yellow")
    left = progress.seconds_left(now)
    return line.append(f"  {duration(left)} left", "cyan") if left is not None else line


def _waiting_lines(progress: Progress, room: int) -> Iterator[Text]:
    """Workers that wait for their places, and why; where there is no room for all, how many."""
    waiting = sorted(progress.waiting.items(), key=lambda each: each[1][0])
    shown = waiting if len(waiting) <= room else waiting[: max(0, room - 1)]
    for name, (_, text) in shown:
        yield Text(f"  {inert_line(name)} waits: {inert_line(text)}", "yellow")
    if len(waiting) > len(shown) and room > 0:
        yield Text(f"  {len(waiting) - len(shown)} more wait for their places", "yellow")


def _worker_lines(progress: Progress, now: float, room: int) -> Iterator[Text]:
    """Each worker's current test; where there is no room for all, those that have waited longest."""
    workers = sorted(progress.workers.items(), key=lambda each: each[1].slot)
    if len(workers) > room:
        busy = sorted((each for each in workers if each[1].test), key=lambda each: each[1].since)
        shown = busy[: room - 1]
    else:
        shown = workers
    for name, state in shown:
        line = Text(f"  {inert_line(name)} ", "dim")
        if state.test:
            line.append(f"{duration(now - state.since):>9} ").append(inert_line(state.test), "default")
        yield line
    if len(workers) > len(shown):
        running = sum(1 for _, state in workers if state.test)
        yield Text(f"  {running} of {len(workers)} workers run a test", "dim")
