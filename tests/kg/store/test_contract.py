"""The contract of the store interface, on every store."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyoxigraph import BlankNode, DefaultGraph, Literal, NamedNode, Quad, Triple

from kg.errors import (
    ConflictError,
    NotAcceptableError,
    ParameterError,
    QueryRefusedError,
    QuerySyntaxError,
    RequestError,
    StoreFailedError,
    UnknownNameError,
)
from kg.rdf.formats import GRAPH_FORMATS, RESULT_FORMATS, result_format
from kg.store import EmbeddedStore, QueryDataset, Store
from tests.kg.store.opening import open_isolated

E = "http://e.example/"
BOOLEAN = NamedNode("http://www.w3.org/2001/XMLSchema#boolean")
A, B, P, G1, G2 = (NamedNode(E + name) for name in ("a", "b", "p", "g1", "g2"))

UNNAMED = "Virtuoso 7 has no unnamed graph"


def differs(**reasons: str) -> pytest.MarkDecorator:
    """Mark the engines that differ, each with the reason: the test must fail on them."""
    return pytest.mark.differs(**reasons)


STORES = ("memory", "disk", "isolated", "ours", "oxigraph", "virtuoso")


@pytest.fixture(params=STORES)
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty store."""
    differs_here = request.node.get_closest_marker("differs")
    if differs_here and request.param in differs_here.kwargs:
        request.applymarker(pytest.mark.xfail(strict=True, reason=differs_here.kwargs[request.param]))
    store = _open(request, tmp_path)
    yield store
    store.close()


def _open(request: pytest.FixtureRequest, folder: Path) -> Store:
    match request.param:
        case "memory":
            return EmbeddedStore()
        case "disk":
            return EmbeddedStore(folder / "store")
        case "isolated":
            return open_isolated(folder, memory=512 << 20)
    engine = request.getfixturevalue({"ours": "our_engine"}.get(request.param, f"{request.param}_engine"))
    store: Store = request.getfixturevalue("connected")(engine)
    return store


@pytest.fixture
def two(kept: Store) -> Store:
    """A store with one quad in each of two graphs."""
    kept.change([], [Quad(A, P, Literal("1"), G1), Quad(B, P, Literal("2"), G2)])
    return kept


def subjects(store: Store, query: str, dataset: QueryDataset | None = None) -> list[str]:
    answer = store.query(query, dataset) if dataset else store.query(query)
    return sorted(str(row["s"]).strip("<>").removeprefix(E) for row in answer.rows())


# The property keeps out what an engine has in graphs of its own.
ALL = f"SELECT ?s {{ ?s <{E}p> ?o }}"
NAMED = f"SELECT ?s {{ GRAPH ?g {{ ?s <{E}p> ?o }} }}"


def test_the_default_graph_is_the_union(two: Store) -> None:
    assert subjects(two, ALL) == ["a", "b"]
    assert subjects(two, NAMED) == ["a", "b"]


@differs(virtuoso=UNNAMED)
def test_the_unnamed_graph_is_in_the_union(two: Store) -> None:
    two.update(f"INSERT DATA {{ <{E}c> <{E}p> 3 }}")
    assert subjects(two, ALL) == ["a", "b", "c"]
    assert subjects(two, NAMED) == ["a", "b"]


@pytest.mark.xfail(strict=True, reason="oxigraph issue 1919: the union counts a triple once for each graph")
def test_a_triple_of_two_graphs_is_one_in_the_union(two: Store) -> None:
    two.change([], [Quad(A, P, Literal("1"), G2)])
    assert subjects(two, ALL) == ["a", "b"]


def test_from_keeps_its_meaning(two: Store) -> None:
    assert subjects(two, f"SELECT ?s FROM <{E}g1> {{ ?s ?p ?o }}") == ["a"]
    assert subjects(two, f"SELECT ?s FROM <{E}g1> FROM <{E}g2> {{ ?s ?p ?o }}") == ["a", "b"]
    # SPARQL 1.1 Query 13.2: with FROM NAMED alone the default graph is empty, and the other way round
    assert subjects(two, f"SELECT ?s FROM NAMED <{E}g1> {{ ?s ?p ?o }}") == []
    assert subjects(two, f"SELECT ?s FROM NAMED <{E}g1> {{ GRAPH ?g {{ ?s ?p ?o }} }}") == ["a"]
    assert subjects(two, f"SELECT ?s FROM <{E}g1> {{ GRAPH ?g {{ ?s ?p ?o }} }}") == []


def test_the_dataset_of_the_request_overrides_from(two: Store) -> None:
    second = QueryDataset(default=(E + "g2",))
    assert subjects(two, f"SELECT ?s FROM <{E}g1> {{ ?s ?p ?o }}", second) == ["b"]
    assert subjects(two, NAMED, second) == []
    assert subjects(two, ALL, QueryDataset(named=(E + "g2",))) == []
    assert subjects(two, NAMED, QueryDataset(named=(E + "g2",))) == ["b"]
    assert subjects(two, ALL, QueryDataset(default=(E + "none",))) == []


THE_UNNAMED = "urn:x-diplograph:unnamed-graph"
TOGETHER = "in its protocol only the absence of other graphs means the unnamed one"


@differs(virtuoso=UNNAMED)
def test_the_unnamed_graph_has_a_name_in_queries(two: Store) -> None:
    two.update(f"INSERT DATA {{ <{E}c> <{E}p> 3 }}")
    assert subjects(two, f"SELECT ?s FROM <{THE_UNNAMED}> {{ ?s ?p ?o }}") == ["c"]
    prefixed = "PREFIX x: <urn:x-diplograph:> SELECT ?s FROM x:unnamed-graph { ?s ?p ?o }"
    assert subjects(two, prefixed) == ["c"]
    only = QueryDataset(default=(THE_UNNAMED,))
    assert subjects(two, ALL, only) == ["c"]
    assert subjects(two, f"SELECT ?s FROM <{E}g1> {{ ?s ?p ?o }}", only) == ["c"]
    assert subjects(
        two, f"SELECT ?s FROM <{THE_UNNAMED}> {{ ?s ?p ?o }}", QueryDataset(default=(E + "g1",))
    ) == ["a"]


@differs(virtuoso=UNNAMED, oxigraph=TOGETHER)
def test_the_unnamed_graph_stands_beside_others(two: Store) -> None:
    two.update(f"INSERT DATA {{ <{E}c> <{E}p> 3 }}")
    assert subjects(two, f"SELECT ?s FROM <{THE_UNNAMED}> {{ GRAPH ?g {{ ?s ?p ?o }} }}") == []
    both = f"FROM <{THE_UNNAMED}> FROM <{E}g1>"
    assert subjects(two, f"SELECT ?s {both} {{ ?s ?p ?o }}") == ["a", "c"]
    named = f"FROM <{THE_UNNAMED}> FROM NAMED <{E}g1> FROM NAMED <{E}g2>"
    assert subjects(two, f"SELECT ?s {named} {{ ?s ?p ?o }}") == ["c"]
    assert subjects(two, f"SELECT ?s {named} {{ GRAPH ?g {{ ?s ?p ?o }} }}") == ["a", "b"]
    # A relative IRI is resolved as the engine does it
    based = f"BASE <{E}x> SELECT ?s FROM <g2> FROM <{THE_UNNAMED}> {{ ?s ?p ?o }}"
    assert subjects(two, based) == ["b", "c"]


def test_where_the_unnamed_graph_has_no_name_the_request_is_refused(kept: Store) -> None:
    for query in ("SELECT * {{ GRAPH <{0}> {{ ?s ?p ?o }} }}", "SELECT * FROM NAMED <{0}> {{ ?s ?p ?o }}"):
        with pytest.raises(ParameterError, match="unnamed graph") as caught:
            kept.query(query.format(THE_UNNAMED))
        assert (caught.value.line, THE_UNNAMED in str(caught.value.mend)) == (1, True)
    with pytest.raises(ParameterError):
        kept.query(ALL, QueryDataset(named=(THE_UNNAMED,)))
    for update in (
        "INSERT DATA {{ GRAPH <{0}> {{ <a:a> <a:b> 1 }} }}",
        "CLEAR GRAPH <{0}>",
        "WITH <{0}> DELETE {{ ?s ?p ?o }} WHERE {{ ?s ?p ?o }}",
        "PREFIX x: <urn:x-diplograph:> COPY DEFAULT TO x:unnamed-graph",
    ):
        with pytest.raises(ParameterError, match="unnamed graph"):
            kept.update(update.format(THE_UNNAMED))
    # As a term it is an IRI like others.
    assert kept.query(f"SELECT * {{ VALUES ?x {{ <{THE_UNNAMED}> }} }}").variables == ("x",)


def test_a_malformed_graph_iri_is_refused(kept: Store) -> None:
    for text, call in ((ALL, kept.query), ("DELETE WHERE { ?s ?p ?o }", kept.update)):
        with pytest.raises(ParameterError):
            call(text, QueryDataset(default=("no iri",)))


def test_answers_have_a_kind_and_variables(two: Store) -> None:
    rows = two.query(f"SELECT ?s ?nothing {{ ?s <{E}p> ?o }} ORDER BY ?s")
    assert (rows.kind, rows.variables) == ("solutions", ("s", "nothing"))
    assert [dict(row) for row in rows.rows()] == [{"s": A}, {"s": B}]
    yes = two.query("ASK { ?s ?p ?o }")
    assert (yes.kind, yes.variables, yes.truth()) == ("boolean", (), True)
    assert two.query(f"ASK {{ <{E}none> ?p ?o }}").truth() is False
    graph = two.query(f"CONSTRUCT WHERE {{ ?s <{E}p> ?o }}")
    assert graph.kind == "graph"
    assert set(graph.triples()) == {Triple(A, P, Literal("1")), Triple(B, P, Literal("2"))}


@pytest.mark.parametrize("form", [form.name for form in RESULT_FORMATS])
def test_solutions_can_be_written(two: Store, form: str) -> None:
    written = b"".join(two.query(ALL).serialize(result_format("solutions", form)))
    assert written.count(E.encode()) == 2


@pytest.mark.parametrize("form", [form.name for form in GRAPH_FORMATS])
def test_graphs_can_be_written(two: Store, form: str) -> None:
    query = "CONSTRUCT WHERE { ?s ?p ?o }"
    assert E.encode() in b"".join(two.query(query).serialize(result_format("graph", form)))


@differs(virtuoso="Virtuoso 7 writes U+0001 in XML as a reference, which is passed on")
def test_a_format_that_cannot_express_a_term_is_refused_by_its_name(kept: Store) -> None:
    kept.change([], [Quad(A, P, Literal("tea\x01"), G1), Quad(A, P, Literal("cr\r"), G2)])
    for query, kind in (
        (f"SELECT ?o {{ ?s <{E}p> ?o }}", "solutions"),
        ("CONSTRUCT WHERE { ?s ?p ?o }", "graph"),
    ):
        form = result_format(kind, "xml" if kind == "solutions" else "rdf")  # type: ignore[arg-type]
        with pytest.raises(NotAcceptableError, match=r"U\+0001.*tea"):
            b"".join(kept.query(query, QueryDataset(default=(E + "g1",))).serialize(form))
        written = b"".join(kept.query(query, QueryDataset(default=(E + "g2",))).serialize(form))
        assert b"cr&#13;<" in written


@pytest.mark.parametrize(
    "query", ["SELECT (EXISTS {{ {0} ?p ?o }} AS ?t) {{}}", "SELECT ?t {{ BIND({0} = {1} AS ?t) }}"]
)
def test_computed_booleans_are_booleans(two: Store, query: str) -> None:
    absent = f"<{E}absent>"
    for ends, expected in (((A, A), "true"), ((absent, A), "false")):
        text = query.format(*ends)
        assert [dict(row) for row in two.query(text).rows()] == [{"t": Literal(expected, datatype=BOOLEAN)}]
        written = b"".join(two.query(text).serialize(result_format("solutions", "json")))
        assert json.loads(written)["results"]["bindings"][0]["t"]["value"] == expected


def test_computed_integers_stay_integers(two: Store) -> None:
    (row,) = two.query(
        "SELECT (COUNT(*) AS ?n) (1 AS ?one) (SAMPLE(?s) = 1 AS ?t) { VALUES ?s { 2 } }"
    ).rows()
    assert row == {"n": Literal(1), "one": Literal(1), "t": Literal("false", datatype=BOOLEAN)}


def test_a_long_answer_is_whole(kept: Store) -> None:
    kept.change([], [Quad(NamedNode(f"{E}{n}"), P, Literal("x" * 100), G1) for n in range(20_000)])
    written = b"".join(
        kept.query(f"SELECT ?s ?o {{ ?s <{E}p> ?o }}").serialize(result_format("solutions", "csv"))
    )
    assert written.count(b"\r\n") == 20_001


REFUSES = "it refuses a text with a function that it does not know"


@differs(oxigraph=REFUSES, virtuoso=REFUSES)
def test_an_unknown_function_is_an_error_of_its_expression(two: Store) -> None:
    """SPARQL 1.1 sections 17.2 and 17.6: the expression has no value, and a filter with it is not met."""
    query = f"SELECT ?s (<{E}f>(?s) AS ?x) {{ ?s <{E}p> ?o FILTER(COALESCE(<{E}g>(?o), ?o = '1')) }}"
    answer = two.query(query)
    assert answer.variables == ("s", "x") and [dict(row) for row in answer.rows()] == [{"s": A}]
    assert not two.query(f"ASK {{ ?s <{E}p> ?o FILTER(<{E}f>(?o)) }}").truth()
    two.update(
        f"""INSERT {{ GRAPH <{E}g1> {{ ?s <{E}q> ?x, ?y }} }}
        WHERE {{ GRAPH ?g {{ ?s <{E}p> ?o }} BIND(<{E}f>(?o) AS ?x) BIND(COALESCE(?x, 'none') AS ?y) }}"""
    )
    assert subjects(two, f"SELECT ?s {{ ?s <{E}q> 'none' }}") == ["a", "b"]
    assert not two.query(f"ASK {{ ?s <{E}q> ?o FILTER(?o != 'none') }}").truth()


@differs(**dict.fromkeys(("memory", "disk", "isolated", "ours"), "the function has no value"))
def test_a_store_that_refuses_an_unknown_function_gives_no_byte(two: Store) -> None:
    with pytest.raises(RequestError):
        next(iter(two.query(f"SELECT (<{E}f>(1) AS ?x) {{}}").serialize(result_format("solutions", "csv"))))


@pytest.mark.parametrize(
    ("query", "line", "column"),
    [
        ("SELECT * {", 1, 11),
        ("SELECT *\n{ ?s foaf:name ?o }", 2, 6),
        ("SELECT * WHERE ?s", 1, 16),
        ("# é\nSELECT * { 'é' ?p 'x", 2, 21),
    ],
)
def test_a_malformed_query_names_its_place(kept: Store, query: str, line: int, column: int) -> None:
    with pytest.raises(QuerySyntaxError) as caught:
        kept.query(query)
    assert (caught.value.line, caught.value.column) == (line, column)
    assert caught.value.mend
    assert len(caught.value.detail) < 120 and "\\u{" not in caught.value.detail


def test_an_undeclared_prefix_is_named_with_the_line_that_declares_it(kept: Store) -> None:
    with pytest.raises(QuerySyntaxError) as caught:
        kept.query("SELECT * { ?s foaf:name ?o }")
    assert "foaf:" in caught.value.detail
    assert "PREFIX foaf: <http://xmlns.com/foaf/0.1/>" in str(caught.value.mend)


def test_an_update_sent_as_a_query_has_its_own_message(kept: Store) -> None:
    with pytest.raises(QuerySyntaxError, match="update"):
        kept.query("CLEAR ALL")
    with pytest.raises(QuerySyntaxError, match="query"):
        kept.update("ASK {}")


def test_a_silent_load_that_is_not_allowed_does_nothing(two: Store) -> None:
    """SPARQL 1.1 Update section 3.1.4: a LOAD SILENT that fails is a success, and the rest is carried out."""
    two.update(
        f"""PREFIX : <http://127.0.0.1:9/>
        LOAD SILENT :a ; LOAD silent <http://127.0.0.1:9/b> INTO GRAPH <{E}g1> ;
        INSERT DATA {{ GRAPH <{E}g1> {{ <{E}c> <{E}p> 3 }} }} ; LOAD SILENT <http://127.0.0.1:9/c>"""
    )
    assert subjects(two, ALL) == ["a", "b", "c"]
    with pytest.raises(QueryRefusedError):
        two.update(f"LOAD SILENT <http://127.0.0.1:9/> ; LOAD <http://127.0.0.1:9/>; DROP GRAPH <{E}g1>")
    assert subjects(two, ALL) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("LOAD", 1),
        ("LOAD <http://127.0.0.1:9/> INTO <http://e.example/g>", 1),
        ("PREFIX a: <http://127.0.0.1:9/> #\n\nLOAD a:b INTO a:c", 3),
        ("PREFIX a: <http://127.0.0.1:9/>\nLOAD a:b ;\n nonsense", 3),
        ("LOAD <http://127.0.0.1:9/> ; CLEAR\n", 2),
    ],
)
def test_a_malformed_load_is_malformed_before_it_is_refused(kept: Store, text: str, line: int) -> None:
    with pytest.raises(QuerySyntaxError) as caught:
        kept.update(text)
    assert caught.value.line == line and caught.value.column


@pytest.mark.parametrize("text", ["INSERT DATA { ?s <a:b> 1 }", "DELETE { } WHERE", "CLEAR ALL; nonsense"])
def test_a_malformed_update_changes_nothing(two: Store, text: str) -> None:
    with pytest.raises(QuerySyntaxError):
        two.update(text)
    assert subjects(two, ALL) == ["a", "b"]


def test_nothing_is_fetched(kept: Store) -> None:
    with pytest.raises(QueryRefusedError):
        kept.query("SELECT * { SERVICE SILENT <http://127.0.0.1:9/> { ?s ?p ?o } }")
    with pytest.raises(QueryRefusedError):
        kept.update("LOAD <http://127.0.0.1:9/>")


@differs(virtuoso="it keeps the operations before the one that fails")
def test_an_update_of_several_operations_is_one_transaction(two: Store) -> None:
    with pytest.raises(UnknownNameError):
        two.update(f"CLEAR ALL; INSERT DATA {{ <{E}x> <{E}p> 1 }}; DROP GRAPH <{E}none>")
    with pytest.raises(ConflictError):
        two.update(f"DROP GRAPH <{E}g1>; CREATE GRAPH <{E}g2>")
    assert subjects(two, ALL) == ["a", "b"]


@differs(virtuoso=UNNAMED)
def test_outside_of_graph_an_update_means_the_unnamed_graph(two: Store) -> None:
    two.update("DELETE WHERE { ?s ?p ?o }")
    assert subjects(two, ALL) == ["a", "b"]
    two.update("DELETE WHERE { GRAPH ?g { ?s ?p ?o } }")
    assert subjects(two, ALL) == []


def test_an_update_reads_the_graphs_of_the_request(two: Store) -> None:
    insert = f"INSERT {{ GRAPH <{E}g3> {{ ?s <{E}q> 1 }} }} WHERE {{ ?s ?p ?o }}"
    two.update(insert, QueryDataset(default=(E + "g1",)))
    assert subjects(two, f"SELECT ?s {{ GRAPH <{E}g3> {{ ?s ?p ?o }} }}") == ["a"]
    with pytest.raises(ParameterError):
        two.update(
            f"WITH <{E}g1> DELETE {{ ?s ?p ?o }} WHERE {{ ?s ?p ?o }}", QueryDataset(default=(E + "g2",))
        )


def test_change_removes_and_adds_at_once(two: Store) -> None:
    two.change([Quad(A, P, Literal("1"), G1)], [Quad(A, P, Literal("3"), G1)])
    (row,) = two.query(f"SELECT ?o {{ GRAPH <{E}g1> {{ ?s ?p ?o }} }}").rows()
    assert row["o"] == Literal("3")
    two.change([], [])
    assert subjects(two, ALL) == ["a", "b"]


@differs(virtuoso=UNNAMED)
def test_change_reaches_the_unnamed_graph(two: Store) -> None:
    two.change([], [Quad(A, P, A, DefaultGraph())])
    assert subjects(two, ALL) == ["a", "a", "b"]
    two.change([Quad(A, P, A, DefaultGraph())], [])
    assert subjects(two, ALL) == ["a", "b"]


def test_change_keeps_every_term_as_it_is(kept: Store) -> None:
    terms = [
        Literal("q\"\\\n\r\t'é😀\u007f"),
        Literal("hi", language="en-gb"),
        Literal("1.5", datatype=NamedNode("http://www.w3.org/2001/XMLSchema#decimal")),
        Literal("x y", datatype=NamedNode(E + "type")),
        NamedNode(E + "é?a=b#c%20d"),
        Literal("} ; CLEAR ALL #"),
    ]
    kept.change([], [Quad(A, P, term, G1) for term in terms])
    assert {row["o"] for row in kept.query(f"SELECT ?o {{ ?s <{E}p> ?o }}").rows()} == set(terms)


@differs(virtuoso="it would drop U+0000 in silence, so that such text is refused")
def test_change_keeps_the_zero_character(kept: Store) -> None:
    kept.change([], [Quad(A, P, Literal("a\u0000b"), G1)])
    assert {row["o"] for row in kept.query(f"SELECT ?o {{ ?s <{E}p> ?o }}").rows()} == {Literal("a\u0000b")}


@pytest.mark.parametrize("quad", [Quad(BlankNode(), P, A, G1), Quad(A, P, BlankNode(), G1)])
def test_change_refuses_blank_nodes_and_then_changes_nothing(two: Store, quad: Quad) -> None:
    for removed, added in (([quad], []), ([], [Quad(A, P, A, G1), quad])):
        with pytest.raises(StoreFailedError, match="blank node"):
            two.change(removed, added)
    assert subjects(two, ALL) == ["a", "b"]


def test_a_change_whose_quads_fail_to_come_changes_nothing(two: Store) -> None:
    def broken() -> Iterator[Quad]:
        yield Quad(A, P, A, G1)
        raise ValueError("the source broke")

    with pytest.raises(ValueError, match="broke"):
        two.change([Quad(B, P, Literal("2"), G2)], broken())
    assert subjects(two, ALL) == ["a", "b"]


def test_many_threads_read_while_others_write(two: Store) -> None:
    failures: list[BaseException] = []

    def read() -> None:
        try:
            for _ in range(30):
                # each change adds two quads at once, so that an odd number was never committed
                (count,) = two.query(f"SELECT (COUNT(*) AS ?n) {{ GRAPH <{E}g3> {{ ?s ?p ?o }} }}").rows()
                number = count["n"]
                assert isinstance(number, Literal) and int(number.value) % 2 == 0
        except BaseException as error:
            failures.append(error)

    def write(number: int) -> None:
        graph = NamedNode(E + "g3")
        try:
            for step in range(10):
                subject = NamedNode(f"{E}{number}-{step}")
                two.change([], [Quad(subject, P, A, graph), Quad(subject, P, B, graph)])
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=read) for _ in range(3)]
    threads += [threading.Thread(target=write, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(subjects(two, f"SELECT DISTINCT ?s {{ GRAPH <{E}g3> {{ ?s ?p ?o }} }}")) == 30


def test_a_closed_store_raises_an_error(kept: Store) -> None:
    kept.close()
    kept.close()
    with pytest.raises(StoreFailedError, match="closed"):
        kept.query(ALL)


def test_a_version_changes_with_every_change(two: Store) -> None:
    first = two.version
    two.update(f"INSERT DATA {{ GRAPH <{E}g1> {{ <{E}c> <{E}p> 3 }} }}")
    second = two.version
    two.change([], [Quad(B, P, Literal(4), G1)])
    versions = {first, second, two.version}
    assert versions == {""} or len(versions) == 3
    assert two.version == two.version


def test_relative_iris_are_resolved_against_the_base(kept: Store) -> None:
    here = QueryDataset(base_iri=f"{E}folder/file")
    kept.update("INSERT DATA { GRAPH <../g1> { <../a> <../p> <#part> } }", here)
    assert kept.query(f"ASK {{ GRAPH {G1} {{ {A} {P} <{E}folder/file#part> }} }}").truth()
    assert kept.query("ASK { GRAPH ?g { <../a> ?p <> } }", here).truth() is False
    assert kept.query("ASK { GRAPH ?g { <../a> ?p <#part> } }", here).truth()
