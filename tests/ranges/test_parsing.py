"""How ranges are written, and what is refused."""

from __future__ import annotations

import pytest

from pipeline.errors import UsageError
from pipeline.logic.resource_ranges.kinds import Kind
from pipeline.logic.resource_ranges.ranges import parse_range


@pytest.mark.parametrize(
    ("kind", "text", "count", "first", "last"),
    [
        (Kind.MAC, "52:54:00:00:00:F0-52:54:00:00:01:0f", 32, "52:54:00:00:00:f0", "52:54:00:00:01:0f"),
        (Kind.MAC, "52:54:00:00:00:10+16", 16, "52:54:00:00:00:10", "52:54:00:00:00:1f"),
        (Kind.IP, "10.0.0.250-10.0.1.5", 12, "10.0.0.250", "10.0.1.5"),
        (Kind.IP, "10.0.0.0/29", 6, "10.0.0.1", "10.0.0.6"),
        (Kind.IP, "10.0.0.0/31", 2, "10.0.0.0", "10.0.0.1"),
        (Kind.IP, "10.0.0.7", 1, "10.0.0.7", "10.0.0.7"),
        (Kind.IP, "fd00::10-fd00::1f", 16, "fd00::10", "fd00::1f"),
        (Kind.IP, "fd00::/64", 2**64, "fd00::", "fd00::ffff:ffff:ffff:ffff"),
        (Kind.IP, "::5+2", 2, "::5", "::6"),
        (Kind.PORT, "5900-5903, 6000", 5, "5900", "6000"),
        (Kind.DEVICE, "sd[b-d], nvme0n1", 4, "sdb", "nvme0n1"),
        (Kind.DEVICE, "/dev/nvme[8-11]n1", 4, "/dev/nvme8n1", "/dev/nvme11n1"),
        (Kind.FREE, "licence-[08-11]", 4, "licence-08", "licence-11"),
    ],
)
def test_forms(kind: Kind, text: str, count: int, first: str, last: str) -> None:
    """First and last with a dash, a count after a plus, networks, brackets, several with commas."""
    made = parse_range("r", kind, [text])

    assert made.count == count
    assert (made.text(made.spans[0].first), made.text(made.spans[-1].last)) == (first, last)


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        (Kind.MAC, "52:54:00:00:00-52:54:00:00:00:01", "is no mac"),
        (Kind.MAC, "53:54:00:00:00:00+4", "group of stations"),
        (Kind.MAC, "fe:ff:ff:ff:ff:ff+4294967296000", "beyond the last mac"),
        (Kind.IP, "10.0.0.9-10.0.0.1", "runs backwards"),
        (Kind.IP, "10.0.0.1-fd00::1", "one version of IP to the other"),
        (Kind.IP, "10.0.0.300", "is no ip"),
        (Kind.IP, "10.0.0.1/24", "is no network"),
        (Kind.IP, "255.255.255.255+2", "beyond the last ip"),
        (Kind.PORT, "0-5", "is no port"),
        (Kind.PORT, "65530+10", "beyond the last port"),
        (Kind.PORT, "80+0", "no number above 0"),
        (Kind.PORT, "5900-5910,5905", "has '5905' twice"),
        (Kind.DEVICE, "sd[e-b]", "runs backwards"),
        (Kind.DEVICE, "sd[b-12]", "neither numbers nor letters"),
        (Kind.DEVICE, "sdb,sda,sdb", "has 'sdb' twice"),
        (Kind.FREE, "x[0-999999999999]", "more than 100000 names"),
        (Kind.FREE, " , ", "is empty"),
    ],
)
def test_what_is_no_range_is_refused_by_name(kind: Kind, text: str, message: str) -> None:
    """The message says what was wrong, not a traceback."""
    with pytest.raises(UsageError, match=message):
        parse_range("r", kind, [text])
