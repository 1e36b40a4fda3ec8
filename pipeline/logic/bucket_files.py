"""The files of a bucket's layer: which plan, which bucket, and its tests in order. Depends on the plan alone.

Knows neither archives nor registries.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from pipeline.model.layer_entries import LayerEntry, file, folder
from pipeline.model.plans import Plan

FOLDER = "bucket"
"""Below the runtime's folder."""


def bucket_entries(plan: Plan, groups: Mapping[str, str], bucket: int | None, runtime: str) -> Sequence[LayerEntry]:
    """What the layer of one bucket holds, or, with None, the layer of all buckets. `groups`: `group_files(plan)`.

    A worker without a bucket of its own, because there are fewer buckets than workers, has an empty list.
    """
    names = groups if bucket is None else [f"test-group-{bucket}"]
    at = f"{runtime}/{FOLDER}"
    told = json.dumps({"bucket": bucket, "plan": plan.digest}, sort_keys=True) + "\n"
    listed = [file(f"{at}/{name}", groups.get(name, "").encode("utf-8", "surrogateescape")) for name in names]
    return [folder(at), file(f"{at}/bucket.json", told.encode()), *listed]
