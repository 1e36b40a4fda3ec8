"""Measurements against peers and floors, as ratios within one run: `python -m benchmarks.<name> [--json]`.

Each module has `main(arguments) -> int` and prints one table, or with `--json` one JSON object.
"""
