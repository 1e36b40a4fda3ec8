"""The harness of commands, started as a process and spoken to as a supervisor would."""
