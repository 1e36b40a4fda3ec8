"""One file per task, in pipeline order; each registers itself in the catalog and receives ports, handles and values."""
