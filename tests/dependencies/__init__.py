"""Locks, wheels and the environments that images get of them."""
