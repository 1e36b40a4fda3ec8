"""What settings say of pods arrives in manifests; what cannot work is told before a cluster is asked."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from extensions.plugins import Launching
from extensions.pod_terms import pod_terms
from pipeline.errors import FleetError, UsageError
from pipeline.launchers.kubernetes.jobs import job_of, secret_of
from pipeline.launchers.kubernetes.terms import PodTerms
from pipeline.model.pools import Pool
from pipeline.model.suites import HarnessSpec
from tests.extensions.sites import Site
from tests.pods.given import IMAGE, PLACES, hiring

S3 = 'store.url = "s3://bucket/fleet"\n'


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """An empty project beside an empty home."""
    (tmp_path / "project").mkdir()
    (tmp_path / "home").mkdir()
    return Site(tmp_path)


def terms_of(site: Site, text: str, pool: str = "default", env: dict[str, str] | None = None, **agent: str) -> PodTerms:
    """What a file of settings makes of a pool's pods; `env` is that of its suite."""
    site.write("fleet.toml", text if "store.url" in text or "[store]" in text else S3 + text)
    fleet = site.build({}, **agent)
    fleet.check()
    spec = HarnessSpec(suite="pytest", python="python", cwd="/", module="m", env=env or {})
    launching = Launching(specs={"pytest": spec}, slots=1, lease_seconds=1.0, scratch=site.root, fleet=fleet)
    return pod_terms(launching, Pool(name=pool, first=0, size=1, suites=("pytest",)))


def pod_of(terms: PodTerms) -> dict[str, Any]:
    """The pod's spec."""
    found: dict[str, Any] = job_of(terms, [hiring()], IMAGE, PLACES)["spec"]["template"]["spec"]
    return found


def test_without_settings_pods_are_restricted(site: Site) -> None:
    """Every container is; the image cannot be written, and everything has limits."""
    pod = pod_of(terms_of(site, ""))

    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"] == {
        "runAsUser": 65532, "runAsGroup": 0, "runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"},
    }  # fmt: skip
    for container in (*pod["containers"], *pod["initContainers"]):
        context = container["securityContext"]
        assert (context["allowPrivilegeEscalation"], context["readOnlyRootFilesystem"]) == (False, True)
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert container["resources"]["limits"] == {"cpu": "1000m", "memory": str(2**30)}
    scratch = next(volume for volume in pod["volumes"] if volume["name"] == "scratch")
    assert scratch["emptyDir"] == {"sizeLimit": str(2 * 2**30)}


def test_disrupted_and_fenced_workers_alone_are_made_anew(site: Site) -> None:
    """By the Job, also while no agent lives; each end by a code of its own."""
    spec = job_of(terms_of(site, ""), [hiring()], IMAGE, PLACES)["spec"]

    assert [rule["action"] for rule in spec["podFailurePolicy"]["rules"]] == ["Ignore", "Ignore", "FailJob"]
    assert spec["podFailurePolicy"]["rules"][1]["onExitCodes"]["values"] == [66, 143]
    assert (spec["podReplacementPolicy"], spec["backoffLimit"]) == ("Failed", 0)
    assert spec["activeDeadlineSeconds"] == 6 * 3600
    assert spec["ttlSecondsAfterFinished"] == 3600
    assert spec["template"]["spec"]["restartPolicy"] == "Never"


def test_a_runs_own_limit_bounds_its_jobs(site: Site) -> None:
    """With time to end."""
    assert terms_of(site, 'run.timeout_seconds = "1h"').deadline_seconds == 4200


POOLS = """
[pools.big]
memory = "8Gi"
cpus = 4
[pools.big.kubernetes]
node_selector = { size = "large" }
tolerations = [{ key = "spot", operator = "Exists" }]
template.spec.containers = [{ name = "worker", tty = true }]
[suites.pytest]
pool = "big"
[kubernetes]
cpu_request = 0.5
node_selector = { arch = "arm64" }
environment = { LANG = "C.UTF-8" }
template.spec.shareProcessNamespace = true
"""


def test_a_pool_says_what_differs(site: Site) -> None:
    """Maps and templates are laid over those of all pools."""
    pod = pod_of(terms_of(site, POOLS, "big"))

    assert pod["nodeSelector"] == {"arch": "arm64", "size": "large"}
    assert pod["shareProcessNamespace"] is True
    (worker,) = pod["containers"]
    assert worker["tty"] is True
    assert worker["resources"]["requests"] == {"cpu": "500m", "memory": str(8 * 2**30)}
    assert worker["resources"]["limits"] == {"cpu": "4000m", "memory": str(8 * 2**30)}
    assert {"name": "LANG", "value": "C.UTF-8"} in worker["env"]


def test_secrets_are_in_the_secret_only(site: Site) -> None:
    """Of tests and of the store; manifests of Jobs go into logs and audits."""
    terms = terms_of(site, "", env={"DB": "swordfish"}, AWS_SECRET_ACCESS_KEY="tunafish")

    told = base64.b64decode(secret_of(terms, "r-1", 1)["data"]["secrets.json"])

    assert json.loads(told) == {"env": {"pytest": {"DB": "swordfish"}}, "store": {"AWS_SECRET_ACCESS_KEY": "tunafish"}}
    whole = json.dumps(job_of(terms, [hiring()], IMAGE, PLACES)) + repr(terms)
    assert "swordfish" not in whole
    assert "tunafish" not in whole


def test_secrets_of_the_cluster_are_named_and_never_read(site: Site) -> None:
    """Neither the store's nor those of tests; the agent's own credentials stay at home then."""
    text = 'kubernetes.store_secret = "s3"\nkubernetes.secret_environment = { DB = "db/password" }'
    terms = terms_of(site, text, AWS_SECRET_ACCESS_KEY="tunafish")

    (worker,) = pod_of(terms)["containers"]

    assert terms.store_env == {}
    reference = {"secretKeyRef": {"name": "db", "key": "password"}}
    assert {"name": "DB", "valueFrom": reference} in worker["env"]


def test_after_preemptions_the_rest_runs_elsewhere(site: Site) -> None:
    """Where the pool's own placement is replaced as a whole."""
    text = 'node_selector = { kind = "spot" }\ntolerations = [{ key = "spot", operator = "Exists" }]\n'
    after = '[kubernetes.after_preemptions]\ncount = 3\nnode_selector = { kind = "lasting" }\n'
    terms = terms_of(site, f"[kubernetes]\n{text}{after}[store]\nurl = 's3://bucket/x'")

    assert terms.preemptions == 3
    assert terms.undisturbed is not None
    assert pod_of(terms.undisturbed)["nodeSelector"] == {"kind": "lasting"}
    assert "tolerations" not in pod_of(terms.undisturbed)
    assert pod_of(terms)["nodeSelector"] == {"kind": "spot"}


def test_a_store_in_a_folder_is_a_claim_there(site: Site) -> None:
    """Mounted where the agent has it; a folder in the claim is possible."""
    terms = terms_of(site, 'store.url = "/shared/fleet"\nkubernetes.store_claim = "ci-shared/fleet"')

    pod = pod_of(terms)

    assert terms.store == "file:///shared/fleet"
    assert {"name": "store", "persistentVolumeClaim": {"claimName": "ci-shared"}} in pod["volumes"]
    mount = {"name": "store", "mountPath": "/shared/fleet", "subPath": "fleet"}
    assert mount in pod["containers"][0]["volumeMounts"]


SERVICES = (
    'suites.pytest.services.redis = { image = "redis:7", ready = ["redis-cli", "ping"], ready_timeout_seconds = 20 }'
)


def test_services_are_native_sidecars(site: Site) -> None:
    """Started first, probed until they are ready, reached by name, restricted as all else."""
    pod = pod_of(terms_of(site, SERVICES))

    service = pod["initContainers"][-1]
    assert (service["name"], service["restartPolicy"]) == ("service-redis", "Always")
    assert service["startupProbe"]["exec"] == {"command": ["redis-cli", "ping"]}
    assert service["startupProbe"]["failureThreshold"] == 20
    assert service["securityContext"]["allowPrivilegeEscalation"] is False
    assert pod["hostAliases"] == [{"ip": "127.0.0.1", "hostnames": ["redis"]}]


MISTAKES = {
    "a folder that pods do not have": ('store.url = "/here"', r"'/here' is a folder of this machine"),
    "an endpoint of this machine": ('store.url = "s3://bucket/x?endpoint=http://127.0.0.1:9000"', "in a pod that is the pod"),
    "a request above the limit": ("workers.cpus = 1\nkubernetes.cpu_request = 2", "asks for 2, but 'workers.cpus' allows 1"),
    "memory above the limit": ('workers.memory = "1Gi"\nkubernetes.memory_request = "2Gi"', "memory_request"),
    "a label of ours": ('kubernetes.labels = { "doit-fleet.io/run" = "x" }', "is ours"),
    "a template without our label": ('kubernetes.template.metadata.labels = { "doit-fleet.io/run" = "x" }', "may not change"),
    "a worker that starts anew": ('kubernetes.template.spec.restartPolicy = "Always"', "restartPolicy"),
    "no worker at all": (
        'kubernetes.template.spec.containers = [{ name = "worker", "$patch" = "delete" }]', "container 'worker'",
    ),
    "a container without a name": ("kubernetes.template.spec.containers = [{ tty = true }]", "has no name"),
    "a word that is none of a template": ("kubernetes.template.spek = {}", "did you mean 'spec'"),
    "a word that is none of a toleration": ('kubernetes.tolerations = [{ kee = "x" }]', "did you mean 'key'"),
    "a word that is none of a volume": ('kubernetes.volumes = [{ mountPath = "/x", configmap = {} }]', "'configMap'"),
    "a volume without a place": ('kubernetes.volumes = [{ name = "x" }]', "it has no 'mountPath'"),
    "an affinity of nobody": ("kubernetes.affinity = { nodeAfinity = {} }", "did you mean 'nodeAffinity'"),
    "a spread without a topology": ("kubernetes.topology_spread = [{ maxSkew = 1 }]", "it has no 'topologyKey'"),
    "a name that cannot be": ('kubernetes.namespace = "My Team"', "small letters"),
    "a selector that cannot be": ('kubernetes.node_selector = { "a b" = "c" }', "no label's name"),
    "a user by name": ('kubernetes.user = "app"', "a user by number"),
    "a secret in plain sight": ('kubernetes.environment = { A = { secret = "db" } }', "is a secret"),
    "a key without a secret": ('kubernetes.secret_environment = { A = "db" }', "is not secret/key"),
    "a variable twice": (
        'kubernetes.environment = { A = "x" }\nkubernetes.secret_environment = { A = "db/a" }', "'A' is in both",
    ),
    "a kind without a version": ('kubernetes.sweep_kinds = ["databases"]', "group/version/plural"),
    "a service that is no host": ('suites.pytest.services.my_db = { image = "x" }', "is no host name"),
    "preemptions without another place": ("kubernetes.after_preemptions.count = 2", "would run where they run before"),
    "a setting that is none": ('kubernetes.namespce = "x"', "did you mean 'namespace'"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "told"), MISTAKES.values(), ids=MISTAKES.keys())
def test_mistakes_are_told_before_anything_runs(site: Site, text: str, told: str) -> None:
    """With what to write instead."""
    with pytest.raises(FleetError, match=told) as raised:
        terms_of(site, text)

    assert raised.value.exit_code == UsageError.exit_code


def test_an_environment_too_large_for_a_secret_is_told(site: Site) -> None:
    """Kubernetes' own limit, before it is asked."""
    with pytest.raises(UsageError, match="a Secret holds 1048576"):
        terms_of(site, "", env={"BIG": 2**20 * "x"})
