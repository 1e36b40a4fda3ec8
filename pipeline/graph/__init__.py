"""The lazy task graph: catalog, loader, run command, state. The only level that imports doit; knows no stage by name."""
