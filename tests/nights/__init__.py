"""Runs that nobody watches: what they leave to be read, how they stop, what a later run takes over, who is told of the end."""
