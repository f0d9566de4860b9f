"""A real process that loads is killed at random moments: the load is whole or absent, and nothing is left."""

from __future__ import annotations

import contextlib
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kg.load import Loads, recover, undo_load
from kg.provenance import read_loads
from kg.store import EmbeddedStore
from kg.store.bulk_changes import journal_of
from kg.terms import GRAPH, GRAPH_LOADS

ROOT = Path(__file__).parents[3]
ROWS = 6_000
MOMENTS = 30

SCRIPT = """
import sys
from pathlib import Path
from kg.load import LoadRequest, Loads, prepare, recover, staging, store_load
from kg.readers.detect import TableReader
from kg.readers.record import Record
from kg.store import EmbeddedStore

folder, word, rows = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])

def read(job):
    for number in range(rows):
        iri = f"https://w3id.org/diplograph/id/record/crash-{number}"
        yield Record(iri, "CodingRecord", "".join(
            f'<{iri}> <urn:x:p{n}> "{word} {number} {n}" .\\n' for n in range(5)
        ).encode(), number + 1)

store = EmbeddedStore(folder / "store")
loads = Loads(folder / "loads")
recover(store, folder / "loads")
source = folder / "rows"
source.write_text(word)
print("ready", flush=True)
held, _ = loads.new("rows", step="reading")
reader = TableReader("crash", "", read, codes_records=False)
staging.find_reader = lambda *args, **_: reader
prepare(store, held, LoadRequest(source, "rows"))
store_load(store, loads, held)
print("stored", flush=True)
store.close()
"""


def start(folder: Path, word: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(folder), word, str(ROWS)], cwd=ROOT, stdout=subprocess.PIPE
    )


def content(store: EmbeddedStore) -> set[str]:
    return {str(quad) for quad in store.engine if quad.graph_name != GRAPH_LOADS}


@pytest.mark.parametrize("kind", ["new", "replacing"])
def test_killed_at_random_moments(tmp_path: Path, kind: str) -> None:
    chance = random.Random(f"moments {kind}")
    base = tmp_path / "base"
    base.mkdir()
    begun = time.monotonic()
    if kind == "replacing":
        process = start(base, "old")
        assert process.communicate(timeout=300)[0].endswith(b"stored\n")
    # How long an undisturbed load takes here and now.
    trial = tmp_path / "trial"
    shutil.copytree(base, trial)
    process = start(trial, "new")
    assert process.stdout is not None
    process.stdout.readline()
    begun = time.monotonic()
    assert process.communicate(timeout=300)[0] == b"stored\n"
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
        process = start(folder, "new")
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        time.sleep(chance.uniform(0, length))
        process.kill()
        process.communicate()
        with contextlib.closing(EmbeddedStore(folder / "store")) as store:
            recover(store, folder / "loads")
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
