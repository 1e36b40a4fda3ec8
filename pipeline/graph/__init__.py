"""The lazy task graph: catalog, loader, run command, state. Alone in importing doit; knows no stage by name."""
