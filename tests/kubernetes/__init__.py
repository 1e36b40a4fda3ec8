"""Kubernetes as the project speaks to it, on a real cluster."""
