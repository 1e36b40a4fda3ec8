"""Names and labels are what Kubernetes takes, whatever runs, pools and projects are called, and tell things apart."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.launchers.kubernetes.jobs import job_of, secret_of
from pipeline.launchers.kubernetes.names import job_name, object_name, secret_name
from pipeline.launchers.kubernetes.terms import PodTerms
from pipeline.logic.worker_ranges import read_ranges, worker_at, write_ranges
from pipeline.model.labels import label_value
from tests.pods.given import IMAGE, PLACES, hiring

HOST = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", re.ASCII)
VALUE = re.compile(r"([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?", re.ASCII)
ANY = st.text(max_size=80)
WORKERS = st.lists(st.tuples(st.integers(0, 300), st.integers(1, 20)), unique=True, max_size=40)


@given(parts=st.lists(ANY, min_size=1, max_size=4))
def test_a_name_is_a_host_name_with_room_for_an_index(parts: list[str]) -> None:
    """RFC 1123: pods of an Indexed Job are hosts called `<job>-<index>`."""
    name = object_name(*parts)

    assert HOST.fullmatch(name)
    assert len(f"{name}-99999") <= 63


@given(one=st.lists(ANY, min_size=2, max_size=2), other=st.lists(ANY, min_size=2, max_size=2))
def test_other_parts_give_other_names(one: list[str], other: list[str]) -> None:
    """A name that had to be changed or cut carries a digest."""
    assert (object_name(*one) != object_name(*other)) or "-".join(one) == "-".join(other)


@given(text=ANY)
def test_a_label_is_the_text_where_that_is_possible(text: str) -> None:
    """And valid always, so that selecting by it finds the same."""
    value = label_value(text)

    assert VALUE.fullmatch(value)
    assert value == text or not VALUE.fullmatch(text)
    assert label_value(value) == value


@given(run=ANY, pool=ANY, project=ANY, nonce=st.text("0123456789abcdef", min_size=32, max_size=32))
def test_manifests_have_valid_names_and_labels(run: str, pool: str, project: str, nonce: str) -> None:
    """Jobs, pods, Secrets, and the Secret that pods name is the one that is made."""
    terms = PodTerms(project=project, pool=pool, store="s3://b/p", store_label="0" * 16)
    job = job_of(terms, [hiring(run=run, nonce=nonce)], IMAGE, PLACES)
    secret = secret_of(terms, run, 1)

    for each in (job, job["spec"]["template"], secret):
        assert all(VALUE.fullmatch(value) for value in each["metadata"]["labels"].values())
    assert HOST.fullmatch(job["metadata"]["name"])
    volumes = {volume["name"]: volume for volume in job["spec"]["template"]["spec"]["volumes"]}
    assert volumes["secrets"]["secret"]["secretName"] == secret["metadata"]["name"]


def test_each_hiring_has_a_job_of_its_own() -> None:
    """Also of the same worker, and one Job of many is none of one."""
    once, again = hiring(0, nonce="a" * 32), hiring(0, nonce="b" * 32)

    assert len({job_name([once]), job_name([again]), job_name([once, hiring(1)])}) == 3
    assert secret_name("a", 1, "t1-b") != secret_name("a-t1", 1, "b")
    assert len({secret_name("r", 1, "p"), secret_name("r", 2, "p"), secret_name("r", 1, "q")}) == 3


@given(workers=WORKERS)
def test_ranges_name_each_index(workers: list[tuple[int, int]]) -> None:
    """In the order given, and whole."""
    names = [f"w{slot}-{ordinal}" for slot, ordinal in workers]
    text = write_ranges(names)

    assert read_ranges(text) == names
    assert [worker_at(text, index) for index in range(len(names))] == [
        (name, slot) for name, (slot, _) in zip(names, workers, strict=True)
    ]
    with pytest.raises(IndexError):
        worker_at(text, len(names))


def test_ranges_of_many_workers_are_short() -> None:
    """They are in every pod's spec."""
    assert write_ranges(f"w{slot}-1" for slot in range(10_000)) == "0-9999:1"
