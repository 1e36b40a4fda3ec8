"""A batch attempt that this worker owns: which of its tests are left, who is suspected, what is sent next.

It must not know the store or the harness; `claiming` makes it, `carrying` works it off.
"""

from __future__ import annotations

from attrs import define, field

from pipeline.logic.blame import Charges, Part, divide
from pipeline.logic.objects import Claim
from pipeline.logic.records import label
from pipeline.model.plans import Batch


@define(eq=False)
class Portion:
    """Tests sent to a harness in one `run` message; `tests` by its index `i`."""

    label: str
    assignment: Assignment
    tests: tuple[int, ...]
    careful: bool
    alone: bool
    left: set[int] = field(init=False)
    seconds_left: float = 0.0
    is_done: bool = False
    """The harness says that it has nothing more to say about these."""

    def __attrs_post_init__(self) -> None:
        """Nothing is done yet."""
        self.left = set(self.tests)

    def test_at(self, i: object) -> int | None:
        """The test at a harness's index, or None for nonsense."""
        return self.tests[i] if type(i) is int and 0 <= i < len(self.tests) else None


@define(eq=False)
class Assignment:
    """One claimed batch attempt."""

    batch: Batch
    claim: Claim
    suite: str
    charges: dict[int, Charges]
    careful: bool
    is_stolen: bool = False
    left: dict[int, None] = field(init=False)
    """Tests without a final record, in order."""
    parts_sent: int = 0
    ready: Portion | None = None
    """Sent ahead of time, not yet listened to."""

    def __attrs_post_init__(self) -> None:
        """Everything the claim names is left."""
        self.left = dict.fromkeys(self.claim.tests)

    def parts(self) -> tuple[Part, ...]:
        """How what is left divides into `run` messages."""
        return divide(tuple(self.left), self.charges, careful=self.careful)

    def portion(self, part: Part, seconds: float) -> Portion:
        """Number a part for sending."""
        number = self.parts_sent
        self.parts_sent += 1
        return Portion(
            label=label(self.claim.batch, self.claim.attempt, number),
            assignment=self,
            tests=part.tests,
            careful=part.careful,
            alone=part.alone,
            seconds_left=seconds,
        )
