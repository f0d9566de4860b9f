"""Entailments that are older than the data: the word is kept, and one process at a time mends it."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from kg.load import install
from kg.reasoning import Entailments, StaleEntailments
from kg.store import EmbeddedStore

# An event with a cooperative interaction, which makes it a CooperativeEvent.
INSERT = """PREFIX dg: <https://w3id.org/diplograph/ontology#> INSERT DATA { GRAPH <urn:g> {
  <urn:event> a dg:Event ; dg:hasInteraction <urn:meeting> .
  <urn:meeting> a dg:Interaction ; dg:character <https://w3id.org/diplograph/id/character/cooperative> } }"""
FOUND = "PREFIX dg: <https://w3id.org/diplograph/ontology#> ASK { <urn:event> a dg:CooperativeEvent }"


@pytest.fixture
def store() -> EmbeddedStore:
    found = EmbeddedStore()
    install(found)
    Entailments().rebuild(found)
    return found


def wait_for(done: object, patience: float = 120) -> bool:
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if done():  # type: ignore[operator]
            return True
        time.sleep(0.05)
    return False


def test_a_small_graph_is_in_step_after_a_quiet_moment(store: EmbeddedStore, tmp_path: Path) -> None:
    pending = StaleEntailments(tmp_path, quiet=0.2)
    with pending.writing(store):
        assert pending.stale(), "the mark is there before the change"
        store.update(INSERT)
    assert wait_for(lambda: not pending.stale())
    assert store.query(FOUND).truth()


def test_a_large_graph_waits_for_a_person(store: EmbeddedStore, tmp_path: Path) -> None:
    pending = StaleEntailments(tmp_path, quiet=0.01, small=10)
    with pending.writing(store):
        store.update(INSERT)
    time.sleep(0.5)
    assert pending.stale() and not store.query(FOUND).truth()
    assert StaleEntailments(tmp_path).stale(), "every process sees it"
    assert pending.rebuild(store) > 0
    assert not StaleEntailments(tmp_path).stale() and store.query(FOUND).truth()


def test_a_change_that_failed_leaves_no_mark(store: EmbeddedStore, tmp_path: Path) -> None:
    pending = StaleEntailments(tmp_path, quiet=60)
    with pytest.raises(ValueError), pending.writing(store):
        raise ValueError("the update is wrong")
    assert not pending.stale()
    with pending.writing(store):
        pass
    with pytest.raises(ValueError), pending.writing(store):
        raise ValueError("the update is wrong")
    assert pending.stale(), "what another change left stale stays so"
    pending.close()


def test_a_change_during_the_building_stays_marked(
    store: EmbeddedStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pending, other = StaleEntailments(tmp_path, quiet=60), StaleEntailments(tmp_path, quiet=60)
    build = Entailments.rebuild

    def late(self: Entailments, within: EmbeddedStore) -> int:
        number = build(self, within)
        with other.writing(within):
            within.update(INSERT)
        return number

    monkeypatch.setattr(Entailments, "rebuild", late)
    pending.rebuild(store)
    assert pending.stale()
    other.close()


def test_another_process_waits_for_the_lock(tmp_path: Path) -> None:
    program = (
        "import sys, pathlib; from kg.reasoning import StaleEntailments\n"
        "with StaleEntailments(pathlib.Path(sys.argv[1])).alone(): print('inside', flush=True)"
    )
    with StaleEntailments(tmp_path).alone():
        process = subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True
        )
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(3)
    assert process.communicate(timeout=60)[0].strip() == "inside"
