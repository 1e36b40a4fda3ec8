"""The agent's side of frameworks: pure parts, without processes."""
