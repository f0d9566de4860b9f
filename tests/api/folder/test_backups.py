"""Backup and restore: the same quads, of one commit, also under a writer."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pyoxigraph import NamedNode, Quad

from kg.store import EmbeddedStore
from kg.terms import term
from tests.api.running import COMMAND, Served, start

pytestmark = pytest.mark.server


def run(data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DIPLOGRAPH_")}
    return subprocess.run(
        [*COMMAND, "--data", str(data), *arguments],
        env=kept,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def quads(folder: Path) -> set[Quad]:
    store = EmbeddedStore(folder / "store")
    # When entailments were made is told anew each time they are.
    found = {quad for quad in store.engine if quad.predicate != term("prov:generatedAtTime")}
    store.close()
    return found


@pytest.fixture(scope="module")
def served(
    tmp_path_factory: pytest.TempPathFactory, copy_installed: Callable[[Path], Path]
) -> Iterator[Served]:
    server = start(copy_installed(tmp_path_factory.mktemp("backup") / "data"))
    yield server
    if server.process.poll() is None:
        server.stop()


def test_a_backup_under_a_writer_is_of_one_commit(served: Served, tmp_path: Path) -> None:
    stop = threading.Event()
    written: list[int] = []

    def write() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            # Each update puts a quad into either graph, so that a torn copy would show.
            triple = f"<http://s/{number}> <http://p> {number}"
            text = f"INSERT DATA {{ GRAPH <http://a> {{ {triple} }} GRAPH <http://b> {{ {triple} }} }}"
            assert served.update(text).status_code == 204
            written.append(number)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(2):
            while len(written) < 10 * (number + 1):
                assert writer.is_alive()
                time.sleep(0.01)
            known = len(written)
            done = run(served.folder, "backup", str(tmp_path / f"copy-{number}"))
            assert done.returncode == 0, done.stderr
            restored = tmp_path / f"restored-{number}"
            done = run(restored, "restore", str(tmp_path / f"copy-{number}"))
            assert done.returncode == 0, done.stderr
            found = quads(restored)
            in_a, in_b = (
                {quad.triple for quad in found if quad.graph_name == NamedNode(f"http://{graph}")}
                for graph in ("a", "b")
            )
            assert in_a == in_b
            assert len(in_a) >= known
    finally:
        stop.set()
        writer.join()


def test_what_is_restored_has_the_same_quads(installed: Path, tmp_path: Path) -> None:
    server = start(installed)
    server.update("INSERT DATA { GRAPH <http://g> { <http://s> <http://p> 'é', 1.5, 'x'@en } }")
    assert run(server.folder, "backup", str(tmp_path / "hot")).returncode == 0
    assert server.stop() == 0
    assert run(installed, "backup", str(tmp_path / "cold")).returncode == 0
    expected = quads(installed)
    assert sum(quad.graph_name == NamedNode("http://g") for quad in expected) == 3
    for name in ("hot", "cold"):
        assert run(tmp_path / f"from-{name}", "restore", str(tmp_path / name)).returncode == 0
        assert quads(tmp_path / f"from-{name}") == expected
    # What is done to the restored store does not reach the backup.
    store = EmbeddedStore(tmp_path / "from-hot" / "store")
    store.update("DROP ALL")
    store.close()
    assert run(tmp_path / "third", "restore", str(tmp_path / "hot")).returncode == 0
    assert quads(tmp_path / "third") == expected


def test_nothing_is_overwritten(served: Served, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear", encoding="utf-8")
    refused = run(served.folder, "backup", str(tmp_path / "mine"))
    assert refused.returncode == 1
    assert "not empty" in refused.stderr
    assert run(served.folder, "backup", str(tmp_path / "copy")).returncode == 0
    occupied = run(served.folder, "restore", str(tmp_path / "copy"))
    assert occupied.returncode == 1
    assert "has a store already" in occupied.stderr
    no_backup = run(tmp_path / "new", "restore", str(tmp_path / "mine"))
    assert no_backup.returncode == 3
    assert not (tmp_path / "new").exists()
    nothing = run(tmp_path / "none", "backup", str(tmp_path / "other"))
    assert nothing.returncode == 1
