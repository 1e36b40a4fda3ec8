"""Pure functions over the model: estimating, batching, grouping, stealing, merging. No I/O, no clock."""
