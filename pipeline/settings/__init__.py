"""Layered, lazy, typed settings and their provenance. Knows no setting by name."""
