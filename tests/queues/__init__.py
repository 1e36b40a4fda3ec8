"""Queues, ranges and budgets, through the command line: on this machine and on real hosts."""
