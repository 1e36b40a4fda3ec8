"""Claims about what survives: real processes are killed and stopped under a real `doit-fleet`, for each launcher by parameter."""
