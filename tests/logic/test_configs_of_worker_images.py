"""What a worker's image tells the processes in it."""

from __future__ import annotations

import pytest

from pipeline.logic.image_configs import active


@pytest.mark.parametrize(
    ("pythons", "expected"),
    [
        (["/opt/project/3.11/bin/python"], {"VIRTUAL_ENV": "/opt/project/3.11"}),
        (["/opt/project/3.11/bin/python"] * 2, {"VIRTUAL_ENV": "/opt/project/3.11"}),
        (["/opt/project/3.11/bin/python", "/opt/project/3.12/bin/python"], {}),
        (["/opt/project/3.11/bin/python", "/usr/bin/python3"], {}),
        (["/usr/bin/python3"], {}),
        ([], {}),
    ],
)
def test_only_a_single_environment_of_ours_is_active(pythons: list[str], expected: dict[str, str]) -> None:
    """Tools that tests start find it, as they do where a person has activated one."""
    assert active(pythons) == expected
