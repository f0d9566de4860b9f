"""Serving: one process holds the data folder and answers on one address, until it is told to stop."""

from __future__ import annotations

import errno
import signal
import socket
from collections.abc import Callable
from dataclasses import replace
from types import FrameType
from typing import NoReturn

from waitress.server import create_server

from api.app import create_app
from api.data_folder import (
    announce,
    check_folder,
    check_settings,
    isolate_folder,
    known_token,
    make_token,
    withdraw,
)
from kg.errors import ParameterError, PortInUseError
from kg.settings import Settings

_SPARE = 64 * 1024


def serve(settings: Settings, host: str, port: int, *, say: Callable[[str], None]) -> None:
    """Serve the data folder at `host` and `port` (0: a free one) until SIGINT or SIGTERM.

    `say` gets the lines that people need: the address, and once, when it is made, the token. Raises
    ParameterError, PortInUseError, NotAStoreError, StoreBusyError, StoreFailedError.
    """
    check_settings(settings)
    check_folder(settings.data)
    listening = _bind(host, port)
    try:
        store = isolate_folder(settings)
    except BaseException:
        listening.close()
        raise
    try:
        token = known_token(settings)
        if not token:
            token = make_token(settings.data)
            say(f"The token that writing needs, kept in {settings.data / 'token'}: {token}")
        url = _url(listening)
        server = create_server(
            create_app(store, replace(settings, token=token)),
            sockets=[listening],
            threads=max(4, 2 * settings.workers),
            # The application tells of a body over the limit in its own words.
            max_request_body_size=settings.max_upload + _SPARE,
            ident=None,
        )
        announce(settings.data, url)
        try:
            say(f"diplograph serves {settings.data} at {url}/ (Ctrl+C stops it)")
            previous = signal.signal(signal.SIGTERM, _stop)
            try:
                server.run()
            finally:
                signal.signal(signal.SIGTERM, previous)
        finally:
            withdraw(settings.data)
            server.close()
    finally:
        listening.close()
        store.close()


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    # waitress ends its loop on this and lets the requests under way finish.
    raise KeyboardInterrupt


def _bind(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, protocol)
    except (socket.gaierror, OverflowError) as error:
        raise ParameterError(
            f"{host} port {port} is no address: {error}", mend="Set --host or --port."
        ) from None
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        # Two sockets can be bound to one address as long as neither listens.
        listening.listen()
    except OSError as error:
        listening.close()
        if error.errno == errno.EADDRINUSE:
            raise PortInUseError(
                f"port {port} is taken by another program",
                where=f"{host}:{port}",
                mend=f"Stop that program, or choose another: --port {port + 1} (make serve PORT={port + 1}).",
            ) from None
        raise PortInUseError(
            f"port {port} cannot be used: {error.strerror}",
            where=f"{host}:{port}",
            mend="Choose another with --port or --host.",
        ) from None
    return listening


def _url(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    # What listens on every address is reached on this machine's own.
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
