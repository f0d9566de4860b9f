"""Which addresses lie inside: loopback, private networks, and what else is not the public Internet."""

from __future__ import annotations

import ipaddress
import socket


def is_private(host: str) -> bool:
    """Tell whether a name leads to an address that is not public.

    An address in figures, and `localhost`, were meant by whoever wrote them and are none; a name that leads
    nowhere cannot be reached and is none either.
    """
    if host.lower().rstrip(".") == "localhost" or _address(host):
        return False
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        return False
    addresses = (_address(str(entry[4][0]).partition("%")[0]) for entry in found)
    return any(address is None or not address.is_global for address in addresses)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
