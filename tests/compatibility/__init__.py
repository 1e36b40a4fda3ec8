"""Claims about pytest plug-ins and habits: a small real project gives the same results as with plain pytest.

The rows of docs/compatibility.md are these tests: `python -m tests.compatibility.table` writes it.
"""
