"""Ctrl+C while `diplograph load` works, alone and through a server: nothing stays behind, and it is told."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import httpx
import pytest
from click.testing import CliRunner

from api.cli import main
from api.commands.loaders import LocalLoader
from bench.rows import write_rows
from kg.errors import CancelledError
from kg.load import LoadRequest, read_loads
from kg.store import EmbeddedStore
from tests.api.running import AUTHORITY, COMMAND, TOKEN, Served, start

ROWS = 2_500
PATIENCE = 120.0


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("rows") / "rows.csv"
    write_rows(path, ROWS)
    return path


@pytest.fixture(scope="module")
def server(
    tmp_path_factory: pytest.TempPathFactory, copy_installed: Callable[[Path], Path]
) -> Iterator[Served]:
    served = start(copy_installed(tmp_path_factory.mktemp("served") / "data"), FRONTS="1")
    yield served
    served.stop()


def interrupted(table: Path, folder: Path, phase: str, environment: dict[str, str]) -> tuple[int, str]:
    """Load a table and interrupt it as soon as its folder tells of a phase; gives what it came to.

    On a busy machine the storing may be over before this test sees it, and the command with it.
    """
    known = set((folder / "loads").glob("*/"))
    process = subprocess.Popen(
        [*COMMAND, "load", str(table), "--format", "gdelt", "--yes", "--data", str(folder)],
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    until = time.monotonic() + PATIENCE
    while process.poll() is None and not reached(folder, known, phase) and time.monotonic() < until:
        time.sleep(0.002)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=PATIENCE)
    return process.returncode, said


def reached(folder: Path, known: set[Path], phase: str) -> bool:
    for path in set((folder / "loads").glob("*/")) - known:
        try:
            told = json.loads((path / "state.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if phase in (told["step"], told["phase"]):
            return True
    return False


def check_told(code: int, said: str, history: list[dict[str, object]], already: int = 0) -> None:
    """A load is in the history if and only if the last words say so: an interrupt may be too late.

    Without one that came in time, the command has done what it was to do.
    """
    assert code in (0, 1), said
    assert ("interrupted" in said) == (code == 1), said
    assert "Traceback" not in said
    assert len(history) - already == ("is stored" in said or code == 0)


@pytest.mark.parametrize("phase", ["reading", "reading rows", "storing"])
def test_alone(installed: Path, table: Path, phase: str) -> None:
    code, said = interrupted(table, installed, phase, {})
    listed = subprocess.run(
        [*COMMAND, "loads", "--format", "json", "--data", str(installed)],
        check=True, capture_output=True, timeout=PATIENCE,
    )  # fmt: skip
    history = json.loads(listed.stdout)
    check_told(code, said, history)
    left = [path.name for path in (installed / "loads").glob("*/")]
    assert left == [load["id"] for load in history]
    assert not (installed / "store.journal").exists()
    assert list((installed / "store").glob("bulk-*")) == []


@pytest.mark.parametrize("phase", ["receiving", "reading rows", "storing"])
def test_through_a_server(server: Served, table: Path, phase: str) -> None:
    client = httpx.Client(
        base_url=server.url, headers={**AUTHORITY, "Accept": "application/json"}, timeout=PATIENCE
    )
    with client:
        already = len(client.get("/loads").json()["loads"])
        code, said = interrupted(table, server.folder, phase, {"DIPLOGRAPH_TOKEN": TOKEN})
        told = client.get("/loads").json()
        check_told(code, said, told["loads"], already)
        assert [one for one in told["open"] if one["state"] not in ("cancelled", "failed")] == []
        for one in told["open"]:
            names = {path.name for path in (server.folder / "loads" / one["id"]).iterdir()}
            assert {name for name in names if not name.endswith("lock")} == {"state.json"}
        for load in told["loads"]:
            if not load.get("undone"):
                client.post(f"/loads/{load['id']}/undo").raise_for_status()


@pytest.mark.parametrize("when", ["before it returns", "after it returned", "after the id"])
def test_an_interrupt_between_the_storing_and_the_end(
    installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    path = tmp_path / "talks.csv"
    path.write_text("label,actors,type\nTalks,IRN,CONSULT\n")
    commit, echo = LocalLoader.commit, click.echo

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    def committed(*given: object, **options: object) -> object:
        done = commit(*given, **options)  # type: ignore[arg-type]
        return interrupt() if when == "before it returns" else done

    def said(text: str, **options: object) -> None:
        if options or when == "after the id":
            echo(text, **options)  # type: ignore[arg-type]
        if not options and when != "before it returns":
            interrupt()

    monkeypatch.setattr(LocalLoader, "commit", committed)
    monkeypatch.setattr(click, "echo", said)
    done = CliRunner().invoke(main, ["load", str(path), "--yes", "--data", str(installed)])
    monkeypatch.undo()
    assert done.exit_code == 1
    (load,) = json.loads(
        CliRunner().invoke(main, ["loads", "--format", "json", "--data", str(installed)]).stdout
    )
    assert f"interrupted, but load {load['id']} is stored" in done.stderr


def test_a_token_that_nobody_knows_here(server: Served, table: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "DIPLOGRAPH_TOKEN"}
    done = subprocess.run(
        [sys.executable, "-m", "api.cli", "load", str(table), "--yes", "--data", str(server.folder)],
        env=environment, capture_output=True, text=True, timeout=PATIENCE, cwd=Path(__file__).parents[3],
    )  # fmt: skip
    assert done.returncode == 1
    assert "DIPLOGRAPH_TOKEN" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_interrupt_after_the_storing_says_that_it_is_stored(tmp_path: Path, table: Path) -> None:
    class Slow:
        """Somebody presses Ctrl+C while what follows the graph is brought up to date."""

        def follow(self, store: object, change: object) -> None:
            raise KeyboardInterrupt

    store = EmbeddedStore()
    loader = LocalLoader(store, tmp_path / "loads", (Slow(),))
    planned, _ = loader.plan(LoadRequest(table, "rows.csv", "gdelt"))
    with pytest.raises(KeyboardInterrupt):
        loader.commit(planned)
    with pytest.raises(CancelledError, match="is stored") as caught:
        loader.end(planned)
    (load,) = read_loads(store)
    assert load.id in str(caught.value)
    assert f"diplograph undo {load.id}" in str(caught.value.mend)
