"""Applications behind a real server on the loopback interface, and plain clients of it."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import uvloop
from flask import Flask

from api.app import create_asgi_app
from api.processes.front_processes import Server, configure
from kg.settings import Settings

PATIENCE = 60
HOST = b"Host: e.example\r\n"


class PromptServer(Server):
    """A server that ends at once, where uvicorn's looks ten times a second and waits as long again."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        await super().startup(sockets)

    async def main_loop(self) -> None:
        await self.on_tick(0)
        await self._ended.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for listening in sockets or []:
            listening.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        await asyncio.sleep(0.001)
        with suppress(TimeoutError):
            await asyncio.wait_for(self._wait_tasks_to_complete(), timeout=1)
        await self.lifespan.shutdown()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._ended.set)


@contextmanager
def serve(app: Any, **settings: Any) -> Iterator[int]:
    """Run an ASGI application with settings of its proxy; yields its port."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = PromptServer(configure(app, Settings(**settings)))

    def run() -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(server.serve(sockets=[listening]))

    running = threading.Thread(target=run)
    running.start()
    deadline = time.monotonic() + PATIENCE
    while not server.started:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    try:
        yield listening.getsockname()[1]
    finally:
        server.stop()
        running.join(PATIENCE)


@contextmanager
def serve_app(app: Flask, **settings: Any) -> Iterator[str]:
    """Run our application; yields its address, without a slash at the end."""
    with serve(create_asgi_app(app), **settings) as port:
        yield f"http://127.0.0.1:{port}"


class Client:
    """A plain socket that reads answers one by one."""

    def __init__(self, port: int) -> None:
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self.file = self.sock.makefile("rb")

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *ignored: object) -> None:
        self.file.close()
        self.sock.close()

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def head(self) -> tuple[int, dict[str, str]]:
        line = self.file.readline()
        assert line, "the server hung up"
        status = int(line.split()[1])
        headers = {}
        while line := self.file.readline().strip():
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        return status, headers

    def answer(self) -> tuple[int, dict[str, str], bytes]:
        """Read an answer that has a length, chunks that end with the last one, or the connection's end."""
        status, headers = self.head()
        if "content-length" in headers:
            return status, headers, self.file.read(int(headers["content-length"]))
        if "transfer-encoding" not in headers:
            return status, headers, self.rest()
        body = b""
        while size := int(self.file.readline(), 16):
            body += self.file.read(size)
            assert self.file.readline() == b"\r\n"
        assert self.file.readline() == b"\r\n"
        return status, headers, body

    def rest(self) -> bytes:
        """Read what comes until the server hangs up."""
        return self.file.read()
