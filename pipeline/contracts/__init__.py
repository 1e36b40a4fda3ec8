"""Contract suites: what every store and launcher must keep, as tests to inherit from, for outside packages too.

The only place that imports pytest; nothing else of ours imports it, so the tool itself does not need pytest.
"""
