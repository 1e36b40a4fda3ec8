"""Claims about ranges: how they are written, and that no two places ever hold the same thing."""
