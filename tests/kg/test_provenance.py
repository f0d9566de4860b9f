"""The PROV record of a load: what is written is what is read back."""

from datetime import UTC, datetime, timedelta

import pytest
from pyoxigraph import Quad

from kg import __version__
from kg.errors import UnknownNameError
from kg.provenance import Load, load_triples, mint_load, read_load, read_loads
from kg.store import EmbeddedStore
from kg.terms import GRAPH, GRAPH_LOADS, LOAD, PREFIXES

START = datetime(2024, 5, 1, 12, 0, 0, 123456, tzinfo=UTC)


def make(at: datetime = START, name: str = 'a "quoted" name.ttl') -> Load:
    return Load(mint_load(at), f"{GRAPH}x", name, "0" * 64, 42, at, at + timedelta(seconds=1), 7, 3)


def store_with(*loads: Load) -> EmbeddedStore:
    store = EmbeddedStore()
    for load in loads:
        quads = [Quad(t.subject, t.predicate, t.object, GRAPH_LOADS) for t in load_triples(load)]
        store.change((), quads)
    return store


def test_a_load_is_read_back_as_it_was_written() -> None:
    load = make()
    store = store_with(load)
    assert read_loads(store) == [load]
    assert read_load(store, load.id) == read_load(store, load.iri) == load


def test_a_load_is_a_prov_activity() -> None:
    store = store_with(make())
    prov = (
        f"PREFIX prov: <{PREFIXES['prov']}> PREFIX dg: <{PREFIXES['dg']}> PREFIX rdfs: <{PREFIXES['rdfs']}>"
    )
    assert store.query(
        f"""{prov} ASK {{ ?load a prov:Activity, dg:Load ; prov:used ?file ; prov:generated <{GRAPH}x> ;
        prov:startedAtTime ?start ; prov:endedAtTime ?end ; prov:wasAssociatedWith ?agent ;
          rdfs:label ?label .
        ?file a prov:Entity ; dg:byteLength 42 . ?agent a prov:SoftwareAgent ; rdfs:label ?version
        FILTER(?start < ?end && CONTAINS(?version, "{__version__}")) }}"""
    ).truth()


def test_ids_sort_by_time_and_are_unique() -> None:
    times = [START, START + timedelta(microseconds=1), START + timedelta(days=300)]
    ids = [mint_load(at) for at in times]
    assert ids == sorted(ids)
    assert mint_load(START) != mint_load(START)


def test_the_newest_load_comes_first() -> None:
    old, new = make(START), make(START + timedelta(hours=1))
    assert read_loads(store_with(old, new)) == [new, old]


@pytest.mark.parametrize("name", ["nothing", "} UNION {", "a b", LOAD])
def test_an_unknown_load_is_told(name: str) -> None:
    with pytest.raises(UnknownNameError):
        read_load(store_with(make()), name)
