"""What enters the user's test process: the standard library only, Python 3.8 and later, nothing of ours imported.

The folder may be copied anywhere. It is loaded under the private name `_doit_fleet_harness`, never through `sys.path`;
`BOOTSTRAP` beside the adapters says how.
"""
