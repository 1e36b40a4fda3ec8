"""The pytest side of the harness, driven as a supervisor would: real interpreters, real pytest, a socket between."""
