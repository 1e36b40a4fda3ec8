"""Claims about what people and CI servers are told of a run."""
