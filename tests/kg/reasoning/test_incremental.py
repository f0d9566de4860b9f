"""Following a change gives what building anew gives, however the store is asked and whatever it is."""

from __future__ import annotations

import random
from pathlib import Path

import pyoxigraph
import pytest
from pyoxigraph import NamedNode, Quad, RdfFormat, Triple

from kg.changes import Change
from kg.load.followers import change_from
from kg.ontology import reference_graphs
from kg.reasoning import Entailments
from kg.reasoning import reachable as neighbours
from kg.reasoning import rule_queries as asking
from kg.reasoning import single_premise as told
from kg.store import EmbeddedStore
from kg.terms import (
    GRAPH_ENTAILMENTS,
    GRAPH_LOADS,
    GRAPH_ONTOLOGY,
    ID,
    term,
)
from tests.kg.changes import as_triples, change_of
from tests.kg.reasoning.graphs import (
    COOPERATIVE,
    OTHER,
    SOURCE,
    TREATY,
    entailed,
    from_scratch,
    named,
    put,
    random_fact,
    triples,
)
from tests.kg.store.opening import open_isolated


@pytest.mark.parametrize("seed", range(6))
def test_following_gives_what_building_anew_gives(small: EmbeddedStore, seed: int) -> None:
    pick = random.Random(seed)
    follower = Entailments()
    follower.rebuild(small)
    for _ in range(6):
        graph = pick.choice((SOURCE, OTHER))
        held = [q.triple for q in small.engine.quads_for_pattern(None, None, None, graph)]
        gone = pick.sample(sorted(held, key=str), min(len(held), pick.randrange(6)))
        come = [random_fact(pick) for _ in range(pick.randrange(1, 8))]
        follower.follow(small, put(small, come, gone, graph))
        followed = entailed(small)
        Entailments().rebuild(small)
        assert followed == entailed(small)


# Each question to the store is asked in two ways, by how much there is to read; both must give the same.
_WAYS = {"read whole": (0, 10**9), "one by one": (10**9, 0), "by size": (2, 1)}


@pytest.mark.parametrize("way", _WAYS)
@pytest.mark.parametrize("seed", range(2))
def test_following_is_the_same_however_the_store_is_asked(
    small: EmbeddedStore, seed: int, way: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    few, read = _WAYS[way]
    monkeypatch.setattr(asking, "_FEW", few)
    monkeypatch.setattr(asking, "_READ", read)
    monkeypatch.setattr(neighbours, "_MANY", 0 if way == "read whole" else 2_000)
    monkeypatch.setattr(told, "_PART", 4)
    pick = random.Random(1000 + seed)
    follower = Entailments()
    follower.rebuild(small)
    for _ in range(5):
        graph = pick.choice((SOURCE, OTHER))
        held = [q.triple for q in small.engine.quads_for_pattern(None, None, None, graph)]
        gone = pick.sample(sorted(held, key=str), min(len(held), pick.randrange(6)))
        other = [q.triple for q in small.engine.quads_for_pattern(None, None, None, OTHER)]
        # Some of what the other graph says already, and of what is entailed.
        come = [random_fact(pick) for _ in range(pick.randrange(1, 8))]
        come += pick.sample(sorted(other, key=str), min(len(other), 2))
        come += pick.sample(sorted(entailed(small), key=str), min(len(entailed(small)), 2))
        follower.follow(small, in_files(put(small, come, gone, graph), tmp_path))
        followed = entailed(small)
        # Blank nodes are only those of the ontology, whose labels differ between two stores.
        assert followed == from_scratch(small)
        said = {q.triple for q in small.engine if q.graph_name != GRAPH_ENTAILMENTS}
        assert not followed & said


def in_files(change: Change, folder: Path) -> Change:
    """Build a change as a load has it: lines of N-Quads, behind which stands a record in another graph."""
    record = Quad(SOURCE, term("prov:wasAttributedTo"), OTHER, GRAPH_LOADS)
    paths = []
    for name, some in (("entered.nq", change.added()), ("left.nq", change.removed())):
        quads = [*(Quad(*t, change.graph) for t in as_triples(some)), record]
        pyoxigraph.serialize(quads, str(folder / name), format=RdfFormat.N_QUADS)
        paths.append(folder / name)
    return change_from(*paths, change.graph)


HARD = """
<id/event/e> dg:actor "Ministry of \\"Foreign\\" Affairs\\n of Atlantis"@en-GB, "1.50"^^xsd:decimal ;
  dg:orderedBy <<( <id/event/e> dg:actor <id/country/atl> )>> ;
  rdfs:label "a <id/x> . _:b"@en ; dg:time <id/time/2018> .
<id/event/f> dg:actor <id/country/it's> ; rdfs:comment " _:a <x> <y> ." .
"""


def test_literals_and_triple_terms_are_followed_as_text(small: EmbeddedStore, tmp_path: Path) -> None:
    follower = Entailments()
    follower.rebuild(small)
    before = entailed(small)
    made = put(small, triples(HARD))
    change = in_files(made, tmp_path)
    assert {line[: -batch.end] for batch in change.added() for line in batch.lines} == {
        str(t).encode() for t in as_triples(made.added())
    }
    follower.follow(small, change)
    event = NamedNode(ID + "event/e")
    values = {
        t.object for t in entailed(small) if (t.subject, t.predicate) == (event, term("dg:participant"))
    }
    # Read, not written again: the engine has its own form for numbers.
    assert {getattr(value, "value", "") for value in values} >= {
        'Ministry of "Foreign" Affairs\n of Atlantis',
        "1.5",
    }
    assert any(isinstance(value, Triple) for value in values)
    assert entailed(small) == from_scratch(small)
    # A load's files have numbers as the engine writes them.
    gone = put(small, (), triples(HARD.replace("1.50", "1.5")))
    follower.follow(small, in_files(gone, tmp_path))
    assert entailed(small) == before


def test_what_the_unnamed_graph_says_counts(small: EmbeddedStore) -> None:
    follower = Entailments()
    follower.rebuild(small)
    said = f"<{ID}event/e> {term('dg:participant')} <{ID}country/atl>"
    small.update(f"INSERT DATA {{ {said} }}")
    follower.rebuild(small)
    atlantis, event = NamedNode(ID + "country/atl"), NamedNode(ID + "event/e")
    assert Triple(atlantis, term("rdf:type"), term("dg:Agent")) in entailed(small)
    follower.follow(small, put(small, triples("<id/event/e> dg:actor <id/country/atl> .")))
    assert Triple(event, term("dg:participant"), atlantis) not in entailed(small)
    follower.follow(small, put(small, (), triples("<id/event/e> dg:actor <id/country/atl> .")))
    assert Triple(event, term("rdf:type"), term("dg:Event")) in entailed(small)
    assert entailed(small) == from_scratch(small)


class Plain:
    """A store with nothing but what every store has, as one elsewhere."""

    def __init__(self, store: EmbeddedStore) -> None:
        self._store = store
        self.query, self.update, self.change = store.query, store.update, store.change

    replace = close = None

    @property
    def version(self) -> str:
        return ""


def test_a_store_that_takes_no_files_is_followed(small: EmbeddedStore) -> None:
    plain = Plain(small)
    follower = Entailments()
    follower.rebuild(small)
    before = entailed(small)
    change = put(small, triples(TREATY))
    follower.follow(plain, change)
    assert small.query(COOPERATIVE).truth()
    assert entailed(small) == from_scratch(small)
    follower.follow(plain, put(small, (), triples(TREATY)))
    assert entailed(small) == before


def test_behind_processes_it_is_the_same(tmp_path: Path) -> None:
    """With one reader, so that no question may wait for another, and few rows for who asks from outside."""
    store = open_isolated(tmp_path, workers=1, timeout=120, memory=2**31, rows=5)
    plain = EmbeddedStore()

    def held() -> set[str]:
        text = f"CONSTRUCT {{ ?s ?p ?o }} {{ GRAPH {GRAPH_ENTAILMENTS} {{ ?s ?p ?o }} }}"
        answer = store.query_whole(text)
        return set(map(str, answer.triples()))

    def expected() -> set[str]:
        Entailments().rebuild(plain)
        return set(map(str, entailed(plain)))

    try:
        ontology = named(reference_graphs()[GRAPH_ONTOLOGY])
        for one in (store, plain):
            one.change([], [Quad(t.subject, t.predicate, t.object, GRAPH_ONTOLOGY) for t in ontology])
        follower = Entailments()
        follower.rebuild(store)
        quads = [Quad(t.subject, t.predicate, t.object, SOURCE) for t in triples(TREATY)]
        for came in (True, False):
            some, none = (quads, []) if came else ([], quads)
            for one in (store, plain):
                one.change(none, some)
            follower.follow(
                store,
                change_of(SOURCE, (q.triple for q in some), (q.triple for q in none)),
            )
            assert held() == expected()
            follower.rebuild(store)
            assert held() == expected()
    finally:
        store.close()
        plain.close()
