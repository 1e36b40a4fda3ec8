"""Claims about tests that attack their process and their machine, as a user sees them: through a whole `doit-fleet`."""
