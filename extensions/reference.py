"""Writes what is generated from the settings: docs/settings.md, and the JSON schema on demand.

`python -m extensions.reference [--schema]`; run it from the repository's root.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from extensions.fleet import Fleet
from pipeline.settings.reference import markdown
from pipeline.settings.schema import json_schema


def main(arguments: list[str]) -> None:
    """Print the schema, or write the reference."""
    fleet = Fleet.build(Path.cwd(), environment={}, arguments={}, home=Path("/nonexistent"))
    if "--schema" in arguments:
        sys.stdout.write(json.dumps(json_schema(fleet), indent=2) + "\n")
    else:
        Path("docs/settings.md").write_text(markdown(fleet), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
