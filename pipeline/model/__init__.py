"""Frozen values, parsed once at the edge. No I/O, no clock, nothing above `errors` is imported here."""
