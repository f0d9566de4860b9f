"""A real process that loads is killed at random moments: the load is whole or absent, and nothing is left."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kg.load import Loads, recover, undo_load
from kg.provenance import read_loads
from kg.store import EmbeddedStore
from kg.store.bulk_changes import journal_of
from kg.terms import GRAPH, GRAPH_LOADS

ROOT = Path(__file__).parents[3]
ROWS = 1_500
MOMENTS = 30

# Each line on standard input names the folder and the word of a load. Each load has a process of its own,
# forked from one that has imported everything.
SCRIPT = """
import os
import sys
from pathlib import Path
from kg.load import LoadRequest, Loads, prepare, recover, store_load
from kg.load.staged import staging
from kg.readers.detect import TableReader
from kg.readers.record import Record
from kg.store import EmbeddedStore, embedded, local

# The rows give more quads than this, so that they are stored as large changes are.
embedded.SMALL = local.SMALL = 5_000

def load(folder, word, rows):
    def read(job):
        for number in range(rows):
            iri = f"https://w3id.org/diplograph/id/record/crash-{number}"
            yield Record(iri, "CodingRecord", "".join(
                f'<{iri}> <urn:x:p{n}> "{word} {number} {n}" .\\n' for n in range(5)
            ).encode(), number + 1)

    store = EmbeddedStore(folder / "store")
    loads = Loads(folder / "loads")
    recover(store, Loads(folder / "loads"))
    source = folder / "rows"
    source.write_text(word)
    print("ready", os.getpid(), flush=True)
    held, _ = loads.new("rows", step="reading")
    reader = TableReader("crash", "", read, codes_records=False)
    staging.find_reader = lambda *args, **_: reader
    prepare(store, held, LoadRequest(source, "rows"))
    store_load(store, loads, held)
    print("stored", flush=True)
    store.close()

pid = 0
for line in sys.stdin:
    if pid:
        os.waitpid(pid, 0)
    folder, word = line.split()
    pid = os.fork()
    if pid == 0:
        load(Path(folder), word, int(sys.argv[1]))
        os._exit(0)
    # Its number is not given to another process before the next line is read.
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    print("ended", flush=True)
"""


class Loading:
    """The process that loads are forked from."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, str(ROWS)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )

    def start(self, folder: Path, word: str) -> int:
        """Begin a load, and return the process that carries it out when it is ready."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(f"{folder} {word}\n")
        ready, pid = self._process.stdout.readline().split()
        assert ready == "ready"
        return int(pid)

    def end(self) -> bool:
        """Wait until the load has ended, and return whether its process said that it is stored."""
        assert self._process.stdout
        said = []
        while (line := self._process.stdout.readline().strip()) != "ended":
            assert line, "the process that forks has ended"
            said.append(line)
        return said == ["stored"]

    def close(self) -> None:
        self._process.communicate(timeout=60)
        assert self._process.returncode == 0


@pytest.fixture(scope="module")
def loading() -> Iterator[Loading]:
    process = Loading()
    yield process
    process.close()


def content(store: EmbeddedStore) -> set[str]:
    return {str(quad) for quad in store.engine if quad.graph_name != GRAPH_LOADS}


@pytest.mark.parametrize("kind", ["new", "replacing"])
def test_killed_at_random_moments(tmp_path: Path, loading: Loading, kind: str) -> None:
    chance = random.Random(f"moments {kind}")
    base = tmp_path / "base"
    base.mkdir()
    if kind == "replacing":
        loading.start(base, "old")
        assert loading.end()
    # How long an undisturbed load takes here and now.
    trial = tmp_path / "trial"
    shutil.copytree(base, trial)
    loading.start(trial, "new")
    begun = time.monotonic()
    assert loading.end()
    length = time.monotonic() - begun
    with contextlib.closing(EmbeddedStore(trial / "store")) as store:
        whole = content(store)
    with contextlib.closing(EmbeddedStore(base / "store")) as store:
        absent = content(store)
    assert whole != absent
    seen = set()
    for number in range(MOMENTS // 2):
        folder = tmp_path / f"run-{number}"
        shutil.copytree(base, folder)
        process = loading.start(folder, "new")
        time.sleep(chance.uniform(0, length))
        os.kill(process, signal.SIGKILL)
        loading.end()
        with contextlib.closing(EmbeddedStore(folder / "store")) as store:
            recover(store, Loads(folder / "loads"))
            now = content(store)
            assert now in (whole, absent)
            stored = [load for load in read_loads(store) if load.graph == f"{GRAPH}rows"]
            assert len(stored) == (now == whole) + (kind == "replacing")
            loads = Loads(folder / "loads")
            steps = [state.step for _, state in loads.all()]
            assert steps.count("stored") == len(stored)
            assert set(steps) <= {"stored", "ready", "cancelled"}
            for held, state in loads.all():
                names = {path.name for path in held.path.iterdir()}
                if state.step == "stored":
                    assert names == {"state.json", "lock", "added.nq.zst", "removed.nq.zst"}
                elif state.step == "cancelled":
                    assert names == {"state.json", "lock"}
            assert list((folder / "store").glob("bulk-*")) == []
            assert not journal_of(folder / "store").exists()
            if now == whole:
                held, _ = loads.all()[-1]
                undo_load(store, loads, held)
                assert content(store) == absent
        seen.add(now == whole)
        shutil.rmtree(folder)
    assert False in seen
