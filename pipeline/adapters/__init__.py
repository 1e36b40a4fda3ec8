"""One outside system each: directories, processes, SQLite, clocks. Only this level reaches outside; it knows ports, no stage."""
