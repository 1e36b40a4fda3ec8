"""What a test is before it runs, and how it is named."""

from __future__ import annotations

from attrs import frozen


@frozen(kw_only=True, slots=True)
class Test:
    """One thing that gets a verdict.

    `id` is unique in a plan. `(native, occurrence)` finds it again in a harness: never an index, because workers may
    see lists of different length.
    """

    __test__ = False

    id: str
    """`suite::native id`, with ` #2` and so on for a native id that occurs again."""
    suite: str
    native: str
    """The framework's own id, for pytest the node id, relative to the suite's root directory."""
    occurrence: int = 0
    """How many tests with the same native id come before it in its file."""
    file: str = ""
    """What is collected together, relative to the suite's root; for pytest the test file."""
    unit: str = ""
    """Tests of equal unit are never split over batches (a class, an xdist_group); empty: this test alone."""
    exclusive: str = ""
    """Name of a resource that only one batch of the run may use; empty: none."""
    seconds: float = 0.0
    """Estimate of its duration; filled by `logic.estimating`, 0 before."""
