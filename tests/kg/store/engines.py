"""Real SPARQL servers for the contract suite: started on loopback ports, stopped by pid."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.free_ports import free_port

PATIENCE = 120.0
COMMAND = (sys.executable, "-c", "from api.cli import main; main()")

LOST_BY_VIRTUOSO = ("contradicted-claims", "did-it-happen")
"""Questions of which Virtuoso 7 loses rows (docs/operations.md)."""

_VIRTUOSO_INI = """\
[Database]
DatabaseFile = {folder}/virtuoso.db
ErrorLogFile = {folder}/virtuoso.log
LockFile = {folder}/virtuoso.lck
TransactionFile = {folder}/virtuoso.trx
xa_persistent_file = {folder}/virtuoso.pxa
MaxCheckpointRemap = 2000
FileExtend = 200

[TempDatabase]
DatabaseFile = {folder}/virtuoso-temp.db
TransactionFile = {folder}/virtuoso-temp.trx
MaxCheckpointRemap = 2000

[Parameters]
ServerPort = 127.0.0.1:{sql_port}
NumberOfBuffers = 10000
MaxDirtyBuffers = 6000
ServerThreads = 20
DirsAllowed = {folder}
SchedulerInterval = 10

[HTTPServer]
ServerPort = 127.0.0.1:{http_port}
ServerRoot = {folder}
ServerThreads = 10

[SPARQL]
MaxMemInUse = 0
"""


@dataclass(frozen=True)
class Engine:
    """A running SPARQL engine and how `RemoteStore` reaches it."""

    name: str
    pid: int
    query_url: str
    update_url: str
    graphs_url: str
    login: str = ""


def oxigraph_program() -> str | None:
    """Return the path of the Oxigraph server, which PyPI's `oxigraph` installs."""
    beside = Path(sys.executable).parent / "oxigraph"
    return str(beside) if beside.exists() else shutil.which("oxigraph")


@contextmanager
def oxigraph(folder: Path) -> Iterator[Engine]:
    """Run an Oxigraph server on a new store."""
    program = oxigraph_program()
    assert program
    base = f"127.0.0.1:{free_port()}"
    command = [program, "serve", "--location", str(folder), "--bind", base]
    with _running(command, f"http://{base}/query", folder) as pid:
        yield Engine("oxigraph", pid, f"http://{base}/query", f"http://{base}/update", f"http://{base}/store")


@contextmanager
def virtuoso(folder: Path) -> Iterator[Engine]:
    """Run a Virtuoso on a new database; its user `dba` has the password `dba`."""
    folder.mkdir(parents=True, exist_ok=True)
    http_port, sql_port = free_port(), free_port()
    ini = folder / "virtuoso.ini"
    ini.write_text(_VIRTUOSO_INI.format(folder=folder, http_port=http_port, sql_port=sql_port))
    base = f"http://127.0.0.1:{http_port}"
    command = ["virtuoso-t", "+configfile", str(ini), "+foreground", "+wait"]
    with _running(command, f"{base}/sparql", folder) as pid:
        yield Engine(
            "virtuoso",
            pid,
            f"{base}/sparql",
            f"{base}/sparql-auth",
            f"{base}/sparql-graph-crud-auth",
            "dba:dba",
        )


@contextmanager
def ours(folder: Path) -> Iterator[Engine]:
    """Run a diplograph server on a new data folder."""
    base = f"http://127.0.0.1:{(port := free_port())}"
    command = [*COMMAND, "serve", "--data", str(folder), "--port", str(port)]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DIPLOGRAPH_")}
    environment = {**kept, "DIPLOGRAPH_WORKERS": "2", "DIPLOGRAPH_TOKEN": "test-token"}
    with _running(command, f"{base}/sparql", folder.parent, environment) as pid:
        yield Engine("ours", pid, f"{base}/sparql", f"{base}/update", f"{base}/graphs", "test-token")


@contextmanager
def _running(
    command: list[str], query_url: str, folder: Path, environment: dict[str, str] | None = None
) -> Iterator[int]:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "server.log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
    try:
        _wait(process, query_url, folder / "server.log")
        yield process.pid
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(process: subprocess.Popen[bytes], query_url: str, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args!r} ended: {log.read_text(errors='replace')[-2000:]}")
        try:
            if httpx.get(query_url, params={"query": "ASK {}"}, timeout=5).is_success:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.05)
    raise RuntimeError(f"{process.args!r} did not answer within {PATIENCE} s")
