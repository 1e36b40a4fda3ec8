"""What we may do in a cluster, and what it would say to an object: asked of the API server, nothing is made.

Objects: `SelfSubjectAccessReview` of authorization.k8s.io/v1; `dryRun=All` and `fieldValidation=Strict` of any create.
"""

from __future__ import annotations

import json
from typing import Final

from pipeline.adapters.kubernetes_api import ANSWER_SECONDS, JSON, KubernetesApi, Object, path_of
from pipeline.adapters.kubernetes_client import KubernetesClient
from pipeline.adapters.kubernetes_errors import refusal_of

REVIEWS: Final = path_of("selfsubjectaccessreviews", group="authorization.k8s.io/v1")


def is_allowed(
    api: KubernetesApi, verb: str, resource: str, *, group: str = "", part: str = "", namespace: str = ""
) -> bool:
    """Whether we may. No namespace: in all of them. Raises `ClusterUnreachable`, `ClusterRefuses`."""
    asked = {"verb": verb, "group": group, "resource": resource, "subresource": part, "namespace": namespace}
    kind = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview"}
    review = api.create(REVIEWS, {**kind, "spec": {"resourceAttributes": asked}})
    return bool(review["status"].get("allowed"))


def warnings_about(client: KubernetesClient, path: str, body: Object) -> list[str]:
    """What the server warns of if it were to make this object. Raises what it refuses with."""
    query = "?dryRun=All&fieldValidation=Strict"
    answer = client.send("POST", path + query, json.dumps(body).encode(), JSON, ANSWER_SECONDS)
    if answer.status >= 300:
        raise refusal_of(f"trying POST {path}", answer.status, answer.data)
    # `299 - "text"`, RFC 7234 section 5.5.
    lines = answer.headers.getlist("Warning")
    return [line.split('"', 1)[-1].removesuffix('"').replace('\\"', '"') for line in lines]
