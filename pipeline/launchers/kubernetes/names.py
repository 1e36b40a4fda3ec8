"""Names and labels of what we make in a cluster: always valid, short enough, told apart by a digest where they had to be cut.

Limits: names of Jobs are host names of pods, too (RFC 1123 label, 63 characters, `-<index>` added); values of labels as in
Kubernetes' "Labels and Selectors". Pure.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from pipeline.model.labels import DIGEST, PREFIX, RUN, label_value
from pipeline.ports.places import Hiring

if TYPE_CHECKING:
    from pipeline.launchers.kubernetes.terms import PodTerms

TERM, WORKER, SLOT, POOL, PROJECT, STORE = (
    f"{PREFIX}{word}" for word in ("term", "worker", "slot", "pool", "project", "store")
)
"""Labels, beside `RUN`, of Jobs, pods and Secrets. Worker and slot are those of a Job of one worker and its pod."""
WORKERS: Final = f"{PREFIX}workers"
"""Annotation of an Indexed Job: `logic.worker_ranges` of its workers by index."""
MANAGED_BY: Final = "app.kubernetes.io/managed-by"
OURS: Final = "doit-fleet"
LONGEST: Final = 57
"""Of names: `-99999` fits behind."""


def object_name(*parts: str) -> str:
    """Joined by `-`: small letters, digits and `-`, at most 57 characters. Equal parts give equal names, others give others."""
    whole = "-".join(parts)
    plain = re.sub(r"[^a-z0-9-]", "-", whole.lower()).strip("-")
    if plain == whole and 0 < len(plain) <= LONGEST:
        return plain
    return f"{plain[: LONGEST - DIGEST - 1].strip('-') or 'x'}-{_digest(parts)}"


def job_name(hirings: Sequence[Hiring]) -> str:
    """Of the Job of these workers; the nonce of the first makes it another one for every hiring."""
    first = hirings[0]
    return object_name(OURS, first.run, first.worker, *(["all"] if len(hirings) > 1 else []), first.nonce[:DIGEST])


def secret_name(run: str, term: int, pool: str, until: str = "") -> str:
    """Of the Secret that the workers of a pool get in one term of a run; another one when what is in it has expired."""
    parts = (run, str(term), pool, *([until] if until else []))
    return object_name(OURS, run, f"t{term}", pool, _digest(parts))  # Runs and pools may hold a `-`.


def run_labels(run: str, *, term: int | None = None, store: str = "") -> dict[str, str]:
    """By which a run's objects, or one term's, are selected."""
    labels = {MANAGED_BY: OURS, RUN: label_value(run)}
    labels |= {TERM: str(term)} if term is not None else {}
    return {**labels, STORE: label_value(store)} if store else labels


def labels_of(terms: PodTerms, run: str, term: int) -> dict[str, str]:
    """Whose an object is; the user's own labels are below ours."""
    ours = {POOL: label_value(terms.pool), PROJECT: label_value(terms.project)}
    return {**terms.labels, **run_labels(run, term=term, store=terms.store_label), **ours}


def selector_of(labels: Mapping[str, str]) -> str:
    """As the API's `labelSelector` takes it."""
    return ",".join(f"{name}={value}" for name, value in sorted(labels.items()))


def _digest(parts: Sequence[str]) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:DIGEST]
