"""Workers on hosts that are reached by ssh: supervisors here, harnesses there."""
