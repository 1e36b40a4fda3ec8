"""Rows of parameters from a few lines of text: variants multiply, filters drop, values overwrite. What reads files is elsewhere."""
