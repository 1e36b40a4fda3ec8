"""Play one seed, and say how to replay it when something breaks."""

from __future__ import annotations

from tests.simulation.scenarios import draw
from tests.simulation.virtual_time import play
from tests.simulation.worlds import World


def play_seed(seed: int) -> World:
    """Play the world of that seed. Raises what broke."""

    async def main() -> World:
        world = World(draw(seed))
        await world.play()
        return world

    return play(main())  # type: ignore[no-any-return]


def breakage(seed: int) -> str:
    """What breaks in the world of that seed, or nothing."""
    try:
        play_seed(seed)
    except Exception as fault:
        return f"seed {seed}: {type(fault).__name__}: {fault}\n  replay: pytest tests/simulation --seed={seed}"
    return ""
