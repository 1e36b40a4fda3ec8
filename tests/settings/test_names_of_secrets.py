"""The name of a secret may be written on a command line as in a file, and what may be a secret itself is never repeated."""

from __future__ import annotations

import pytest

from pipeline.settings.secret import Secret
from pipeline.settings.secret_kind import secret_name


@pytest.mark.parametrize("text", ["registry", '{ secret = "registry" }', '{secret="registry"}', "{secret='registry'}"])
def test_the_form_that_errors_name_can_be_typed(text: str) -> None:
    """Bare, or as the table that documentation shows."""
    read = secret_name.read(text)

    assert read == {"secret": "registry"}
    assert secret_name.parse(read, None) == Secret("registry")  # type: ignore[arg-type]
