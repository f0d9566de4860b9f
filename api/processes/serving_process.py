"""Serving: one process holds the data folder, several answer requests on one address."""

from __future__ import annotations

import errno
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from types import FrameType

from api.folder.data_folder import (
    announce,
    check_folder,
    is_frozen,
    keep_folder,
    known_token,
    make_token,
    withdraw,
)
from api.processes.front_processes import Fronts, Task, raise_file_limit
from api.server.metrics_folder import emptied, figures_folder
from api.server.root_path import PREFIX, read_networks
from kg.errors import ParameterError, PortInUseError
from kg.settings import Settings


def serve(settings: Settings, host: str, port: int, *, say: Callable[[str], None]) -> None:
    """Serve the data folder, or the store elsewhere, at `host` and `port` (0: a free one).

    SIGINT and SIGTERM stop it. `say` gets the lines for people: the address, and the token when it is new.
    Raises ParameterError, PortInUseError, NotAStoreError, StoreBusyError, StoreFailedError.
    """
    # Other processes have other working folders.
    settings = replace(settings, data=settings.data.absolute(), root_path=_root(settings.root_path))
    if settings.forwarded_prefix:
        read_networks(settings.trusted_proxy)
    check_folder(settings.data)
    raise_file_limit()
    figures = figures_folder(settings.data)
    with (
        _bound(host, port) as listening,
        Fronts(settings.fronts, listening, figures) as fronts,
        keep_folder(settings) as address,
        emptied(figures),
    ):
        token = known_token(settings)
        if not token and not is_frozen(settings):
            token = make_token(settings.data)
            say(f"The token for writing, kept in {settings.data / 'token'}: {token}")
        fronts.begin(Task(replace(settings, token=token), address))
        try:
            with _stopped_by_signals(fronts.end):
                url = _url(listening)
                try:
                    announce(settings.data, url, address)
                except OSError as error:
                    say(f"Commands of this machine will not find the server: {error}")
                say(f"diplograph serves {settings.store or settings.data} at {url}/ (Ctrl+C stops it)")
                fronts.watch()
        finally:
            with suppress(OSError):
                withdraw(settings.data)
            fronts.stop()


def _root(path: str) -> str:
    root = path.rstrip("/")
    if root and not PREFIX.fullmatch(root):
        raise ParameterError(
            f"“{path}” is not a path to answer under",
            mend="Write it as /kg, with letters, digits, dots and hyphens between slashes.",
        )
    return root


@contextmanager
def _stopped_by_signals(end: Callable[[], None]) -> Iterator[None]:
    def stop(number: int, frame: FrameType | None) -> None:
        end()

    previous = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


@contextmanager
def _bound(host: str, port: int) -> Iterator[socket.socket]:
    listening = _bind(host, port)
    try:
        yield listening
    finally:
        listening.close()


def _bind(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, protocol)
    except (socket.gaierror, OverflowError) as error:
        raise ParameterError(
            f"{host} port {port} is not an address: {error}", mend="Set --host or --port."
        ) from None
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        # Two sockets can be bound to one address as long as neither listens.
        listening.listen(1024)
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
    # A server on all addresses is reached at the loopback address.
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
