"""Claims about collecting over warm harnesses."""
