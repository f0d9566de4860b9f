"""A real server in a process of its own: started, asked, loaded into, stopped."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

pytestmark = pytest.mark.server

FILE = Path(__file__).parents[2] / "fixtures" / "new-event.ttl"
COMMAND = (sys.executable, "-c", "from api.cli import main; main()")


@dataclass
class Running:
    process: subprocess.Popen[str]
    folder: Path
    url: str
    said: list[str]


def environment(folder: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DIPLOGRAPH_")}
    return {**kept, "DIPLOGRAPH_DATA": str(folder), "DIPLOGRAPH_WORKERS": "2"}


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments],
        env=environment(folder),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def start(folder: Path, *arguments: str) -> Running:
    process = subprocess.Popen(
        [*COMMAND, "serve", "--port", "0", *arguments],
        env=environment(folder),
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr
    said = []
    for line in process.stderr:
        said.append(line)
        if " at http://" in line:
            return Running(process, folder, line.split(" at ")[1].split("/ ")[0], said)
    raise AssertionError("".join(said))


def stop(running: Running) -> int:
    running.process.send_signal(signal.SIGTERM)
    code = running.process.wait(timeout=60)
    if running.process.stderr:
        running.process.stderr.close()
    return code


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    server = start(tmp_path_factory.mktemp("served") / "data")
    yield server
    stop(server)


def test_the_article_is_there_at_once(running: Running) -> None:
    query = "ASK { GRAPH <https://w3id.org/diplograph/graph/us-iran-deportation> { ?s ?p ?o } }"
    answer = httpx.get(f"{running.url}/sparql", params={"query": query})
    assert answer.json()["boolean"] is True


def test_the_token_is_shown_once_and_kept_private(running: Running) -> None:
    token = (running.folder / "token").read_text(encoding="ascii").strip()
    assert sum(token in line for line in running.said) == 1
    assert stat.S_IMODE((running.folder / "token").stat().st_mode) == 0o600


def test_the_command_line_works_through_the_server(running: Running) -> None:
    said = json.loads((running.folder / "server.json").read_text(encoding="utf-8"))
    assert (said["url"], said["pid"]) == (running.url, running.process.pid)
    assert stat.S_IMODE((running.folder / "server.json").stat().st_mode) == 0o600
    loaded = run(running.folder, "load", str(FILE), "--yes")
    assert loaded.returncode == 0, loaded.stderr
    dyad = run(
        running.folder, "query", "dyad", "--param", "a=Norway", "--param", "b=Kenya", "--format", "csv"
    )
    assert "norway-kenya-port-accord" in dyad.stdout
    assert loaded.stdout.strip() in run(running.folder, "loads").stdout
    again = run(running.folder, "load", str(FILE), "--yes")
    assert (again.returncode, again.stdout) == (0, "")


def test_errors_come_through_the_server(running: Running, tmp_path: Path) -> None:
    malformed = run(running.folder, "query", "nothing")
    assert malformed.returncode == 1
    bad = tmp_path / "bad.ttl"
    bad.write_text(
        FILE.read_text(encoding="utf-8").replace("plover-agree", "plover-aggree"), encoding="utf-8"
    )
    refused = run(running.folder, "load", str(bad), "--yes")
    assert refused.returncode == 1
    # Lines of progress come before it on a busy machine.
    assert "error: " in refused.stderr
    assert "dg:eventType" in refused.stderr
    assert "shape: " in refused.stderr
    bad.write_text("<urn:x> <urn:y>", encoding="utf-8")
    broken = run(running.folder, "load", str(bad), "--yes")
    assert "bad.ttl, line 1" in broken.stderr.splitlines()[0]


def test_the_pages_of_the_actors_tell_of_it(running: Running) -> None:
    run(running.folder, "load", str(FILE), "--yes")
    for country in ("nor", "ken"):
        page = httpx.get(f"{running.url}/page/country/{country}", headers={"Accept": "text/html"})
        assert "Norway and Kenya sign a port accord" in page.text


def test_a_second_server_on_the_same_folder_is_told_of_the_first(running: Running) -> None:
    second = run(running.folder, "serve", "--port", "0")
    assert second.returncode == 3
    assert running.url in second.stderr


def test_a_port_in_use_is_named_with_the_way_out(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run(tmp_path / "data", "serve", "--port", str(port))
    assert result.returncode == 3
    assert f"port {port} is taken" in result.stderr.splitlines()[0]
    assert f"--port {port + 1}" in result.stderr
    assert not (tmp_path / "data").exists()


def test_a_folder_of_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear", encoding="utf-8")
    result = run(tmp_path, "serve", "--port", "0")
    assert result.returncode == 3
    assert [entry.name for entry in tmp_path.iterdir()] == ["letter.txt"]


def test_it_stops_cleanly_and_starts_again_with_the_same_token(installed: Path) -> None:
    first = start(installed)
    token = (installed / "token").read_text(encoding="ascii")
    assert run(installed, "load", str(FILE), "--yes").returncode == 0
    assert stop(first) == 0
    assert not (installed / "server.json").exists()
    assert len(run(installed, "loads").stdout.splitlines()) == 3
    second = start(installed, "--read-only")
    try:
        assert (installed / "token").read_text(encoding="ascii") == token
        assert not any(token.strip() in line for line in second.said)
        refused = run(installed, "load", str(FILE), "--yes")
        assert refused.returncode == 1
        assert "reading only" in refused.stderr
    finally:
        assert stop(second) == 0
