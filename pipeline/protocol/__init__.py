"""Claims, leases, tombstones, journals, the supervisor and the leader. Knows the store and the channel, no engine."""
