"""Any command as a test, from the command line: real commands, real workers."""
