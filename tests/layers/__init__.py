"""Layers: their bytes, and where they are kept."""
