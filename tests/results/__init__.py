"""Claims about what is remembered of earlier runs."""
