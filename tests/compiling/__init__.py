"""Claims about byte-compiling sources."""
