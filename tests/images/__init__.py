"""Images of runs: what is in them, when they are made again, and what never gets into them."""
