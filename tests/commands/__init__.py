"""Claims about what a user can ask for on the command line: which tests, when to stop, how to look closer."""
