"""What travels on the channel between a supervisor and a harness: one JSON object a line, both ways.

Supervisor to harness: key `do`. Harness to supervisor: key `say`. The harness side (`pipeline.harness`) may not import
this module; it builds the same objects from plain dictionaries, and a contract test compares the two. Bytes that are
no JSON object of a known kind are a `ChannelError` at the reader, never a crash.

| do | fields | meaning |
|---|---|---|
| collect | file | collect one file of the walk; answered by `collected` |
| collect-all | | full collection at once (fallback); answered by one `collected` with file "" |
| run | batch, tests: [[native, occurrence, file]…], attempt, retries, careful | queue these, to be run in order after what is queued already. `batch` is opaque to the harness (`<number>.<attempt>`). The supervisor sends the next batch while one runs whenever it can, so that the last test's tear-down knows its successor |
| go | i | (careful batches only) the start of test i is durable, it may begin |
| finish | | tear down what is still set up, say `bye`, exit |

| say | fields | meaning |
|---|---|---|
| hello | pid, python, framework, facts, keeps | the harness is up; `keeps` (or absent): what is set up stays while it is not known which test comes next |
| files | files: [path…], whole: reason or "" | the walk is done; `whole` says why each harness must collect everything |
| collected | file, tests: [[native, occurrence, unit, exclusive, file]…], errors: [[native, text]…], deselected, seconds | |
| start | batch, i, at | test i of the batch begins; `at` = seconds since hello, harness clock |
| result | batch, i, final, result | `result` is `model.verdicts.Result` as an object, without `test`; final false: a failed try with retries left |
| done | batch | every test of the batch has had its final result (verdict not-run with message "not found" if it does not exist here) |
| log | level, text | for the worker's log |
| bye | code | the harness ends in order, with the framework's own exit code |
"""

from __future__ import annotations

from typing import Any, TypeAlias

Message: TypeAlias = dict[str, Any]
"""A checked message: has `do` or `say`, and the fields of the table above with plain JSON values."""
