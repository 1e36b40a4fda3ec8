"""doit-fleet: run a slow test suite on a fleet of workers; the levels are listed in docs/architecture.md."""
