"""Ours and the peers, started on loopback ports and stopped by pid."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

TOKEN = "bench-token-of-nobody"


@dataclass(frozen=True)
class Server:
    """A running SPARQL endpoint; `headers` go with an update, `update_url` is empty where there is none."""

    name: str
    query_url: str
    pid: int
    update_url: str = ""
    headers: dict[str, str] = field(default_factory=dict)


def free_port() -> int:
    """Find a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def ours(data: Path, timeout: float) -> Iterator[Server]:
    """Start diplograph on a data folder."""
    port = free_port()
    command = [sys.executable, "-m", "api.cli", "serve", "--data", str(data), "--port", str(port)]
    url = f"http://127.0.0.1:{port}"
    settings = {"DIPLOGRAPH_TOKEN": TOKEN, "DIPLOGRAPH_QUERY_TIMEOUT": str(timeout)}
    with _running(command, f"{url}/sparql", settings) as pid:
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        yield Server("diplograph", f"{url}/sparql", pid, f"{url}/update", bearer)


@contextmanager
def oxigraph(store: Path) -> Iterator[Server | None]:
    """Start the Oxigraph server on a store; None where it is not installed."""
    beside = Path(sys.executable).parent / "oxigraph"
    program = str(beside) if beside.exists() else shutil.which("oxigraph")
    if program is None:
        yield None
        return
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [program, "serve", "--location", str(store), "--bind", f"127.0.0.1:{port}"]
    with _running([*command, "--union-default-graph"], f"{url}/query", {}) as pid:
        yield Server("oxigraph", f"{url}/query", pid, f"{url}/update")


@contextmanager
def virtuoso(folder: Path, data: Path, triples: int) -> Iterator[Server | None]:
    """Start Virtuoso in a folder of its own and load N-Quads; None where it is not installed."""
    program, shell = shutil.which("virtuoso-t"), shutil.which("isql-vt") or shutil.which("isql-v")
    if program is None or shell is None:
        yield None
        return
    folder.mkdir()
    port, sql = free_port(), free_port()
    (folder / "virtuoso.ini").write_text(
        f"[Database]\nDatabaseFile={folder}/v.db\nErrorLogFile={folder}/v.log\nLockFile={folder}/v.lck\n"
        f"TransactionFile={folder}/v.trx\nxa_persistent_file={folder}/v.pxa\nMaxCheckpointRemap=20000\n"
        f"[TempDatabase]\nDatabaseFile={folder}/t.db\nTransactionFile={folder}/t.trx\n"
        f"[Parameters]\nServerPort=127.0.0.1:{sql}\nServerThreads=20\nDirsAllowed={data.parent}\n"
        f"NumberOfBuffers=170000\nMaxDirtyBuffers=130000\nCheckpointInterval=0\n"
        f"[HTTPServer]\nServerPort=127.0.0.1:{port}\nServerThreads=16\nMaxClientConnections=16\n"
        f"[SPARQL]\nResultSetMaxRows=2000000\nMaxQueryExecutionTime=120\n",
        encoding="utf-8",
    )
    url = f"http://127.0.0.1:{port}/sparql"
    command = [program, "+foreground", "+configfile", str(folder / "virtuoso.ini")]
    with _running(command, url, {}) as pid:
        statements = (
            f"ld_dir('{data.parent}', '{data.name}', 'http://e.example/none'); rdf_loader_run(); checkpoint;"
            'grant execute on DB.DBA.SPARQL_INSERT_DICT_CONTENT to "SPARQL"; grant SPARQL_UPDATE to "SPARQL";'
        )
        subprocess.run(
            [shell, str(sql), "dba", "dba", f"exec={statements}"],
            check=True,
            capture_output=True,
            timeout=60 + triples / 5000,
        )
        yield Server("virtuoso", url, pid, url)


@contextmanager
def _running(
    command: list[str], query_url: str, settings: dict[str, str], patience: float = 60
) -> Iterator[int]:
    """Start a server, wait until it answers, stop it at the end."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DIPLOGRAPH_")}
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**kept, **settings}
    )
    try:
        _wait(process, query_url, 60)
        yield process.pid
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


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
