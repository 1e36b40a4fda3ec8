"""The task graph: what is realised, what runs, what is remembered, how it stops."""
