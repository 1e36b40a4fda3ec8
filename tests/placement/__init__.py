"""Claims about placement: every test has a place, a pinned one exactly one, and what cannot be is named."""
