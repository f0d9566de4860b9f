"""Updates never change the graphs that diplograph maintains."""

from __future__ import annotations

import pytest

from kg.errors import ProtectedGraphError
from kg.sparql.protection import changed_graphs, keep_own
from kg.store import EmbeddedStore, QueryDataset
from kg.store.interface import graph_names
from kg.terms import GRAPH, GRAPH_LOADS

P = f"PREFIX g: <{GRAPH}> "
N = f"PREFIX : <{GRAPH}> "
MINE = "http://mine.example/"


@pytest.fixture
def store() -> EmbeddedStore:
    made = EmbeddedStore()
    made.update(
        f"INSERT DATA {{ <a:s> <a:p> 1 GRAPH {GRAPH_LOADS} {{ <a:s> <a:p> 2 }} "
        f"GRAPH <{MINE}> {{ <a:s> <a:p> 3 }} }}"
    )
    return made


def carry_out(store: EmbeddedStore, text: str, base: str = "") -> None:
    dataset = QueryDataset(base_iri=base)
    store.update(keep_own(text, lambda: graph_names(store), base), dataset)


def values(store: EmbeddedStore) -> set[str]:
    return {quad.object.value for quad in store.engine}  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "text",
    [
        f"{P}INSERT DATA {{ GRAPH g:loads {{ <a:x> <a:p> 1 }} }}",
        f"{P}DELETE DATA {{ GRAPH g:entailments {{ <a:x> <a:p> 1 }} }}",
        f"{P}INSERT DATA {{ <a:s> <a:p> trueGRAPH g:loads {{ <a:x> <a:p> 1 }} }}",
        f"{P}DELETE WHERE {{ GRAPH g:loads {{ ?s ?p ?o }} }}",
        f"{P}WITH g:loads DELETE {{ ?s ?p ?o }} WHERE {{ ?s ?p ?o }}",
        f"{P}INSERT {{ GRAPH g:countries {{ ?s ?p ?o }} }} WHERE {{ ?s ?p ?o }}",
        f"{P}DELETE {{ ?s ?p ?o }} INSERT {{ GRAPH g:ontology {{ ?s ?p ?o }} }} WHERE {{ ?s ?p ?o }}",
        f"{P}CLEAR GRAPH g:loads",
        f"{P}DROP SILENT GRAPH g:loads",
        f"CREATE GRAPH {GRAPH_LOADS}",
        f"{P}LOAD <http://x.example/> INTO GRAPH g:loads",
        f"{P}COPY <{MINE}> TO g:loads",
        f"{P}ADD SILENT GRAPH <{MINE}> TO GRAPH g:alignments",
        f"{P}MOVE g:event-types TO <{MINE}>",
        f"DROP DEFAULT; {P}DROP GRAPH g:loads",
        f"DROP GRAPH <{GRAPH}lo\\u0061ds>",
        "BASE <https://w3id.org/diplograph/> DROP GRAPH <graph/loads>",
        f"PREFIXg:<{GRAPH}>DROP GRAPH g:loads",
        f"BASE <{GRAPH}loads#part> DROP GRAPH <>",
        f"BASE <{GRAPH}a/b> BASE <../> DROP GRAPH <loads>",
        # The engine reads a keyword and a name without a prefix as two words.
        f"{N}INSERT DATA{{GRAPH:loads{{<a:x> <a:p> 1}}}}",
        f"{N}INSERT DATA {{ <a:s> <a:p> 1.graph:loads {{ <a:x> <a:p> 1 }} }}",
        f"{N}INSERT DATA {{ <a:s> <a:p> trueGRAPH:loads{{ <a:x> <a:p> 1 }} }}",
        f"{N}WITH:loads DELETE {{ ?s ?p ?o }} WHERE {{ ?s ?p ?o }}",
        f"{N}DROP GRAPH:loads",
        f"{N}DROPSILENTGRAPH:loads",
        f"{N}CLEAR SILENT GRAPH:loads",
        f"{N}CREATEGRAPH:loads",
        f"{N}COPY DEFAULT TO:loads",
        f"{N}ADD DEFAULT TOGRAPH:loads",
        f"{N}MOVE:loads TO <{MINE}>",
        f"{N}LOAD <http://x.example/> INTOGRAPH:loads",
        f"{N}DROP DEFAULT;MOVE:loads TO:mine",
    ],
)
def test_a_graph_of_ours_that_is_named_is_refused(store: EmbeddedStore, text: str) -> None:
    with pytest.raises(ProtectedGraphError, match="maintained by diplograph"):
        carry_out(store, text)
    assert values(store) == {"1", "2", "3"}


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("DROP ALL", {"2"}),
        ("CLEAR SILENT ALL", {"2"}),
        ("DROP NAMED", {"1", "2"}),
        ("INSERT DATA { GRAPH <a:new> { <a:s> <a:p> 4 } } ; drop all", {"2"}),
        ("DELETE WHERE { GRAPH ?g { ?s ?p ?o } }", {"1", "2"}),
        ("DELETE { GRAPH ?g { ?s ?p ?o } } WHERE { GRAPH ?g { ?s ?p ?o } # }\n }", {"1", "2"}),
        ("DELETE { GRAPH ?g { ?s ?p ?o } } WHERE { SELECT * { GRAPH ?g { ?s ?p ?o } } }", {"1", "2"}),
        ("INSERT { GRAPH ?g { ?s ?p 9 } } WHERE { GRAPH ?g { ?s ?p 2 } }", {"1", "2", "3"}),
        (f"{P}INSERT {{ GRAPH ?g {{ ?s ?p 9 }} }} WHERE {{ ?s ?p ?o BIND(g:loads AS ?g) }}", {"1", "2", "3"}),
        ("INSERT { ?s ?p 9 GRAPH ?none { ?s ?p ?o } } WHERE { ?s ?p ?o }", {"1", "2", "3", "9"}),
        (f"{P}COPY g:loads TO DEFAULT", {"2", "3"}),
        (f"{P}INSERT {{ ?s ?p 9 }} USING g:loads WHERE {{ ?s ?p 2 }}", {"1", "2", "3", "9"}),
        (f"{P}INSERT {{ ?s ?p 9 }} WHERE {{ GRAPH g:loads {{ ?s ?p 2 }} }}", {"1", "2", "3", "9"}),
        (f"{P}DROP GRAPH <{MINE}> ; CREATE GRAPH <{MINE}>", {"1", "2"}),
        (f"DELETE {{ GRAPH <{MINE}> {{ ?s ?p 3 }} }} WHERE {{ GRAPH <{MINE}> {{ ?s ?p 3 }} }}", {"1", "2"}),
    ],
)
def test_graphs_of_ours_are_left_out_where_only_the_run_knows_them(
    store: EmbeddedStore, text: str, left: set[str]
) -> None:
    carry_out(store, text)
    assert values(store) == left


def test_other_updates_are_not_touched() -> None:
    text = "DELETE { ?s ?p ?o } WHERE { GRAPH ?g { ?s ?p ?o } } ; INSERT DATA { <a:a> <a:b> 'DROP ALL' }"
    assert keep_own(text, list) == text


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("PREFIX : <http://e.example/g#> INSERT DATA { GRAPH:a { <a:s> <a:p> 1 } }", "http://e.example/g#a"),
        (
            "BASE <http://e.example/x/> INSERT DATA { GRAPH <http://e.example/g#> { <a:s> <a:p> 1 } }",
            "http://e.example/g#",
        ),
        ("BASE <http://e.example/x/> INSERT DATA { GRAPH <?> { <a:s> <a:p> 1 } }", "http://e.example/x/?"),
        ("BASE <http://e.example/x/> INSERT DATA { GRAPH <///a> { <a:s> <a:p> 1 } }", "http:///a"),
        (
            "BASE <http://e.example/x/> INSERT DATA { GRAPH <a/../b;c> { <a:s> <a:p> 1 } }",
            "http://e.example/x/b;c",
        ),
        ("BASE <urn:a:b> INSERT DATA { GRAPH <#c> { <a:s> <a:p> 1 } }", "urn:a:b#c"),
        (
            "BASE <http://e.example/x/> PREFIX p: <y/> INSERT DATA { GRAPH p:z { <a:s> <a:p> 1 } }",
            "http://e.example/x/y/z",
        ),
    ],
)
def test_changed_graphs_are_named_as_the_engine_names_them(text: str, changed: str) -> None:
    store = EmbeddedStore()
    store.update(text)
    assert [str(graph) for graph in store.engine.named_graphs()] == [f"<{changed}>"]
    assert changed in (changed_graphs(text) or ())
