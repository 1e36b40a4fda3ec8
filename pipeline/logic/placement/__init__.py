"""Which queue of which host may run which test, proved before the run: nothing is left out, nothing pinned is claimed twice."""
