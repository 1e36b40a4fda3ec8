"""Registries of images: names, manifests, and real registries that work, refuse or fail."""
