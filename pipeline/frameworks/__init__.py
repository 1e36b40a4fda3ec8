"""The agent's side of a test framework: how its harness starts, how a person repeats a test. Knows no launcher, no store."""
