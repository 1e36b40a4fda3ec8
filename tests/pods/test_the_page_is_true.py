"""Settings on docs/kubernetes.md can be written as they stand there, and a cluster takes what they make."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from extensions.plugins import Launching
from extensions.pod_terms import pod_terms
from pipeline.adapters.kubernetes_access import warnings_about
from pipeline.adapters.kubernetes_client import KubernetesClient
from pipeline.launchers.kubernetes.jobs import job_of
from pipeline.model.pools import Pool
from tests.engines.kubernetes.namespaces import Cluster
from tests.extensions.sites import Site
from tests.pods.given import IMAGE, PLACES, hiring

PAGE = (Path(__file__).parents[2] / "docs" / "kubernetes.md").read_text("utf-8")
BLOCKS = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
STORE = '[tool.doit-fleet.store]\nurl = "s3://acme-ci/fleet"\n'


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_settings_can_be_written_so(block: str, tmp_path: Path, agent: KubernetesClient, cluster: Cluster) -> None:
    """None is unknown, pods can be made of them, and the server warns of nothing."""
    site = Site(tmp_path)
    site.write("pyproject.toml", block if "store.url" in block else block + STORE)
    fleet = site.build()
    fleet.check()
    names = dict.fromkeys(fleet.suites[name].pool.get() for name in fleet.suites.names())

    for name in names:
        launching = Launching(specs={}, slots=1, lease_seconds=1.0, scratch=tmp_path, fleet=fleet)
        terms = pod_terms(launching, Pool(name=name, first=0, size=1, suites=()))
        job = job_of(terms, [hiring()], IMAGE, PLACES)
        assert warnings_about(agent, cluster.path("jobs", group="batch/v1"), job) == []


def test_the_page_has_settings() -> None:
    """Else nothing was looked at."""
    assert len(BLOCKS) >= 5
