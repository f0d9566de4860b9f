"""Real servers of ours for tests: started, asked, stopped or killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import httpx

COMMAND = (sys.executable, "-c", "from api.cli import main; main()")
TOKEN = "test-token"
AUTHORITY = {"Authorization": f"Bearer {TOKEN}"}


@dataclass
class Served:
    """A running server and its folder."""

    process: subprocess.Popen[str]
    folder: Path
    url: str

    def ask(self, query: str, **options: object) -> httpx.Response:
        """Ask on a connection of its own."""
        return httpx.post(f"{self.url}/sparql", data={"query": query}, timeout=120, **options)  # type: ignore[arg-type]

    def update(self, text: str) -> httpx.Response:
        """Carry out an update."""
        return httpx.post(f"{self.url}/update", data={"update": text}, headers=AUTHORITY, timeout=120)

    def count(self, pattern: str = "GRAPH <http://g> { ?s ?p ?o }") -> int:
        """Count the solutions of a pattern."""
        answer = self.ask(f"SELECT (COUNT(*) AS ?n) {{ {pattern} }}")
        return int(answer.json()["results"]["bindings"][0]["n"]["value"])

    def descendants(self) -> set[int]:
        """List the processes that it started, and those that they started."""
        return descendants(self.process.pid)

    def named(self, name: str) -> list[int]:
        """List its processes of this name: front, worker, writer."""
        return named(name, self.process.pid)

    def stop(self) -> int:
        """Stop it as people do; gives its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self._ended()

    def kill(self) -> None:
        """End it without a warning."""
        self.process.kill()
        self._ended()

    def _ended(self) -> int:
        code = self.process.wait(timeout=60)
        if self.process.stderr:
            self.process.stderr.close()
        return code


def start(folder: Path, **settings: str) -> Served:
    """Serve a folder on a free port; settings are environment variables without DIPLOGRAPH_."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DIPLOGRAPH_")}
    given = {"DATA": str(folder), "TOKEN": TOKEN, "FRONTS": "2", "WORKERS": "2", **settings}
    process = subprocess.Popen(
        [*COMMAND, "serve", "--port", "0"],
        env={**kept, **{f"DIPLOGRAPH_{name}": value for name, value in given.items()}},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr
    said = []
    for line in process.stderr:
        said.append(line)
        if " at http://" in line:
            # What it says later must not fill the pipe.
            threading.Thread(target=process.stderr.read, daemon=True).start()
            return Served(process, folder, line.split(" at ")[1].split("/ ")[0])
    process.wait()
    raise AssertionError("".join(said))


def late_subject(url: str) -> str:
    """Find a subject whose rows come late in every result of ?s ?p ?o; the engine keeps their order."""
    query = {"query": "SELECT ?s { ?s ?p ?o }"}
    for _ in range(10):  # a busy machine may take longer than the server's limit
        rows = httpx.get(
            f"{url}/sparql", params=query, headers={"Accept": "text/csv"}, trust_env=False, timeout=60
        )
        if rows.is_success:
            break
    rows.raise_for_status()
    subjects = rows.text.split()[1:]
    enough = len(subjects) * 3 // 4
    before = set(subjects[:enough])
    return next(one for one in subjects[enough:] if one.startswith("http") and one not in before)


def descendants(pid: int) -> set[int]:
    """List the processes below one."""
    found: set[int] = set()
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            for child in task.read_text().split():
                found |= {int(child)} | descendants(int(child))
        except OSError:
            continue
    return found


def named(name: str, above: int) -> list[int]:
    """List the processes of a name below another process."""
    found = []
    for pid in descendants(above):
        try:
            if Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip() in (
                f"dg-{name}",
                f"dg-run_{name}",
            ):
                found.append(pid)
        except OSError:
            continue
    return found


def processor_seconds(pid: int) -> float:
    """Return the processor time that a process has used; 0 for one that has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except OSError:
        return 0
    return int(fields[11]) / os.sysconf("SC_CLK_TCK")


def wait_for_work(pids: Callable[[], Iterable[int]], before: dict[int, float]) -> int:
    """Wait until one of some processes has computed for a while, and return it.

    `before` has the processor time of those that ran when the work was asked for.
    """
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for pid in pids():
            if processor_seconds(pid) - before.get(pid, 0) > 0.3:
                return pid
        time.sleep(0.02)
    raise AssertionError("no process worked within a minute")


def gone(pids: set[int], patience: float = 20) -> set[int]:
    """Wait until processes have ended; gives those that have not."""
    deadline = time.monotonic() + patience
    left = set(pids)
    while left and time.monotonic() < deadline:
        left = {pid for pid in left if _runs(pid)}
        time.sleep(0.05)
    return left


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
