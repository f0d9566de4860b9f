"""Run the W3C suites of SPARQL 1.0 and 1.1 on `/sparql` and `/update`, and on the engine beneath them.

`python -m tools.run_w3c FOLDER`, where FOLDER is the folder `sparql` of github.com/w3c/rdf-tests. The unnamed
graph, by its name, is the default graph of each test. Prints the tests that only one of the two fails; exits
with 1 if the engine passes one of them.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlencode

import pyoxigraph
from flask.testing import FlaskClient
from pyoxigraph import (
    BlankNode,
    CanonicalizationAlgorithm,
    Dataset,
    DefaultGraph,
    Literal,
    NamedNode,
    Quad,
    QueryBoolean,
    QueryResultsFormat,
    QuerySolutions,
    QueryTriples,
    RdfFormat,
    Triple,
)

from api.app import create_app
from kg.settings import Settings
from kg.store import UNNAMED, EmbeddedStore

MF = "http://www.w3.org/2001/sw/DataAccess/tests/test-manifest#"
QT = "http://www.w3.org/2001/sw/DataAccess/tests/test-query#"
UT = "http://www.w3.org/2009/sparql/tests/test-update#"
RS = "http://www.w3.org/2001/sw/DataAccess/tests/result-set#"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
LABEL = "http://www.w3.org/2000/01/rdf-schema#label"
BASE = "https://w3c.github.io/rdf-tests/sparql/"
TOKEN = {"Authorization": "Bearer w3c"}
# Entailment regimes, federation and the protocols are other suites.
LEFT_OUT = ("entailment/", "service/", "protocol/", "graph-store-protocol/", "http-rdf-update/", "syntax-fed/",
            "service-description/")  # fmt: skip


class Manifest:
    """The triples of a manifest."""

    def __init__(self, path: Path, base: str) -> None:
        self._triples = pyoxigraph.Store()
        self._triples.load(path=str(path), format=RdfFormat.TURTLE, base_iri=base)

    def all(self, subject: object, predicate: str) -> list[object]:
        """List the objects of a subject."""
        return [q.object for q in self._triples.quads_for_pattern(subject, NamedNode(predicate), None)]  # type: ignore[arg-type]

    def one(self, subject: object, predicate: str) -> object:
        """Return the object of a subject, None if there is none."""
        return next(iter(self.all(subject, predicate)), None)

    def entries(self) -> Iterator[object]:
        """Yield the tests."""
        for quad in self._triples.quads_for_pattern(None, NamedNode(MF + "entries"), None):
            rest = quad.object
            while rest != NamedNode(RDF + "nil"):
                yield self.one(rest, RDF + "first")
                rest = self.one(rest, RDF + "rest")  # type: ignore[assignment]


class Engine:
    """The engine itself."""

    def __init__(self) -> None:
        self.store = pyoxigraph.Store()

    def load(self, data: bytes, form: RdfFormat, base: str, graph: str | None) -> None:
        """Add a file to a graph."""
        to = NamedNode(graph) if graph else DefaultGraph()
        self.store.load(data, format=form, base_iri=base, to_graph=to)

    def query(self, text: str, base: str, accept: str) -> bytes:
        """Answer a query."""
        found = self.store.query(text, base_iri=base)
        if isinstance(found, QueryTriples):
            return found.serialize(format=RdfFormat.N_TRIPLES) or b""
        return found.serialize(format=QueryResultsFormat.from_media_type(accept)) or b""  # type: ignore[arg-type]

    def update(self, text: str, base: str) -> None:
        """Carry out an update; what LOAD cannot reach does not count."""
        with suppress(OSError):
            self.store.update(text, base_iri=base)

    def quads(self) -> list[Quad]:
        """Return the whole content."""
        return list(self.store)


class Server(Engine):
    """Our doors, on an embedded store."""

    def __init__(self, app_folder: Path) -> None:
        self.embedded = EmbeddedStore()
        self.store = self.embedded.engine
        settings = Settings(data=app_folder, token="w3c")
        self.client: FlaskClient = create_app(self.embedded, settings).test_client()

    def load(self, data: bytes, form: RdfFormat, base: str, graph: str | None) -> None:
        """Add a file to a graph by the Graph Store Protocol."""
        text = pyoxigraph.serialize(
            (quad.triple for quad in pyoxigraph.parse(data, format=form, base_iri=base)),
            format=RdfFormat.N_TRIPLES,
        )
        self._checked(
            self.client.post(
                "/graphs?" + (urlencode({"graph": graph}) if graph else "default"),
                data=text,
                content_type="application/n-triples",
                headers=TOKEN,
            )
        )

    def query(self, text: str, base: str, accept: str) -> bytes:
        """Ask /sparql, with the unnamed graph as default graph unless the query names graphs."""
        fields = [] if " from " in f" {' '.join(text.lower().split())} " else [("default-graph-uri", UNNAMED)]
        named = {quad.graph_name.value for quad in self.store if isinstance(quad.graph_name, NamedNode)}
        fields += [("named-graph-uri", name) for name in sorted(named) if fields]
        return self._checked(
            self.client.post(
                "/sparql?" + urlencode(fields),
                data=f"BASE <{base}> {text}".encode(errors="surrogatepass"),
                content_type="application/sparql-query",
                headers={"Accept": f"{accept}, application/n-triples"},
            )
        )

    def update(self, text: str, base: str) -> None:
        """Send to /update; what LOAD may not reach does not count."""
        response = self.client.post(
            "/update",
            data=f"BASE <{base}> {text}",
            content_type="application/sparql-update",
            headers=TOKEN,
        )
        if response.status_code != 403:
            self._checked(response)

    def _checked(self, response: object) -> bytes:
        if response.status_code >= 400:  # type: ignore[attr-defined]
            raise RuntimeError(response.text)  # type: ignore[attr-defined]
        return response.data  # type: ignore[attr-defined,no-any-return]


def run(folder: Path, make: Callable[[], Engine]) -> dict[str, str]:
    """Run all tests; return what went wrong by the name of each test, empty where nothing did."""
    outcomes: dict[str, str] = {}
    for path in sorted(folder.glob("sparql1[01]/*/manifest.ttl")):
        if path.parent.name + "/" in LEFT_OUT:
            continue
        base = BASE + path.relative_to(folder).as_posix()
        manifest = Manifest(path, base)
        for entry in manifest.entries():
            kinds = {str(kind).strip("<>").rpartition("#")[2] for kind in manifest.all(entry, RDF + "type")}
            name = str(entry).strip("<>").removeprefix(BASE)
            if not kinds & set(TESTS):
                continue
            test = Test(manifest, entry, folder, make())
            try:
                TESTS[(kinds & set(TESTS)).pop()](test)
                outcomes[name] = ""
            except Exception as error:
                outcomes[name] = f"{type(error).__name__}: {error}"[:200]
    return outcomes


class Test:
    """One test and the engine that it runs on."""

    def __init__(self, manifest: Manifest, entry: object, folder: Path, engine: Engine) -> None:
        self.manifest, self.entry, self._folder, self.engine = manifest, entry, folder, engine
        self.action = manifest.one(entry, MF + "action")
        self.result = manifest.one(entry, MF + "result")

    def read(self, node: object) -> tuple[bytes, str]:
        """Return content and address of a file of the suite."""
        address = str(node).strip("<>")
        return (self._folder / address.removeprefix(BASE)).read_bytes(), address

    def fill(self, node: object, space: str, engine: Engine) -> None:
        """Load the graphs that a node names."""
        for file in self.manifest.all(node, space + "data"):
            data, address = self.read(file)
            engine.load(data, form_of(address), address, None)
        for graph in self.manifest.all(node, space + "graphData"):
            file = self.manifest.one(graph, UT + "graph") or graph
            label = self.manifest.one(graph, LABEL)
            data, address = self.read(file)
            engine.load(
                data, form_of(address), address, label.value if isinstance(label, Literal) else address
            )


def positive(test: Test) -> None:
    """The query or update is accepted."""
    data, base = test.read(test.action)
    if base.endswith(".ru"):
        test.engine.update(data.decode(), base)
    else:
        test.engine.query(data.decode(), base, "application/sparql-results+json")


def negative(test: Test) -> None:
    """It is refused."""
    try:
        positive(test)
    except (SyntaxError, RuntimeError):
        return
    raise AssertionError("it was accepted")


def evaluated(test: Test) -> None:
    """The query has the result of the manifest."""
    query, base = test.read(test.manifest.one(test.action, QT + "query"))
    test.fill(test.action, QT, test.engine)
    text = query.decode()
    if test.manifest.one(test.action, QT + "data") is None and "from" in text.lower():
        for word in text.split("<")[1:]:
            path = test._folder / base.removeprefix(BASE).rpartition("/")[0] / word.partition(">")[0]
            if path.is_file():
                address = base.rpartition("/")[0] + "/" + path.name
                test.engine.load(path.read_bytes(), form_of(address), address, address)
    expected, address = test.read(test.result)
    ending = address.rpartition(".")[2]
    accept = {"csv": "text/csv", "tsv": "text/tab-separated-values", "srj": "application/sparql-results+json"}
    media_type = accept.get(ending, "application/sparql-results+xml")
    body = test.engine.query(text, base, media_type)
    if ending == "csv":
        assert sorted(body.split()) == sorted(expected.split()), body
    elif ending in ("ttl", "rdf", "nt"):
        wanted = [q.triple for q in pyoxigraph.parse(expected, format=form_of(address), base_iri=address)]
        if any(triple.predicate.value == RS + "resultVariable" for triple in wanted) or any(
            triple.predicate.value == RS + "boolean" for triple in wanted
        ):
            assert shape(rows(body, media_type)) == shape(listed_rows(wanted)), body
        else:
            got = [q.triple for q in pyoxigraph.parse(body, format=RdfFormat.N_TRIPLES)]
            assert shape(got) == shape(wanted), body
    else:
        assert shape(rows(body, media_type)) == shape(rows(expected, media_type)), body


def updated(test: Test) -> None:
    """The update leaves the content of the manifest."""
    text, base = test.read(test.manifest.one(test.action, UT + "request"))
    test.fill(test.action, UT, test.engine)
    test.engine.update(text.decode(), base)
    wanted = Engine()
    test.fill(test.result, UT, wanted)
    assert quad_shape(test.engine.quads()) == quad_shape(wanted.quads()), test.engine.quads()


TESTS: dict[str, Callable[[Test], None]] = {
    "QueryEvaluationTest": evaluated,
    "CSVResultFormatTest": evaluated,
    "UpdateEvaluationTest": updated,
    **dict.fromkeys(("PositiveSyntaxTest", "PositiveSyntaxTest11", "PositiveUpdateSyntaxTest11"), positive),
    **dict.fromkeys(("NegativeSyntaxTest", "NegativeSyntaxTest11", "NegativeUpdateSyntaxTest11"), negative),
}


def form_of(address: str) -> RdfFormat:
    """Return the format of a file of the suite."""
    form = RdfFormat.from_extension(address.rpartition(".")[2])
    assert form is not None, address
    return form


def rows(body: bytes, media_type: str) -> list[Triple]:
    """Return solutions as triples: a node for each row."""
    found = pyoxigraph.parse_query_results(body, format=QueryResultsFormat.from_media_type(media_type))  # type: ignore[arg-type]
    if isinstance(found, QueryBoolean):
        return [Triple(BlankNode(), NamedNode("urn:boolean"), Literal(bool(found)))]
    assert isinstance(found, QuerySolutions)
    names = [variable.value for variable in found.variables]
    triples = [Triple(BlankNode(), NamedNode("urn:variable"), Literal(name)) for name in names]
    for solution in found:
        row = BlankNode()
        triples.append(Triple(row, NamedNode("urn:row"), Literal(True)))
        triples += [
            Triple(row, NamedNode("urn:" + name), term)
            for name, term in zip(names, solution, strict=True)
            if term is not None
        ]
    return triples


def listed_rows(triples: list[Triple]) -> list[Triple]:
    """Return solutions in the vocabulary of the suite as `rows` does."""
    found: dict[object, dict[str, list[object]]] = {}
    for triple in triples:
        name = triple.predicate.value.removeprefix(RS)
        found.setdefault(triple.subject, {}).setdefault(name, []).append(triple.object)
    listed: list[Triple] = []
    for values in found.values():
        for boolean in values.get("boolean", ()):
            return [Triple(BlankNode(), NamedNode("urn:boolean"), boolean)]  # type: ignore[arg-type]
        for name in values.get("resultVariable", ()):
            listed.append(Triple(BlankNode(), NamedNode("urn:variable"), Literal(name.value)))  # type: ignore[attr-defined]
        for solution in values.get("solution", ()):
            row = BlankNode()
            listed.append(Triple(row, NamedNode("urn:row"), Literal(True)))
            for binding in found.get(solution, {}).get("binding", ()):
                bound = found[binding]
                name = bound["variable"][0].value  # type: ignore[attr-defined]
                listed.append(Triple(row, NamedNode("urn:" + name), bound["value"][0]))  # type: ignore[arg-type]
    return listed


def shape(triples: list[Triple]) -> list[str]:
    """Return triples with names of blank nodes that do not depend on their labels."""
    return quad_shape([Quad(t.subject, t.predicate, t.object) for t in triples])


def quad_shape(quads: list[Quad]) -> list[str]:
    """Return quads likewise."""
    dataset = Dataset(quads)
    dataset.canonicalize(CanonicalizationAlgorithm.UNSTABLE)
    return sorted(map(str, dataset))


def main() -> None:
    """Run both and compare."""
    folder = Path(sys.argv[1])
    engine = run(folder, Engine)
    with tempfile.TemporaryDirectory() as data:
        ours = run(folder, lambda: Server(Path(data) / "none"))
    failed, own = {n for n, e in ours.items() if e}, {n for n, e in engine.items() if e}
    print(f"{len(ours)} tests: /sparql and /update fail {len(failed)}, the engine {len(own)}")
    print(json.dumps({"only ours": {name: ours[name] for name in sorted(failed - own)}}, indent=1))
    print(json.dumps({"only the engine's": sorted(own - failed)}, indent=1))
    print(json.dumps({"both": {name: engine[name] for name in sorted(failed & own)}}, indent=1))
    sys.exit(bool(failed - own))


if __name__ == "__main__":
    main()
