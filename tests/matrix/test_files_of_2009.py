"""Files as KVM-Autotest had them in 2009: regular expressions, blanks for or, hosts and queues as two more stanzas."""

from __future__ import annotations

import pytest

from pipeline.logic.matrix.explaining import Dropped, explain
from pipeline.logic.matrix.places import MatrixError
from pipeline.logic.placement.offers import labels_of
from tests.matrix.given import matrix, names, rows

TESTS = """
    vms = vm1
    variants:
        - install:
            type = steps
        - setup:    install
            type = steps
        - boot:     install setup
            type = boot
        - migrate:  install setup
            variants:
                - 1:
                - 2: 1
    variants:
        - @rtl8139:
        - e1000:    rtl8139.install rtl8139.setup
            no install setup
            nic_model = e1000
    variants:
        - @Linux:
            variants:
                - Fedora.8.32:
                    image_name = fc8-32
                    install:
                        steps = Fedora-8-i386.steps
                - RHEL.5.3:
                    image_name = rhel5
        - @Windows:
            boot: timeout = 600
            variants:
                - WinXP.32:
                    image_name = winXP
    variants:
        - @up:
        - smp2:
            no Windows
            extra_params += " -smp 2"
    e1000|smp2:
        only Fedora.8 RHEL
"""

HOSTS = """
    variants:
        - @host1:
            hostname = lab1
            variants:
                - @queue1:
                    queue = 1
                    mac_range = 52:54:00:00:00:00+16
                - @queue2:
                    queue = 2
                    mac_range = 52:54:00:00:00:10+16
        - @host2:
            hostname = lab2
            queue = 1
            mac_range = 52:54:00:00:01:00+16
    variants:
        - @nightly:
            host1.queue1: only RHEL|Windows
            host1.queue2: only Fedora
            host2: only migrate
            host1: no migrate
        - @quick:
            only host1.queue1
            only qcow.*|up.*Linux.Fedora.*install
"""


def test_a_set_chooses_tests_and_places() -> None:
    """`RHEL|Windows` is RHEL or Windows; each row knows its host and queue, none of which is in its short name."""
    found = rows(TESTS, HOSTS, "only nightly\nonly up\nonly rtl8139")

    assert {(row.shortname, row.values["hostname"], row.values["queue"]) for row in found} == {
        *((f"Fedora.8.32.{test}", "lab1", "2") for test in ("install", "setup", "boot")),
        *((f"RHEL.5.3.{test}", "lab1", "1") for test in ("install", "setup", "boot")),
        *((f"WinXP.32.{test}", "lab1", "1") for test in ("install", "setup", "boot")),
        *((f"{guest}.migrate.{n}", "lab2", "1") for guest in ("Fedora.8.32", "RHEL.5.3", "WinXP.32") for n in (1, 2)),
    }


def test_patterns_are_searched_in_dotted_names() -> None:
    """`.*` goes over any variants, in the order of the name."""
    found = names(TESTS, HOSTS, "only quick")

    assert {name.split("up.")[1] for name in found} == {"Linux.Fedora.8.32.rtl8139.install"}


def test_conditions_may_be_patterns() -> None:
    """`e1000|smp2:` holds for both."""
    found = names(TESTS, "only e1000|smp2\nonly boot")

    assert found == [
        "up.Linux.Fedora.8.32.e1000.boot",
        "up.Linux.RHEL.5.3.e1000.boot",
        "smp2.Linux.Fedora.8.32.rtl8139.boot",
        "smp2.Linux.Fedora.8.32.e1000.boot",
        "smp2.Linux.RHEL.5.3.rtl8139.boot",
        "smp2.Linux.RHEL.5.3.e1000.boot",
    ]


def test_dependencies_are_those_of_the_same_guest() -> None:
    """Dotted ones go into the stanza before."""
    (row,) = rows(TESTS, "only smp2..e1000.boot..RHEL")

    assert row.dependencies == (
        "smp2.Linux.RHEL.5.3.rtl8139.install",
        "smp2.Linux.RHEL.5.3.rtl8139.setup",
        "smp2.Linux.RHEL.5.3.e1000.install",
        "smp2.Linux.RHEL.5.3.e1000.setup",
    )


def test_why_a_test_is_on_no_queue_is_told() -> None:
    """Every filter that keeps it from there."""
    (dropped,) = explain(matrix(TESTS, HOSTS).tree(), "nightly.host1.queue1.up.Linux.Fedora.8.32.rtl8139.boot")

    assert isinstance(dropped, Dropped)
    assert [each.said for each in dropped.reasons] == ["only RHEL|Windows"]


def test_a_pattern_that_is_found_nowhere_is_an_error() -> None:
    """As any filter that matches nothing."""
    with pytest.raises(MatrixError, match=r"filter 'only Fedora\.9\.\*' matches nothing"):
        names(TESTS, "only Fedora.9.*")


def test_names_are_read_back_as_labels() -> None:
    """Placement filters look at the same variants as the matrix does."""
    assert [label.long for label in labels_of("boot.(os=linux).Fedora.8")] == ["boot", "(os=linux)", "Fedora", "8"]
