"""Claims about matrices: what is read, which rows come of it, what is refused, and what is told of a row."""
