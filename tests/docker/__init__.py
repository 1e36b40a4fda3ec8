"""Workers as containers, on a real daemon with a real registry."""
