"""Copies of a store's live files: each opens as the store would after a crash at that moment."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyoxigraph
import pytest
from pyoxigraph import DefaultGraph, NamedNode

from kg.store.isolated.live import LiveStore
from kg.store.isolated.processes import EngineProcess

COUNTER = NamedNode("http://counter")
GRAPH = NamedNode("http://g")
COUNT_UP = """
DELETE {{ ?s ?p ?o . GRAPH <http://g> {{ ?s ?p ?o }} }}
INSERT {{ <http://counter> <http://p> {0} . GRAPH <http://g> {{ <http://counter> <http://p> {0} }} }}
WHERE {{ VALUES ?s {{ <http://counter> }} OPTIONAL {{ ?s ?p ?o }} }} ;
INSERT DATA {{ <http://s/{0}> <http://p> "{1}" . GRAPH <http://g> {{ <http://s/{0}> <http://p> "{1}" }} }}
"""


class Writer:
    """Commits numbered changes one by one, some as files; `acknowledged` is the last number."""

    def __init__(self, folder: Path) -> None:
        self._process = EngineProcess("writer", 2, str(folder / "store"))
        self._process.channel.receive_message(60)
        self._folder = folder
        self.acknowledged = 0

    def write(self) -> None:
        number = self.acknowledged + 1
        text = COUNT_UP.format(number, "x" * (2000 if number % 7 == 0 else 20))
        self._say({"do": "update", "text": text, "default": [], "named": []})
        self.acknowledged = number
        if number % 300 == 0:
            added, removed = self._folder / "added.nq", self._folder / "removed.nq"
            lines = (f'<http://bulk/{number}/{n}> <http://q> "{n}" <http://h> .\n' for n in range(25_000))
            added.write_text("".join(lines))
            removed.touch()
            self._say({"do": "change files", "removed": str(removed), "added": str(added)})

    def checkpoint(self, target: Path) -> None:
        self._process.channels[1].send_message({"path": str(target)})
        self._process.channels[1].receive_message(60)

    def close(self) -> None:
        self._process.kill()

    def _say(self, message: dict[str, Any]) -> None:
        self._process.channel.send_message(message)
        self._process.channel.receive_message(60)


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Writer]:
    writer = Writer(tmp_path)
    yield writer
    writer.close()


def check(folder: Path, acknowledged: int) -> None:
    """Check that a copy holds the whole of the first commits, and all that were acknowledged before it."""
    store = pyoxigraph.Store.read_only(str(folder))
    subjects, counters = [], []
    for graph in (DefaultGraph(), GRAPH):
        quads = list(store.quads_for_pattern(None, NamedNode("http://p"), None, graph))
        counters += [int(quad.object.value) for quad in quads if quad.subject == COUNTER]
        subjects.append({quad.subject.value for quad in quads if quad.subject != COUNTER})
    last = counters[0] if counters else 0
    assert counters == ([last, last] if last else [])
    assert last >= acknowledged
    assert subjects == [{f"http://s/{number}" for number in range(1, last + 1)}] * 2


def test_copies_beside_a_stream_of_writes_hold_whole_commits(tmp_path: Path, writer: Writer) -> None:
    live = LiveStore(tmp_path / "store")
    over = threading.Event()

    def work() -> None:
        while not over.is_set():
            writer.write()

    working = threading.Thread(target=work)
    working.start()
    copied = 0
    try:
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline or not copied:
            acknowledged, target = writer.acknowledged, tmp_path / "copy"
            if live.copy(target):
                copied += 1
            else:
                writer.checkpoint(target)
                live.learn(target)
            check(target, acknowledged)
            shutil.rmtree(target)
            assert time.monotonic() < deadline + 60, "no live copy was ever made"
    finally:
        over.set()
        working.join()


def test_a_journal_cut_off_at_any_byte_loses_the_last_commits_whole(tmp_path: Path, writer: Writer) -> None:
    live = LiveStore(tmp_path / "store")
    writer.checkpoint(tmp_path / "first")
    live.learn(tmp_path / "first")
    for _ in range(3):
        writer.write()
    assert live.copy(tmp_path / "copy")
    check(tmp_path / "copy", 3)
    journal = max((tmp_path / "copy").glob("*.log"), key=lambda path: int(path.stem))
    whole = journal.read_bytes()
    for length in range(0, len(whole), max(1, len(whole) // 40)):
        # What an older journal left behind the end, or nothing.
        for rest in (b"", b"\xa5" * 300):
            journal.write_bytes(whole[:length] + rest)
            check(tmp_path / "copy", 0)


def test_without_a_checkpoint_to_learn_from_or_with_large_journals_there_is_no_copy(
    tmp_path: Path, writer: Writer
) -> None:
    live = LiveStore(tmp_path / "store")
    assert not live.copy(tmp_path / "copy")
    writer.checkpoint(tmp_path / "first")
    live.learn(tmp_path / "first")
    for _ in range(3):
        large = "x" * 400_000
        text = COUNT_UP.format(writer.acknowledged + 1, large)
        writer._say({"do": "update", "text": text, "default": [], "named": []})
    assert not live.copy(tmp_path / "copy")
    assert not (tmp_path / "copy").exists()
