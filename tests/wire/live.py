"""Applications behind the front's own server, on the loopback interface."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask

from api.app import AHEAD
from api.wire.server import Server


@contextmanager
def serve(app: Callable[..., Any], **options: Any) -> Iterator[Server]:
    """Run a server for an application on a free port; `port` of what is given is its number."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = Server(app, listening, **{"threads": 4, "limit": 2**20, **options})
    running = threading.Thread(target=server.run)
    running.start()
    try:
        yield server
    finally:
        server.stop(5)
        running.join(60)
        server.shut()


@contextmanager
def serve_app(app: Flask, threads: int = 4) -> Iterator[str]:
    """Give the address of our application behind a server, without a slash at its end."""
    with serve(
        app, threads=threads, limit=app.config["MAX_CONTENT_LENGTH"] + 65536, ahead=app.extensions[AHEAD]
    ) as server:
        yield f"http://127.0.0.1:{server.port}"
