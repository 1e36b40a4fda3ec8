"""Readers of events and of the merged run. Whatever they show comes from tests and is hostile."""
