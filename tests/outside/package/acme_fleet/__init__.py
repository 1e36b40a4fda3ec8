"""One of everything that an outside package can add to doit-fleet, by documented API alone."""
