"""A file of hosts as GNU parallel reads it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import UsageError
from pipeline.logic.hosts_file import Listed, read_hosts


@pytest.mark.parametrize(
    ("text", "listed"),
    [
        (":", Listed(host="", line=1)),
        ("4/:", Listed(host="", slots=4, line=1)),
        ("lab1", Listed(host="lab1", line=1)),
        ("ann@lab1.example.org", Listed(host="lab1.example.org", user="ann", line=1)),
        ("4/ann@lab1", Listed(host="lab1", user="ann", slots=4, line=1)),
        ("/ann@lab1", Listed(host="lab1", user="ann", line=1)),
        ("ann@lab1:2222", Listed(host="lab1", user="ann", port=2222, line=1)),
        ("[fd00::7]:2222", Listed(host="fd00::7", port=2222, line=1)),
        ("[::1]", Listed(host="::1", line=1)),
        ("@fast+gpu/8/ann@lab1", Listed(host="lab1", user="ann", slots=8, groups=("fast", "gpu"), line=1)),
        ("@fast/lab1", Listed(host="lab1", groups=("fast",), line=1)),
        ("2/ssh -p 2222 -4 ann@lab1", Listed(host="lab1", user="ann", slots=2, options=("-p", "2222", "-4"), line=1)),
        ("ssh -oPort=2 lab1", Listed(host="lab1", options=("-oPort=2",), line=1)),
        ("# all\n\n  lab1   # the first\n", Listed(host="lab1", line=3)),
    ],
)
def test_forms(text: str, listed: Listed) -> None:
    """Slots, users, ports, groups, options and comments."""
    assert read_hosts(text, "hosts") == (listed,)


def test_several_in_a_line_and_ranges_keep_their_order() -> None:
    """As if each stood in a line of its own; zeros in front are kept."""
    found = read_hosts("2/node[08-10],:\nb[1-2]c[1-2]\n", "hosts")

    assert [str(each) for each in found] == ["node08", "node09", "node10", ":", "b1c1", "b1c2", "b2c1", "b2c2"]
    assert [each.slots for each in found[:4]] == [2, 2, 2, None]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "hosts: no host in it"),
        ("# nothing\n", "hosts: no host in it"),
        ("a\n0/b", "hosts:2: '0' is no number of slots"),
        ("x/b", "hosts:1: 'x' is no number of slots"),
        ("lab1:99999", "'99999' is no port"),
        ("-oProxyCommand=evil", "is no host"),
        ("ann@-oProxyCommand=evil", "is no host"),
        ("ann@lab1;reboot", "is no host"),
        ("$(reboot)", "is no host"),
        ("a b", "neither a host nor a command line of ssh"),
        ("sudo lab1", "neither a host nor a command line of ssh"),
        ("ssh -p 22", "is no host|ends with no single host"),
        ("ssh 'lab1", "cannot be split into words"),
        ("@a b/lab1", "neither a host|no name of a group"),
        ("a,,b", "a comma without a host"),
        ("a[5-2]", "runs backwards"),
        ("a[0-99999999999]", "more than 10000 hosts"),
        ("2/ann@lab1\nbob@lab1\n3/ann@lab1", r"hosts:3: host 'ann@lab1' is in line 1 already"),
    ],
)
def test_nonsense_is_an_error_with_its_line(text: str, message: str) -> None:
    """Never a traceback, never a host that ssh takes for an option."""
    with pytest.raises(UsageError, match=message):
        read_hosts(text, "hosts")


@given(st.text(alphabet=st.sampled_from("ab1:@/,.[]-# \n+$;'\"")))
def test_any_text_is_read_or_refused(text: str) -> None:
    """And what was read is read the same when it is written again."""
    try:
        found = read_hosts(text, "hosts")
    except UsageError:
        return

    for each in found:
        assert not each.host.startswith("-")
        if not each.options:
            (again,) = read_hosts(str(each), "hosts")
            assert str(again) == str(each)
