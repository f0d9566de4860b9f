"""Run the W3C suites of the SPARQL 1.1 Protocol and the Graph Store HTTP Protocol on our doors.

`python -m tools.run_w3c_protocols FOLDER`, where FOLDER is the folder `sparql` of github.com/w3c/rdf-tests. Each
test gets an empty store. Prints the tests that fail; exits with 1 if there are any.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from urllib.parse import quote

import pyoxigraph
from flask.testing import FlaskClient
from pyoxigraph import Literal, NamedNode, QueryResultsFormat, RdfFormat
from werkzeug.test import TestResponse

from api.app import create_app
from kg.settings import Settings
from kg.store import EmbeddedStore
from tools.run_w3c import LABEL, MF, RDF, TOKEN, UT, Manifest, form_of, shape

HT = "http://www.w3.org/2011/http#"
CHARS, ENCODING = (f"http://www.w3.org/2011/content#{name}" for name in ("chars", "characterEncoding"))
STATUS = {"OK": "200", "Created": "201", "NoContent": "204", "NotFound": "404"}
BASE = "http://www.example/"
MANIFESTS = (
    "protocol/manifest",
    "graph-store-protocol/manifest-direct",
    "graph-store-protocol/manifest-indirect",
)


def text(node: object) -> str:
    """Return the text of a literal."""
    assert isinstance(node, Literal), node
    return node.value


def listed(manifest: Manifest, node: object) -> list[object]:
    """Return the members of a list."""
    found: list[object] = []
    while node not in (None, NamedNode(RDF + "nil")):
        found.append(manifest.one(node, RDF + "first"))
        node = manifest.one(node, RDF + "rest")
    return found


def headers(manifest: Manifest, node: object) -> dict[str, str]:
    """Return the headers of a request or response."""
    return {
        text(manifest.one(one, HT + "fieldName")).lower(): text(manifest.one(one, HT + "fieldValue"))
        for one in listed(manifest, manifest.one(node, HT + "headers"))
    }


def body(manifest: Manifest, node: object) -> bytes | None:
    """Return the body of a request or response, None if it has none."""
    content = manifest.one(node, HT + "body")
    if content is None:
        return None
    return text(manifest.one(content, CHARS)).encode(text(manifest.one(content, ENCODING)))


def address(path: str, kind: str, sent: bytes) -> str:
    """Return our address for one of the suite."""
    for start, ours in (
        ("/sparql/", "/sparql"),
        ("/gsp?", "/graphs?"),
        ("/gsp/", "/graph/"),
        ("/gsp", "/graphs"),
    ):
        if path.startswith(start):
            path = ours + path.removeprefix(start)
            break
    is_update = "sparql-update" in kind or sent.startswith(b"update=") or "?update=" in path
    return path.replace("/sparql", "/update", 1) if is_update else path


def check(manifest: Manifest, wanted: object, got: TestResponse) -> None:
    """Compare an answer with the one of the suite."""
    names = [str(node).strip("<>").rpartition("#")[2] for node in manifest.all(wanted, MF + "expectedStatus")]
    statuses = [STATUS.get(name) or name.removeprefix("StatusCode") for name in names]
    status = str(got.status_code)
    assert any(status == one or status[0] + "xx" == one for one in statuses), (status, names, got.text[:200])
    boolean = manifest.one(wanted, MF + "expectedBoolean")
    if isinstance(boolean, Literal):
        form = QueryResultsFormat.from_media_type(got.mimetype)
        assert form is not None, got.mimetype
        found = pyoxigraph.parse_query_results(got.data, format=form)
        assert bool(found) == (boolean.value == "true"), found
    expected = manifest.one(wanted, MF + "expectedFormat")
    if isinstance(expected, Literal) and expected.value in ("tabular", "boolean"):
        assert QueryResultsFormat.from_media_type(got.mimetype), got.mimetype
    elif isinstance(expected, Literal):
        assert RdfFormat.from_media_type(got.mimetype), got.mimetype
    graph = body(manifest, wanted)
    if graph is not None:
        got_format = RdfFormat.from_media_type(got.mimetype)
        wanted_format = RdfFormat.from_media_type(headers(manifest, wanted)["content-type"])
        assert got_format and wanted_format, got.mimetype
        pair = ((got.data, got_format), (graph, wanted_format))
        found, right = (
            shape([q.triple for q in pyoxigraph.parse(d, format=f, base_iri=BASE)]) for d, f in pair
        )
        assert found == right, (found, right)


def run(folder: Path, manifest: Manifest, entry: object, client: FlaskClient, store: EmbeddedStore) -> int:
    """Send the requests of a test in order; return their number."""
    for graph in manifest.all(entry, UT + "graphData"):
        file = str(manifest.one(graph, UT + "graph")).strip("<>").rpartition("/")[2]
        name = NamedNode(text(manifest.one(graph, LABEL)))
        store.engine.load(path=str(folder / file), format=form_of(file), to_graph=name)
    requests = listed(manifest, manifest.one(manifest.one(entry, MF + "action"), HT + "requests"))
    made = ""
    for number, request in enumerate(requests, 1):
        sent, given = body(manifest, request) or b"", headers(manifest, request)
        path = text(manifest.one(request, HT + "absolutePath")).replace("$LOCATION$", quote(made, safe=""))
        kind = given.get("content-type", "")
        got = client.open(
            address(path, kind, sent),
            method=text(manifest.one(request, HT + "methodName")),
            data=sent.replace(b"$LOCATION$", made.encode()),
            headers={**given, **TOKEN},
        )
        made = got.headers.get("Location", made)
        try:
            check(manifest, manifest.one(request, HT + "resp"), got)
        except AssertionError as error:
            raise AssertionError(f"request {number} of {len(requests)}: {error}") from None
    return len(requests)


def main() -> None:
    """Run all tests."""
    failed: dict[str, str] = {}
    tests = requests = 0
    with tempfile.TemporaryDirectory() as data:
        for name in MANIFESTS:
            path = Path(sys.argv[1]) / f"sparql11/{name}.ttl"
            manifest = Manifest(path, BASE)
            for entry in manifest.entries():
                store = EmbeddedStore()
                client = create_app(store, Settings(data=Path(data) / "none", token="w3c")).test_client()
                tests += 1
                try:
                    requests += run(path.parent, manifest, entry, client, store)
                except AssertionError as error:
                    failed[str(entry).strip("<>").rpartition("#")[2]] = str(error)[:400]
    print(f"{tests} tests, of which {len(failed)} fail; {requests} requests of those that pass")
    print(json.dumps(failed, indent=1))
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
