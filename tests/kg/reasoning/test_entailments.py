"""Entailments: what inference says is found, said once, and in step with every change."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from pathlib import Path

import owlrl
import pyoxigraph
import pytest
import rdflib
from pyoxigraph import NamedNode, Quad, RdfFormat, Triple

from kg import changes
from kg.changes import Change
from kg.load.following import change_from
from kg.ontology import reference_graphs
from kg.reasoning import AssertedStore, Entailments, asking, asserted_only, neighbours, told
from kg.reasoning.schema import keeps, read_schema
from kg.store import UNION, EmbeddedStore
from kg.store.isolated import IsolatedStore
from kg.terms import (
    BASE,
    GRAPH,
    GRAPH_ENTAILMENTS,
    GRAPH_LOADS,
    GRAPH_ONTOLOGY,
    ID,
    ONTOLOGY,
    PREFIXES,
    term,
)

HEAD = f"@base <{BASE}> . " + "".join(f"@prefix {p}: <{i}> ." for p, i in PREFIXES.items())
SOURCE = NamedNode(GRAPH + "a-source")
OTHER = NamedNode(GRAPH + "another-source")
TREATY = """
<id/event/treaty> a dg:Event ; dg:actor <id/country/atl> ; dg:hasInteraction <id/interaction/treaty> .
<id/interaction/treaty> a dg:Interaction ; dg:party <id/country/atl>, <id/country/lem> ;
  dg:character <id/character/cooperative> .
"""
COOPERATIVE = f"ASK {{ <{ID}event/treaty> a {term('dg:CooperativeEvent')} }}"


def triples(turtle: str) -> list[Triple]:
    return [quad.triple for quad in pyoxigraph.parse(HEAD + turtle, format=RdfFormat.TURTLE)]


def put(
    store: EmbeddedStore, added: Iterable[Triple], removed: Iterable[Triple] = (), graph: NamedNode = SOURCE
) -> Change:
    """Change a graph, and tell what was changed."""
    held = set(store.engine.quads_for_pattern(None, None, None, graph))

    def quads(given: Iterable[Triple]) -> set[Quad]:
        return {Quad(t.subject, t.predicate, t.object, graph) for t in given}

    came, went = quads(added) - held, quads(removed) & held
    store.change(went, came)
    return Change(graph, lambda: iter([q.triple for q in came]), lambda: iter([q.triple for q in went]))


def entailed(store: EmbeddedStore) -> set[Triple]:
    return {q.triple for q in store.engine.quads_for_pattern(None, None, None, GRAPH_ENTAILMENTS)}


@pytest.fixture
def small() -> Iterator[EmbeddedStore]:
    """The ontology alone."""
    store = EmbeddedStore()
    put(store, _named(reference_graphs()[GRAPH_ONTOLOGY]), graph=GRAPH_ONTOLOGY)
    yield store
    store.close()


def _named(given: Iterable[Triple]) -> list[Triple]:
    """Blank nodes as a store has them: IRIs (RDF 1.1 section 3.5)."""

    def name(node: object) -> object:
        blank = isinstance(node, pyoxigraph.BlankNode)
        return NamedNode(f"{BASE}.well-known/genid/{node.value}") if blank else node  # type: ignore[attr-defined]

    return [Triple(name(t.subject), t.predicate, name(t.object)) for t in given]  # type: ignore[arg-type]


def test_what_only_inference_says_is_found(small: EmbeddedStore) -> None:
    follower = Entailments()
    follower.rebuild(small)
    change = put(small, triples(TREATY))
    assert not small.query(COOPERATIVE).truth()
    follower.follow(small, change)
    assert small.query(COOPERATIVE).truth()
    atlantis = NamedNode(ID + "country/atl")
    treaty = NamedNode(ID + "event/treaty")
    assert {
        Triple(treaty, term("dg:participant"), atlantis),
        Triple(atlantis, term("rdf:type"), term("dg:Agent")),
        Triple(NamedNode(ID + "interaction/treaty"), term("dg:interactionOf"), treaty),
    } <= entailed(small)


def test_the_article_is_classified(store: EmbeddedStore) -> None:
    Entailments().rebuild(store)
    deportation = f"<{ID}event/us-iran-deportation>"
    assert store.query(f"ASK {{ {deportation} a {term('dg:CooperativeEvent')} }}").truth()


def test_without_entailments(small: EmbeddedStore) -> None:
    assert asserted_only(small) == UNION
    follower = Entailments()
    follower.rebuild(small)
    follower.follow(small, put(small, triples(TREATY)))
    plain = AssertedStore(small)
    assert not plain.query(COOPERATIVE).truth()
    assert not small.query(COOPERATIVE, asserted_only(small)).truth()
    assert not plain.query("ASK { GRAPH ?g { ?s ?p ?o } FILTER(STRENDS(STR(?g), 'entailments')) }").truth()
    # Who names the graph gets it.
    assert plain.query(f"ASK FROM {GRAPH_ENTAILMENTS} {{ ?s ?p ?o }}").truth()
    put(small, triples("<id/place/x> a dg:Place ."), graph=OTHER)
    assert plain.query(f"ASK {{ <{ID}place/x> a ?c }}").truth()


def test_undo_takes_it_back(small: EmbeddedStore) -> None:
    follower = Entailments()
    follower.rebuild(small)
    before = entailed(small)
    follower.follow(small, put(small, triples(TREATY)))
    assert entailed(small) > before
    follower.follow(small, put(small, (), triples(TREATY)))
    assert entailed(small) == before


def test_what_still_follows_from_another_source_stays(small: EmbeddedStore) -> None:
    follower = Entailments()
    follower.follow(small, put(small, triples("<id/event/e> dg:actor <id/country/atl> .")))
    follower.follow(small, put(small, triples("<id/event/f> dg:recipient <id/country/atl> ."), graph=OTHER))
    follower.follow(small, put(small, (), triples("<id/event/e> dg:actor <id/country/atl> .")))
    agent = Triple(NamedNode(ID + "country/atl"), term("rdf:type"), term("dg:Agent"))
    assert agent in entailed(small)
    assert not [t for t in entailed(small) if t.subject == NamedNode(ID + "event/e")]


def test_nothing_asserted_is_repeated(small: EmbeddedStore) -> None:
    follower = Entailments()
    follower.follow(small, put(small, triples(TREATY)))
    said = triples("<id/event/treaty> a dg:CooperativeEvent ; dg:participant <id/country/atl> .")
    follower.follow(small, put(small, said, graph=OTHER))
    assert not entailed(small) & set(said)
    follower.follow(small, put(small, (), said, graph=OTHER))
    assert set(said) <= entailed(small)


def test_no_useless_statement_is_kept(store: EmbeddedStore) -> None:
    Entailments().rebuild(store)
    found = entailed(store)
    assert found
    own = tuple(PREFIXES[name] for name in ("rdf", "rdfs", "owl"))
    for t in found:
        assert t.predicate == term("rdf:type") or not t.predicate.value.startswith(own)
        assert t.predicate != term("rdf:type") or keeps(t.object.value)  # type: ignore[union-attr]
        assert t.subject != t.object


def test_the_graph_says_where_it_comes_from(small: EmbeddedStore) -> None:
    Entailments().rebuild(small)
    said = {q.predicate: q.object for q in small.engine.quads_for_pattern(GRAPH_ENTAILMENTS, None, None)}
    assert said[term("prov:wasDerivedFrom")] == GRAPH_ONTOLOGY
    software = said[term("prov:wasAttributedTo")]
    assert "reasonable" in str(software)
    assert term("prov:generatedAtTime") in said
    assert not list(small.engine.quads_for_pattern(GRAPH_ENTAILMENTS, None, None, GRAPH_ENTAILMENTS))


def test_ensure_builds_once_and_again_for_another_ontology(small: EmbeddedStore) -> None:
    put(small, triples(TREATY))
    assert Entailments().ensure(small)
    assert not Entailments().ensure(small)
    put(small, triples("dg:Treaty rdfs:subClassOf dg:Event ."), graph=GRAPH_ONTOLOGY)
    assert Entailments().ensure(small)
    later = triples('<load/1> a dg:Load ; prov:endedAtTime "2999-01-01T00:00:00Z"^^xsd:dateTime .')
    put(small, later, graph=GRAPH_LOADS)
    assert Entailments().ensure(small)


def test_a_change_of_the_ontology_changes_what_follows(small: EmbeddedStore) -> None:
    follower = Entailments()
    follower.follow(small, put(small, triples("<id/event/e> a dg:Journey .")))
    wider = triples("dg:Journey rdfs:subClassOf dg:Policy .")
    follower.follow(small, put(small, wider, graph=GRAPH_ONTOLOGY))
    policy = Triple(NamedNode(ID + "event/e"), term("rdf:type"), term("dg:Policy"))
    assert policy in entailed(small)
    follower.follow(small, put(small, (), wider, graph=GRAPH_ONTOLOGY))
    assert policy not in entailed(small)


# Facts that touch every rule the ontology uses: sub-classes and -properties, domains and ranges, inverses,
# symmetry, transitivity, and class expressions two steps deep.
_NAMES = [NamedNode(f"{ID}thing/{letter}") for letter in "abcdefg"]
_LINKS = ("actor", "orderedBy", "origin", "ledTo", "resultOf", "hasInteraction", "interactionOf")
_LINKS += ("subEventOf", "locatedIn", "country", "party")
_OUTSIDE = ("org:holds", "org:subOrganizationOf", "skos:broader", "skos:exactMatch")
_CLASSES = ("Event", "Journey", "Person", "Country", "Facility", "Interaction", "Place")


def _random_fact(pick: random.Random) -> Triple:
    x, y = pick.sample(_NAMES, 2)
    kind = pick.random()
    if kind < 0.25:
        return Triple(x, term("rdf:type"), NamedNode(ONTOLOGY + pick.choice(_CLASSES)))
    if kind < 0.4:
        return Triple(x, term("dg:character"), NamedNode(ID + "character/cooperative"))
    name = pick.choice([f"dg:{link}" for link in _LINKS] + list(_OUTSIDE))
    return Triple(x, term(name), y)


@pytest.mark.parametrize("seed", range(12))
def test_following_gives_what_building_anew_gives(small: EmbeddedStore, seed: int) -> None:
    pick = random.Random(seed)
    follower = Entailments()
    follower.rebuild(small)
    for _ in range(6):
        graph = pick.choice((SOURCE, OTHER))
        held = [q.triple for q in small.engine.quads_for_pattern(None, None, None, graph)]
        gone = pick.sample(sorted(held, key=str), min(len(held), pick.randrange(6)))
        come = [_random_fact(pick) for _ in range(pick.randrange(1, 8))]
        follower.follow(small, put(small, come, gone, graph))
        followed = entailed(small)
        Entailments().rebuild(small)
        assert followed == entailed(small)


# Each question to the store is asked in two ways, by how much there is to read; both must give the same.
_WAYS = {"read whole": (0, 10**9), "one by one": (10**9, 0), "by size": (2, 1)}


@pytest.mark.parametrize("way", _WAYS)
@pytest.mark.parametrize("seed", range(4))
def test_following_is_the_same_however_the_store_is_asked(
    small: EmbeddedStore, seed: int, way: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    few, read = _WAYS[way]
    monkeypatch.setattr(asking, "_FEW", few)
    monkeypatch.setattr(asking, "_READ", read)
    monkeypatch.setattr(neighbours, "_MANY", 0 if way == "read whole" else 2_000)
    monkeypatch.setattr(told, "_STRETCH", 4)
    monkeypatch.setattr(changes, "_BATCH", 3)
    pick = random.Random(1000 + seed)
    follower = Entailments()
    follower.rebuild(small)
    for _ in range(5):
        graph = pick.choice((SOURCE, OTHER))
        held = [q.triple for q in small.engine.quads_for_pattern(None, None, None, graph)]
        gone = pick.sample(sorted(held, key=str), min(len(held), pick.randrange(6)))
        other = [q.triple for q in small.engine.quads_for_pattern(None, None, None, OTHER)]
        # Some of what the other graph says already, and of what is entailed.
        come = [_random_fact(pick) for _ in range(pick.randrange(1, 8))]
        come += pick.sample(sorted(other, key=str), min(len(other), 2))
        come += pick.sample(sorted(entailed(small), key=str), min(len(entailed(small)), 2))
        follower.follow(small, in_files(put(small, come, gone, graph), tmp_path))
        followed = entailed(small)
        # Blank nodes are only those of the ontology, whose labels differ between two stores.
        assert followed == from_scratch(small)
        said = {q.triple for q in small.engine if q.graph_name != GRAPH_ENTAILMENTS}
        assert not followed & said


def in_files(change: Change, folder: Path) -> Change:
    """Give a change as a load has it: lines of N-Quads, behind which stands a record in another graph."""
    record = Quad(SOURCE, term("prov:wasAttributedTo"), OTHER, GRAPH_LOADS)
    paths = []
    for name, triples in (("entered.nq", change.added()), ("left.nq", change.removed())):
        quads = [*(Quad(*t, change.graph) for t in triples), record]
        pyoxigraph.serialize(quads, str(folder / name), format=RdfFormat.N_QUADS)
        paths.append(folder / name)
    return change_from(*paths, change.graph)


def from_scratch(store: EmbeddedStore) -> set[Triple]:
    """What is entailed where nothing was before."""
    other = EmbeddedStore()
    other.engine.extend(q for q in store.engine if q.graph_name != GRAPH_ENTAILMENTS)
    Entailments().rebuild(other)
    try:
        return entailed(other)
    finally:
        other.close()


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
    change = in_files(put(small, triples(HARD)), tmp_path)
    assert {line[: -batch.end] for batch in change.statements(gone=False) for line in batch.lines} == {
        str(t).encode() for t in change.added()
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


def test_nothing_is_entailed_of_blank_nodes(small: EmbeddedStore) -> None:
    Entailments().rebuild(small)
    before = entailed(small)
    small.update(
        f"INSERT DATA {{ GRAPH {SOURCE} {{ _:e {term('dg:actor')} _:a ; a {term('dg:Journey')} ; "
        f"{term('dg:hasInteraction')} [ {term('dg:character')} <{ID}character/cooperative> ] }} }}"
    )
    Entailments().rebuild(small)
    assert {t.subject for t in entailed(small) - before} == {NamedNode(ID + "character/cooperative")}
    before = entailed(small)
    small.update(f"INSERT DATA {{ GRAPH {SOURCE} {{ <{ID}event/e> {term('dg:actor')} _:a }} }}")
    Entailments().rebuild(small)
    assert entailed(small) - before == {Triple(NamedNode(ID + "event/e"), term("rdf:type"), term("dg:Event"))}


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


def test_building_anew_mends_what_is_held(small: EmbeddedStore) -> None:
    put(small, triples(TREATY))
    Entailments().rebuild(small)
    right = entailed(small)
    small.update(
        f"DELETE WHERE {{ GRAPH {GRAPH_ENTAILMENTS} {{ ?x {term('dg:participant')} ?y }} }} ; INSERT DATA {{"
        f" GRAPH {GRAPH_ENTAILMENTS} {{ <{ID}event/treaty> a {term('dg:Event')}, {term('dg:Policy')} ;"
        f" {term('dg:place')} <{ID}place/x> ; <urn:p> 'text' ; a <urn:C> }} }}"
    )
    assert entailed(small) != right
    assert Entailments().rebuild(small) == len(right)
    assert entailed(small) == right


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


def test_classes_that_expressions_speak_of() -> None:
    schema = read_schema(reference_graphs()[GRAPH_ONTOLOGY])
    spoken = {name.removeprefix(ONTOLOGY) for name in schema.expressed}
    # Journey is an event, and Official is defined by a post.
    assert {"Event", "Journey", "CooperativeEvent", "Person", "Official"} <= spoken
    assert not {"Article", "Source", "Place", "Country", "CodingRecord"} & spoken


@pytest.mark.parametrize("seed", range(3))
def test_a_second_reasoner_finds_the_same(small: EmbeddedStore, seed: int) -> None:
    """owlrl is another program for the rules of OWL 2 RL; equality of things is left out."""
    pick = random.Random(100 + seed)
    facts = {_random_fact(pick) for _ in range(14)}
    # Two events of one interaction are one by prp-fp; that two IRIs are one thing is never materialised.
    facts = {t for t in facts if t.predicate not in (term("dg:hasInteraction"), term("dg:interactionOf"))}
    facts |= set(triples(TREATY))
    put(small, facts)
    Entailments().rebuild(small)
    graph = rdflib.Graph()
    ontology = [q.triple for q in small.engine.quads_for_pattern(None, None, None, GRAPH_ONTOLOGY)]
    text = pyoxigraph.serialize([*ontology, *facts], format=RdfFormat.N_TRIPLES)
    graph.parse(data=text, format="nt")
    # Its own reading of datatypes would change rdflib's for every other test.
    owlrl.DeductiveClosure(owlrl.OWLRL_Semantics, improved_datatypes=False).expand(graph)
    things = {str(node.value) for t in facts for node in (t.subject, t.object) if isinstance(node, NamedNode)}

    def worth(s: object, p: object, o: object) -> bool:
        name = o if str(p) == term("rdf:type").value else p
        return str(s) in things and isinstance(o, rdflib.URIRef) and s != o and keeps(str(name))

    expected = {
        Triple(NamedNode(str(s)), NamedNode(str(p)), NamedNode(str(o))) for s, p, o in graph if worth(s, p, o)
    }
    found = {t for t in entailed(small) if isinstance(t.subject, NamedNode) and t.subject.value in things}
    assert found == expected - facts


def test_what_joins_is_read_from_the_ontology() -> None:
    schema = read_schema(reference_graphs()[GRAPH_ONTOLOGY])
    joining = {name.removeprefix(ONTOLOGY) for name in schema.joining}
    # Transitive, functional or in a class expression, and inverses of such.
    assert {"subEventOf", "locatedIn", "interactionOf", "hasInteraction", "character"} <= joining
    assert not {"actor", "participant", "time", "eventType", "codedActor"} & joining


def test_behind_processes_it_is_the_same(tmp_path: Path) -> None:
    """With one reader, so that no question may wait for another, and few rows for who asks from outside."""
    store = IsolatedStore(
        tmp_path / "store", snapshots=tmp_path / "snapshots", workers=1, timeout=120, memory=2**31, rows=5
    )
    plain = EmbeddedStore()

    def held() -> set[str]:
        text = f"CONSTRUCT {{ ?s ?p ?o }} {{ GRAPH {GRAPH_ENTAILMENTS} {{ ?s ?p ?o }} }}"
        answer = store.query_whole(text)
        return set(map(str, answer.triples()))

    def expected() -> set[str]:
        Entailments().rebuild(plain)
        return set(map(str, entailed(plain)))

    try:
        ontology = _named(reference_graphs()[GRAPH_ONTOLOGY])
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
                Change(
                    SOURCE,
                    lambda some=some: iter([q.triple for q in some]),  # type: ignore[misc]
                    lambda none=none: iter([q.triple for q in none]),  # type: ignore[misc]
                ),
            )
            assert held() == expected()
            follower.rebuild(store)
            assert held() == expected()
    finally:
        store.close()
        plain.close()
