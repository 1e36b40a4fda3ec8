"""What pure functions promise."""
