"""The program of a worker that lives elsewhere."""
