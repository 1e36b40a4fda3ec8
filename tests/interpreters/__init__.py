"""Claims about finding the project's own interpreter."""
