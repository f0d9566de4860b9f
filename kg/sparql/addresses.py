"""Recognises host names that resolve to addresses outside the public Internet."""

from __future__ import annotations

import ipaddress
import socket


def is_private(host: str) -> bool:
    """Return whether a host name resolves to a loopback, private or other non-public address.

    False for numeric addresses and `localhost`, which are allowed only explicitly, and for unknown names.
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
