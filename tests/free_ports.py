"""Ports of the loopback interface for servers that cannot be started on port 0."""

from __future__ import annotations

import random
import socket

# Below those from which systems take the ports of outgoing connections, which may be used at any moment.
_FIRST, _LAST = 10_000, 30_000


def free_port() -> int:
    """Return a port that is free, and that no other process of the tests is likely to choose."""
    for port in random.SystemRandom().sample(range(_FIRST, _LAST), 100):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError("none of 100 ports is free")
