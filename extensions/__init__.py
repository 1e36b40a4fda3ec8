"""The settings objects of doit-fleet and the composition root; nothing in `pipeline` may import this package."""
