"""How each kind of thing is written: MAC address, IP address, port, device, anything. Knows no hosts and no shares. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import Enum
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

from pipeline.errors import UsageError
from pipeline.logic.resource_ranges.spans import Span

IPV6_FROM: Final = 2**40
"""IPv6 addresses as numbers start here, so that no two versions are the same number."""
MOST_NAMES: Final = 100_000
"""Of devices and free forms in one range; those are listed one by one."""


class Kind(Enum):
    """What is handed out."""

    MAC = "mac"
    IP = "ip"
    PORT = "port"
    DEVICE = "device"
    FREE = "free"

    @property
    def is_of_host(self) -> bool:
        """Whether each host has its own: the same port on two hosts is two ports, the same address is one."""
        return self in (Kind.PORT, Kind.DEVICE)

    @property
    def is_named(self) -> bool:
        """Whether things are names without an order of their own."""
        return self in (Kind.DEVICE, Kind.FREE)


FORMS: Final = {
    Kind.MAC: "52:54:00:00:00:10-52:54:00:00:00:1f, or 52:54:00:00:00:10+16",
    Kind.IP: "10.0.0.10-10.0.0.50, 10.0.0.10+41, 10.0.0.0/28, or the same of IPv6",
    Kind.PORT: "5900-5999, 5900+100 or 8080",
    Kind.DEVICE: "sdb, sd[b-e] or nvme[0-3]n1",
    Kind.FREE: "any word, or licence-[01-16]",
}


def spans_of(kind: Kind, text: str) -> Span:
    """One numeric range. Raises `UsageError` for what is none, or runs backwards."""
    said = text.strip()
    if kind is Kind.IP and "/" in said:
        return _network(said)
    first, last = _ends(kind, said)
    if last < first:
        raise UsageError(f"range {said!r} runs backwards", hint=f"write {FORMS[kind]}")
    if kind is Kind.IP and (first < IPV6_FROM) is not (last < IPV6_FROM):
        raise UsageError(f"range {said!r} runs from one version of IP to the other")
    if last > _LAST[kind] or (kind is Kind.IP and first < IPV6_FROM and last > _LAST_IPV4):
        raise UsageError(f"range {said!r} runs beyond the last {kind.value}")
    return Span(first, last)


def _ends(kind: Kind, said: str) -> tuple[int, int]:
    head, plus, size = said.partition("+")
    if plus:
        if not size.strip().isdecimal() or int(size) < 1:
            raise UsageError(f"range {said!r} has no number above 0 after '+'", hint=f"write {FORMS[kind]}")
        first = number_of(kind, head)
        return first, first + int(size) - 1
    head, dash, tail = said.partition("-")
    first = number_of(kind, head)
    return first, number_of(kind, tail) if dash else first


def number_of(kind: Kind, text: str) -> int:
    """One thing as a number. Raises `UsageError`."""
    said = text.strip()
    try:
        return _READ[kind](said)
    except ValueError as problem:
        raise UsageError(f"{said!r} is no {kind.value}: {problem}", hint=f"write {FORMS[kind]}") from None


def text_of(kind: Kind, number: int) -> str:
    """A number as it is written."""
    if kind is Kind.MAC:
        return ":".join(f"{byte:02x}" for byte in number.to_bytes(6, "big"))
    if kind is Kind.IP:
        return str(IPv4Address(number) if number < IPV6_FROM else IPv6Address(number - IPV6_FROM))
    return str(number)


def _mac(said: str) -> int:
    if not re.fullmatch(r"[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}", said):
        raise ValueError("six bytes in hexadecimal with colons")
    if int(said[:2], 16) & 1:
        raise ValueError("an odd first byte means a group of stations")
    return int(said.replace(":", ""), 16)


def _ip(said: str) -> int:
    address = ip_address(said)
    return int(address) if address.version == 4 else int(address) + IPV6_FROM


def _port(said: str) -> int:
    if not re.fullmatch(r"[0-9]{1,5}", said) or not 1 <= int(said) <= 65535:
        raise ValueError("a whole number from 1 to 65535")
    return int(said)


def _network(said: str) -> Span:
    """The addresses of a network; of IPv4 without its own and that of broadcasts."""
    try:
        network = ip_network(said)
    except ValueError as problem:
        raise UsageError(f"{said!r} is no network: {problem}", hint=f"write {FORMS[Kind.IP]}") from None
    first, last = _ip(str(network[0])), _ip(str(network[-1]))
    return Span(first + 1, last - 1) if network.version == 4 and network.prefixlen < 31 else Span(first, last)


_READ: Final[dict[Kind, Callable[[str], int]]] = {Kind.MAC: _mac, Kind.IP: _ip, Kind.PORT: _port}
_LAST_IPV4: Final = 2**32 - 1
_LAST: Final = {Kind.MAC: 2**48 - 1, Kind.IP: IPV6_FROM + 2**128 - 1, Kind.PORT: 65535}

_BRACKETS: Final = re.compile(r"([^\[\]\s]*)\[(\w+)-(\w+)\]([^\[\]\s]*)")


def names_of(text: str) -> list[str]:
    """One word, or those of `before[first-last]after` by numbers (zeros kept) or single letters. Raises `UsageError`."""
    said = text.strip()
    found = _BRACKETS.fullmatch(said)
    if found is None:
        if not re.fullmatch(r"[^\[\]\s,]+", said):
            raise UsageError(f"{said!r} is no word", hint=f"write {FORMS[Kind.DEVICE]}")
        return [said]
    before, first, last, after = found.groups()
    if first.isdecimal() and last.isdecimal():
        middle = _numbers(first, last, said)
    elif len(first) == len(last) == 1 and first.isalpha() and last.isalpha():
        middle = [chr(code) for code in range(ord(first), ord(last) + 1)]
    else:
        raise UsageError(f"{said!r} has neither numbers nor letters in brackets", hint=f"write {FORMS[Kind.DEVICE]}")
    if not middle:
        raise UsageError(f"range {said!r} runs backwards")
    return [f"{before}{each}{after}" for each in middle]


def _numbers(first: str, last: str, said: str) -> list[str]:
    if int(last) - int(first) >= MOST_NAMES:
        raise UsageError(f"{said!r} is more than {MOST_NAMES} names")
    width = len(first) if first.startswith("0") else 0
    return [f"{number:0{width}}" for number in range(int(first), int(last) + 1)]
