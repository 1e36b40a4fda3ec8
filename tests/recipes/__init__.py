"""Artifacts that commands and users' tasks make."""
