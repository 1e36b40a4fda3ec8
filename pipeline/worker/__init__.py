"""The program of a worker that lives in a container: entry, first process, supervisor. A second composition root.

Nothing imports it; it enters images with the packages it needs, and finds everything else in the store.
"""
