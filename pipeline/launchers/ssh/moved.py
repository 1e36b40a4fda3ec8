"""A suite's specification as it is on a host: paths below the project's root are below the host's. Pure."""

from __future__ import annotations

from pathlib import Path

from attrs import evolve

from pipeline.adapters.remote_project import beside_name
from pipeline.model.suites import HarnessSpec


def moved(spec: HarnessSpec, root: str, there: str, env: dict[str, str], beside: str = "") -> HarnessSpec:
    """`root` is the project here, `there` the same on the host; `env` is what the host's settings add,
    `beside` where files lie there that are outside the project."""

    def move(value: object) -> object:
        if isinstance(value, str) and (value == root or value.startswith(f"{root}/")):
            return there + value.removeprefix(root)
        if isinstance(value, list | tuple):
            return [move(one) for one in value]
        if isinstance(value, dict):
            return {name: move(one) for name, one in value.items()}
        return value

    options = move(spec.options)
    assert isinstance(options, dict)
    module = spec.module
    if module.startswith("/"):  # Of an outside package: one file.
        module = str(move(module)) if move(module) != module else f"{beside}/{beside_name(Path(module))}"
    return evolve(
        spec,
        module=module,
        cwd=str(move(spec.cwd)),
        env={**env, **{name: str(move(value)) for name, value in spec.env.items()}},
        options=options,
    )
