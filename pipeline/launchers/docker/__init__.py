"""Workers as containers of a Docker daemon."""
