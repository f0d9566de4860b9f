"""Ours and the peers, started on loopback ports and stopped by pid."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Server:
    """A running SPARQL endpoint."""

    name: str
    query_url: str
    pid: int


def free_port() -> int:
    """Find a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(name: str, command: list[str], query_url: str, patience: float = 60) -> Iterator[Server]:
    """Start a server, wait until it answers, stop it at the end."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait(process, query_url, patience)
        yield Server(name, query_url, process.pid)
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def ours(data: Path) -> tuple[str, list[str], str]:
    """Say how diplograph is started on a data folder."""
    port = free_port()
    command = [sys.executable, "-m", "api.cli", "serve", "--data", str(data), "--port", str(port)]
    return "diplograph", command, f"http://127.0.0.1:{port}/sparql"


def oxigraph(store: Path) -> tuple[str, list[str], str] | None:
    """Say how the Oxigraph server is started on a store; None where it is not installed."""
    beside = Path(sys.executable).parent / "oxigraph"
    program = str(beside) if beside.exists() else shutil.which("oxigraph")
    if program is None:
        return None
    port = free_port()
    command = [program, "serve-read-only", "--location", str(store), "--bind", f"127.0.0.1:{port}"]
    return "oxigraph", [*command, "--union-default-graph"], f"http://127.0.0.1:{port}/query"


def _wait(process: subprocess.Popen[bytes], query_url: str, patience: float) -> None:
    parts = urlsplit(query_url)
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args!r} ended with {process.returncode}")
        try:
            # Any answer will do, so ask for what costs nothing: a home page may count the whole store.
            urllib.request.urlopen(f"http://{parts.netloc}/robots.txt", timeout=2).close()
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"{process.args!r} did not answer within {patience} s")
