"""Fronts: the processes that answer requests, on one listening socket, each with an event loop (uvicorn)."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import socket
import sys
import threading
import time
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Final, Self

import h11
import uvicorn
import uvloop
from starlette.types import ASGIApp
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from api.folder.data_folder import open_behind
from api.loading.load_worker import load_apart
from api.server.root_path import RootPath
from kg.errors import StoreFailedError
from kg.processes import preload, start
from kg.settings import Settings
from kg.store.isolated.store import IsolatedStore
from kg.store.isolated.writer_server import WriterAddress

_READY: Final = 120.0
_PAUSE: Final = 0.5
# Seconds that answers under way have when the server stops, and that a front has to end.
_DRAIN: Final = 7
_GRACE: Final = 9.0
_HEAD_BYTES: Final = 256 * 1024
# Seconds for a request's head, and for the next request on a connection (longer than proxies keep them).
_HEAD_TIME: Final = 30.0
_KEEP_ALIVE: Final = 75
# Threads make pages; the loop must not wait long for the interpreter.
_SWITCH: Final = 0.001


@dataclass(frozen=True)
class Task:
    """What fronts serve: the settings, and the address of the store's writer (None: a store elsewhere)."""

    settings: Settings
    writer: WriterAddress | None


class Fronts:
    """A number of fronts, which start at once and answer once they have a task; one that ends is replaced.

    Leaving the context ends them.
    """

    def __init__(self, number: int, listening: socket.socket, figures: Path) -> None:
        self._start = partial(_start_front, listening, figures)
        self._stopping = threading.Event()
        self._task: Task | None = None
        self._fronts = [self._start() for _ in range(number)]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def begin(self, task: Task) -> None:
        """Have the fronts answer, and wait until they do; raises StoreFailedError."""
        self._task = task
        for _, connection in self._fronts:
            _send(connection, task)
        for process, connection in self._fronts:
            wait([connection, process.sentinel], _READY)
            if not connection.poll():
                raise StoreFailedError("a front process ended before it was ready")

    def watch(self) -> None:
        """Replace fronts that end, until `end` is called."""
        while not self._stopping.wait(_PAUSE):
            for place, (process, _) in enumerate(self._fronts):
                if not process.is_alive() and not self._stopping.is_set():
                    self._fronts[place] = self._start()
                    _send(self._fronts[place][1], self._task)

    def end(self) -> None:
        """Have `watch` return; callable from a signal handler."""
        self._stopping.set()

    def stop(self) -> None:
        """End all fronts; within nine seconds the answers under way are finished or broken off."""
        self._stopping.set()
        fronts, self._fronts = [process for process, _ in self._fronts], []
        for front in fronts:
            front.terminate()
        deadline = time.monotonic() + _GRACE
        for front in fronts:
            front.join(max(0.1, deadline - time.monotonic()))
            if front.is_alive():
                front.kill()
                front.join()


def _start_front(listening: socket.socket, figures: Path) -> tuple[BaseProcess, Connection]:
    ours, theirs = Pipe()
    with theirs:
        return start(run_front, theirs, listening, figures, name="front", starts_others=True), ours


def _send(connection: Connection, task: Task | None) -> None:
    # A front that has ended is replaced.
    with suppress(OSError):
        connection.send(task)


def run_front(connection: Connection, listening: socket.socket, figures: Path) -> None:
    """Answer requests until SIGTERM; this is the function that a front process runs.

    The connection has the `Task`; a message on it says that requests are answered.
    """
    preload()
    # Set before prometheus_client is imported, so that it counts for several processes.
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(figures)
    from api.app import create_app, create_asgi_app

    raise_file_limit()
    sys.setswitchinterval(_SWITCH)
    task: Task = connection.recv()
    settings = task.settings
    store = open_behind(settings, task.writer)
    try:
        app = create_app(store, settings, partial(load_apart, settings, task.writer))
        server = Server(configure(create_asgi_app(app), settings))
        signal.signal(signal.SIGTERM, lambda number, frame: server.stop())
        if isinstance(store, IsolatedStore):
            store.worker_pids()  # starts the first one, so that no request waits for that

        async def serve() -> None:
            serving = asyncio.create_task(server.serve(sockets=[listening]))
            while not server.started and not serving.done():
                await asyncio.sleep(0.005)
            connection.send(os.getpid())
            await serving

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve())
    finally:
        store.close()
        sys.stdout.flush()
        sys.stderr.flush()
        # Threads that still make answers are not waited for; their clients see the connection break.
        os._exit(0)


def configure(app: ASGIApp, settings: Settings) -> uvicorn.Config:
    """Configure the server: with the proxy whose X-Forwarded headers are believed, and the path it serves."""
    proxy = settings.trusted_proxy
    if proxy:
        app = ProxyHeadersMiddleware(app, trusted_hosts=proxy)  # type: ignore[assignment,arg-type]
    # Outermost, where the client is still the proxy.
    app = RootPath(app, settings.root_path, proxy if settings.forwarded_prefix else "")
    return uvicorn.Config(
        app,
        http=TimedConnection,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        # By this name another diplograph recognises the store (kg/store/remote/dialects.py).
        headers=[("Server", "diplograph")],
        backlog=1024,
        h11_max_incomplete_event_size=_HEAD_BYTES,
        timeout_keep_alive=_KEEP_ALIVE,
        timeout_graceful_shutdown=_DRAIN,
    )


class Server(uvicorn.Server):
    """A server whose process handles signals itself."""

    def capture_signals(self) -> AbstractContextManager[None]:  # type: ignore[override]
        """Leave the signals alone."""
        return nullcontext()

    def stop(self) -> None:
        """Finish what is under way and end; callable from any thread."""
        self.should_exit = True


class TimedConnection(H11Protocol):
    """A connection that is closed when no request arrives on it for half a minute."""

    _last: RequestResponseCycle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to watch the connection."""
        super().connection_made(transport)
        self.loop.call_later(_HEAD_TIME, self._expire)

    def data_received(self, data: bytes) -> None:
        """Read a piece, without the empty lines before a request line (RFC 9112 section 2.2)."""
        if self.conn.their_state is h11.IDLE and not self.conn.trailing_data[0]:
            data = data.lstrip(b"\r\n")
        if data:
            super().data_received(data)

    def _expire(self) -> None:
        """Close a connection that has no new request since the last look, also one with half a head."""
        if self.transport.is_closing():
            self.transport.abort()  # A client that takes nothing would keep it open.
            return
        idle = self.cycle is None or self.cycle.response_complete
        if idle and self.cycle is self._last and self.timeout_keep_alive_task is None:
            self.transport.close()
        else:
            self._last = self.cycle
        self.loop.call_later(_HEAD_TIME, self._expire)


def raise_file_limit() -> None:
    """Allow this process as many open files as the system does: each connection is one."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
