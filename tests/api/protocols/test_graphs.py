"""The behaviours that the W3C suite `sparql11/http-rdf-update` asks for, and the rest of the Recommendation.

Sections are those of SPARQL 1.1 Graph Store HTTP Protocol.
"""

from __future__ import annotations

import io
import json
from urllib.parse import urlencode

import pytest
from flask.testing import FlaskClient
from rdflib import Dataset, Graph
from rdflib.compare import isomorphic

from kg.load import OWN_GRAPHS
from kg.rdf.formats import GRAPH_FORMATS
from kg.terms import GRAPH

TOKEN = {"Authorization": "Bearer test-token"}
TTL = "text/turtle"
E = "http://e.example/"
PERSON = """@prefix foaf: <http://xmlns.com/foaf/0.1/> . @prefix v: <http://www.w3.org/2006/vcard/ns#> .
<http://e.example/1> a foaf:Person ; foaf:card [ a v:VCard ; v:fn "%s" ] ."""
OTHER = '<http://e.example/2> <http://xmlns.com/foaf/0.1/name> "Jane" .'
NEW = "/graph/new-one"
INDIRECT = "/graphs?" + urlencode({"graph": E + "person/1.ttl"})
DEFAULT = "/graphs?default"
BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


def put(client: FlaskClient, address: str, body: str, content_type: str = TTL, **headers: str):  # type: ignore[no-untyped-def]
    return client.put(address, data=body, content_type=content_type, headers={**TOKEN, **headers})


def post(client: FlaskClient, address: str, body: str, content_type: str = TTL, **headers: str):  # type: ignore[no-untyped-def]
    return client.post(address, data=body, content_type=content_type, headers={**TOKEN, **headers})


def read(client: FlaskClient, address: str) -> Graph:
    response = client.get(address, headers={"Accept": TTL})
    assert (response.status_code, response.mimetype) == (200, TTL)
    return Graph().parse(data=response.text, format="turtle")


def same(client: FlaskClient, address: str, *documents: str) -> bool:
    wanted = Graph()
    for document in documents:
        wanted.parse(data=document, format="turtle")
    return isomorphic(read(client, address), wanted)


ADDRESSES = pytest.mark.parametrize("address", [NEW, INDIRECT], ids=["direct", "indirect"])


@ADDRESSES
def test_put__initial_state_and_get_of_it(client: FlaskClient, address: str) -> None:
    assert put(client, address, PERSON % "Alan").status_code == 201
    assert same(client, address, PERSON % "Alan")


@ADDRESSES
def test_put__graph_already_in_store(client: FlaskClient, address: str) -> None:
    put(client, address, PERSON % "Alan")
    assert put(client, address, OTHER).status_code in (200, 204)
    assert same(client, address, OTHER)


def test_put__default_graph_and_get_of_it(client: FlaskClient) -> None:
    assert put(client, DEFAULT, PERSON % "Alan").status_code in (200, 201, 204)
    assert same(client, DEFAULT, PERSON % "Alan")
    put(client, DEFAULT, OTHER)
    assert same(client, DEFAULT, OTHER)
    # The named graphs are no part of it, and are left alone.
    assert len(read(client, "/graph/countries")) > 500


@ADDRESSES
def test_put__mismatched_payload(client: FlaskClient, address: str) -> None:
    response = put(client, address, PERSON % "Alan", "application/rdf+xml")
    assert (response.status_code, response.mimetype) == (400, "application/problem+json")
    assert client.get(address, headers={"Accept": TTL}).status_code == 404


@ADDRESSES
def test_put__empty_graph_and_get_of_it(client: FlaskClient, address: str) -> None:
    put(client, address, OTHER)
    assert put(client, address, "").status_code in (200, 204)
    assert len(read(client, address)) == 0
    assert put(client, "/graph/empty-at-once", "").status_code == 201
    assert len(read(client, "/graph/empty-at-once")) == 0


@ADDRESSES
def test_delete__existing_graph_and_get_of_it(client: FlaskClient, address: str) -> None:
    put(client, address, OTHER)
    assert client.delete(address, headers=TOKEN).status_code in (200, 204)
    assert client.get(address, headers={"Accept": TTL}).status_code == 404


@ADDRESSES
def test_delete__nonexistent_graph(client: FlaskClient, address: str) -> None:
    assert client.delete(address, headers=TOKEN).status_code == 404


def test_delete__default_graph(client: FlaskClient) -> None:
    put(client, DEFAULT, OTHER)
    assert client.delete(DEFAULT, headers=TOKEN).status_code in (200, 204)
    assert len(read(client, DEFAULT)) == 0
    assert len(read(client, "/graph/countries")) > 500


@ADDRESSES
def test_post__existing_graph_and_get_of_it(client: FlaskClient, address: str) -> None:
    put(client, address, PERSON % "Alan")
    assert post(client, address, OTHER).status_code in (200, 204)
    assert same(client, address, PERSON % "Alan", OTHER)
    # Blank nodes of two documents are different ones (RDF 1.1 Semantics, merging).
    post(client, address, PERSON % "Alan")
    assert same(client, address, PERSON % "Alan", PERSON % "Alan", OTHER)
    assert len(read(client, address)) == 8


def test_post__multipart_formdata(client: FlaskClient) -> None:
    put(client, NEW, OTHER)
    more = f'<{E}3> <{E}p> "three" .'
    fourth = f'<{E}4> <{E}p> "four" .'
    parts = {
        "one": (io.BytesIO((PERSON % "Alan").encode()), "alan.ttl", TTL),
        "two": (io.BytesIO(more.encode()), "more.nt", "application/octet-stream"),
        "three": [(io.BytesIO(fourth.encode()), "fourth", "application/n-triples")],
    }
    response = client.post(NEW, data=parts, content_type="multipart/form-data", headers=TOKEN)
    assert response.status_code in (200, 204)
    assert same(client, NEW, OTHER, PERSON % "Alan", more, fourth)
    parts = {
        "one": (io.BytesIO(OTHER.encode()), "a.ttl", TTL),
        "two": (io.BytesIO(b"<x"), "b.ttl", TTL),
    }
    response = client.put(NEW, data=parts, content_type="multipart/form-data", headers=TOKEN)
    assert response.status_code == 400 and "b.ttl" in response.json["where"]
    assert same(client, NEW, OTHER, PERSON % "Alan", more, fourth)


def test_post__create_new_graph_and_get_of_it(client: FlaskClient) -> None:
    response = post(client, "/graphs", PERSON % "Alan")
    assert response.status_code == 201
    address = response.headers["Location"]
    assert same(client, address, PERSON % "Alan")
    assert same(client, "/graphs?" + urlencode({"graph": address}), PERSON % "Alan")
    # The new graph is at both of its names.
    slug = address.rpartition("/")[2]
    assert same(client, "/graphs?" + urlencode({"graph": GRAPH + slug}), PERSON % "Alan")
    # And by its address as the name of the graph, at this server and at no other.
    named = f"http://localhost/graph/{slug}"
    assert same(client, "/graphs?" + urlencode({"graph": named}), PERSON % "Alan")
    other = named.replace("localhost", "other.example")
    assert client.get("/graphs?" + urlencode({"graph": other})).status_code == 404
    assert post(client, "/graphs", OTHER).headers["Location"] != address


def test_a_direct_address_of_several_segments(client: FlaskClient) -> None:
    assert put(client, "/graph/desk/2026/11", OTHER).status_code == 201
    assert same(client, "/graph/desk/2026/11", OTHER)
    assert same(client, "/graphs?" + urlencode({"graph": GRAPH + "desk/2026/11"}), OTHER)


def test_post__empty_graph_to_existing_graph(client: FlaskClient) -> None:
    put(client, NEW, OTHER)
    assert post(client, NEW, "").status_code in (200, 204)
    assert same(client, NEW, OTHER)


def test_post_makes_a_graph_that_is_not_there(client: FlaskClient) -> None:
    assert post(client, NEW, OTHER).status_code == 201


@ADDRESSES
def test_head_on_existing_graph(client: FlaskClient, address: str) -> None:
    put(client, address, OTHER)
    head = client.head(address, headers={"Accept": TTL})
    got = client.get(address, headers={"Accept": TTL})
    assert (head.status_code, head.data) == (200, b"")
    assert head.mimetype == TTL and head.headers["ETag"] == got.headers["ETag"]


@ADDRESSES
def test_head_on_nonexisting_graph(client: FlaskClient, address: str) -> None:
    assert client.head(address, headers={"Accept": TTL}).status_code == 404


def test_a_body_of_many_triples(client: FlaskClient) -> None:
    body = "\n".join(f"<{E}{n}> <{E}p> {n} ." for n in range(5000))
    assert post(client, NEW, body).status_code == 201
    assert len(read(client, NEW)) == 5000
    assert post(client, NEW, OTHER).status_code == 204
    assert len(read(client, NEW)) == 5001


def test_large_bodies_with_blank_nodes(client: FlaskClient) -> None:
    """Blank nodes stay blank nodes in bodies of any size; what was there goes, or stays, as asked."""
    lines = [f"<{E}{n}> <{E}p> [ <{E}q> {n} ] ." for n in range(400)]
    assert put(client, NEW, PERSON % "Alan").status_code == 201
    assert put(client, NEW, "\n".join(lines)).status_code == 204
    found = read(client, NEW)
    assert len(found) == 800
    assert isomorphic(found, Graph().parse(data="\n".join(lines), format="turtle"))
    assert put(client, NEW, PERSON % "Alan").status_code == 204
    assert same(client, NEW, PERSON % "Alan")
    assert post(client, NEW, "\n".join(lines)).status_code == 204
    assert len(read(client, NEW)) == 804


def test_relative_iris_mean_the_graph(client: FlaskClient) -> None:
    """Section 4.2: the base IRI of a payload is that of the graph."""
    put(client, "/graphs?" + urlencode({"graph": E + "dir/g"}), "<> <p> <other> .")
    (triple,) = read(client, "/graphs?" + urlencode({"graph": E + "dir/g"}))
    assert list(map(str, triple)) == [E + "dir/g", E + "dir/p", E + "dir/other"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # rdflib's own, of its parsers
@pytest.mark.parametrize("form", GRAPH_FORMATS, ids=lambda form: form.name)
def test_every_format_in_and_out(client: FlaskClient, form) -> None:  # type: ignore[no-untyped-def]
    kind = {"ttl": "turtle", "nt": "nt", "rdf": "xml", "jsonld": "json-ld"}[form.name]
    wanted = Graph().parse(data=PERSON % "Zoë", format="turtle")
    put(client, NEW, wanted.serialize(format=kind), form.media_type)
    response = client.get(NEW, headers={"Accept": form.media_type})
    assert response.mimetype == form.media_type and "Accept" in response.headers["Vary"]
    assert isomorphic(Graph().parse(data=response.data, format=kind), wanted)


def test_triple_terms_pass_through(client: FlaskClient) -> None:
    line = f'<{E}a> <{E}says> <<( <{E}b> <{E}c> "d" )>> .'
    assert put(client, NEW, line, "application/n-triples").status_code == 201
    assert client.get(NEW, headers={"Accept": "application/n-triples"}).text.strip() == line


def test_triple_terms_are_never_lost(client: FlaskClient) -> None:
    """Neither by bodies that are put in as a file, nor with blank nodes among them."""
    line = f'<{E}a> <{E}says> <<( <{E}b> <{E}c> "d" )>> .'
    many = "\n".join(f'<{E}{n}> <{E}says> <<( <{E}b> <{E}c> "{n}" )>> .' for n in range(600))
    nodes = "\n".join(f"<{E}{n}> <{E}p> [ <{E}q> {n} ] ." for n in range(400))
    put(client, NEW, line)
    assert post(client, NEW, nodes).status_code == 204
    assert line in client.get(NEW, headers={"Accept": "application/n-triples"}).text
    assert put(client, NEW, many, "application/n-triples").status_code == 204
    assert post(client, NEW, line).status_code == 204
    lines = client.get(NEW, headers={"Accept": "application/n-triples"}).text.splitlines()
    assert sorted(lines) == sorted([*many.splitlines(), line])
    assert put(client, NEW, OTHER).status_code == 204
    assert same(client, NEW, OTHER)


def test_a_browser_gets_the_page(client: FlaskClient) -> None:
    page = client.get("/graph/us-iran-deportation", headers=BROWSER)
    assert page.status_code == 200 and page.mimetype == "text/html"
    there = client.get("/graphs?" + urlencode({"graph": GRAPH + "us-iran-deportation"}), headers=BROWSER)
    assert (there.status_code, there.headers["Location"]) == (303, "/graph/us-iran-deportation")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # rdflib's own, of its parsers
def test_the_whole_dataset(client: FlaskClient) -> None:
    put(client, NEW, PERSON % "Alan")
    for form, kind in (("application/n-quads", "nquads"), ("application/trig", "trig")):
        response = client.get("/graphs", headers={"Accept": form})
        assert (response.status_code, response.mimetype) == (200, form)
        dataset = Dataset().parse(data=response.data, format=kind)
        assert isomorphic(
            dataset.graph(GRAPH + "new-one"), Graph().parse(data=PERSON % "Alan", format="turtle")
        )
        names = {str(graph.identifier) for graph in dataset.graphs()}
        assert {own.value for own in OWN_GRAPHS} - {GRAPH + "loads", GRAPH + "entailments"} <= names
    again = client.get(
        "/graphs", headers={"Accept": "application/trig", "If-None-Match": response.headers["ETag"]}
    )
    assert again.status_code == 304
    assert client.get("/graphs", headers={"Accept": "text/csv"}).status_code == 406


@pytest.mark.parametrize(
    ("method", "address", "content_type", "status"),
    [
        ("GET", "/graphs?default&graph=http://e.example/1", None, 400),
        ("GET", "/graphs?graph=http://e.example/1&graph=http://e.example/2", None, 400),
        ("GET", "/graphs?default=no", None, 400),
        ("GET", "/graphs?graph=relative", None, 400),
        ("GET", "/graphs?graph=", None, 400),
        ("GET", "/graphs?graph=http://e.example/absent", None, 404),
        ("GET", "/graph/absent", None, 404),
        ("PUT", "/graphs", TTL, 400),
        ("DELETE", "/graphs", None, 400),
        ("PATCH", "/graphs", "application/sparql-update", 400),
        ("PUT", "/graphs?graph=relative", TTL, 400),
        ("PUT", "/graphs?" + urlencode({"graph": GRAPH + "a/../b"}), TTL, 400),
        ("PUT", "/graphs?" + urlencode({"graph": GRAPH + ".%2E"}), TTL, 400),
        ("PUT", "/graphs?" + urlencode({"graph": "http://localhost/graph/./a"}), TTL, 400),
        ("PUT", "/graph/a/%2e%2e/b", TTL, 400),
        ("PUT", NEW, None, 415),
        ("PUT", NEW, "text/plain", 415),
        ("PUT", NEW, "application/x-www-form-urlencoded", 415),
        ("POST", NEW, "image/png", 415),
        ("PATCH", NEW, TTL, 415),
    ],
)
def test_requests_that_are_refused(
    client: FlaskClient, method: str, address: str, content_type: str | None, status: int
) -> None:
    headers = {**TOKEN, "Accept": TTL}
    response = client.open(address, method=method, data=OTHER, content_type=content_type, headers=headers)
    assert (response.status_code, response.mimetype) == (status, "application/problem+json")
    assert response.json["detail"] and response.json["mend"]


def test_a_fault_names_its_line_and_column(client: FlaskClient) -> None:
    response = put(client, NEW, f"{OTHER}\n<{E}3> <{E}p> oops .\n")
    assert response.status_code == 400
    assert response.json["line"] == 2 and response.json["column"] >= 1
    response = put(client, NEW, f'{OTHER}\n<{E}3> <{E}p> """oops .\n<{E}3> <{E}p> "x" .\n')
    assert (response.status_code, response.json["line"]) == (400, 2)
    assert "line" not in response.json["detail"] and "not closed" in response.json["detail"]
    assert client.get(NEW, headers={"Accept": TTL}).status_code == 404


def test_nothing_is_fetched_and_nothing_explodes(client: FlaskClient) -> None:
    rdf = (
        '<r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:e="http://e.example/">%s</r:RDF>'
    )
    file = '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    nested = "<r:Description><e:p>" * 300 + "</e:p></r:Description>" * 300
    cases = {
        "application/ld+json": [
            json.dumps({"@context": "http://127.0.0.1:9/context.jsonld", "name": "x"}),
            '{"@graph":' + "[" * 50_000 + "]" * 50_000 + "}",
        ],
        "application/rdf+xml": [
            file + rdf % '<r:Description r:about="http://e.example/1"><e:p>&x;</e:p></r:Description>',
            rdf % nested,
            "",
        ],
        TTL: [f"<{E}a> <{E}b> " + f"<<( <{E}a> <{E}b> " * 50_000 + "1" + " )>>" * 50_000 + " ."],
    }
    for content_type, bodies in cases.items():
        for body in bodies:
            response = put(client, NEW, body, content_type)
            assert response.status_code == 400, (content_type, body[:80])
    assert client.get(NEW, headers={"Accept": TTL}).status_code == 404


def test_a_graph_among_others_is_refused(client: FlaskClient) -> None:
    response = put(client, NEW, f"<{E}g> {{ {OTHER} }}", "application/trig")
    assert response.status_code == 400 and f"{E}g" in response.json["detail"]
    assert put(client, NEW, OTHER, "application/trig").status_code == 201


@pytest.mark.parametrize("own", OWN_GRAPHS, ids=lambda own: own.value.rpartition("/")[2])
def test_the_graphs_that_the_tool_keeps_are_protected(client: FlaskClient, own) -> None:  # type: ignore[no-untyped-def]
    for address in ("/graph/" + own.value.removeprefix(GRAPH), "/graphs?" + urlencode({"graph": own.value})):
        for method in ("PUT", "POST", "DELETE", "PATCH"):
            response = client.open(address, method=method, data=OTHER, content_type=TTL, headers=TOKEN)
            assert response.status_code == 403
    assert len(read(client, "/graph/ontology")) > 100


def test_writes_need_the_token(client: FlaskClient) -> None:
    for address in (NEW, INDIRECT, DEFAULT, "/graphs"):
        for method in ("PUT", "POST", "DELETE", "PATCH"):
            if address == "/graphs" and method != "POST":
                continue
            for headers, status in (({}, 401), ({"Authorization": "Bearer wrong"}, 403)):
                response = client.open(address, method=method, data=OTHER, content_type=TTL, headers=headers)
                assert response.status_code == status, (method, address)
    assert len(read(client, DEFAULT)) == 0


def test_conditions_guard_a_write(client: FlaskClient) -> None:
    """RFC 9110 section 13."""
    assert put(client, NEW, OTHER, **{"If-Match": "*"}).status_code == 412
    assert put(client, NEW, OTHER, **{"If-None-Match": "*"}).status_code == 201
    assert put(client, NEW, PERSON % "A", **{"If-None-Match": "*"}).status_code == 412
    tag = client.get(NEW, headers={"Accept": "application/n-triples"}).headers["ETag"]
    assert not tag.startswith("W/")
    assert put(client, NEW, PERSON % "A", **{"If-Match": tag}).status_code == 204
    # The tag names a state that is past.
    for method in ("PUT", "POST", "DELETE"):
        response = client.open(
            NEW, method=method, data=OTHER, content_type=TTL, headers={**TOKEN, "If-Match": tag}
        )
        assert (response.status_code, response.mimetype) == (412, "application/problem+json")
    assert same(client, NEW, PERSON % "A")
    assert client.delete(NEW, headers={**TOKEN, "If-Match": "*"}).status_code == 204


def test_a_copy_that_is_good_is_not_sent_again(client: FlaskClient) -> None:
    put(client, NEW, OTHER)
    first = client.get(NEW, headers={"Accept": TTL})
    again = client.get(NEW, headers={"Accept": TTL, "If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    other_format = {"Accept": "application/n-triples", "If-None-Match": first.headers["ETag"]}
    assert client.get(NEW, headers=other_format).status_code == 200
    put(client, NEW, PERSON % "A")
    changed = client.get(NEW, headers={"Accept": TTL, "If-None-Match": first.headers["ETag"]})
    assert changed.status_code == 200


UPDATE = "application/sparql-update"


@ADDRESSES
@pytest.mark.parametrize(
    ("update", "left"),
    [
        (f"INSERT DATA {{ <{E}2> <{E}p> 'new' }}", {"old", "new"}),
        (f"DELETE DATA {{ <{E}1> <{E}p> 'old' }}", set()),
        (f"DELETE WHERE {{ ?s <{E}p> 'old' }}", set()),
        ("DELETE { ?s ?p ?o } INSERT { ?s ?p 'new' } WHERE { ?s ?p ?o }", {"new"}),
        ("INSERT { ?s ?p 'new' } WHERE { ?s ?p ?o { SELECT ?s { ?s ?p 'old' } } }", {"old", "new"}),
        (
            f"PREFIX e: <{E}> DELETE WHERE {{ ?s e:p 'old' }} ; INSERT DATA {{ e:1 e:p 'new' }}",
            {"new"},
        ),
    ],
)
def test_patch(client: FlaskClient, address: str, update: str, left: set[str]) -> None:
    """Section 5.7."""
    put(client, address, f"<{E}1> <{E}p> 'old' .")
    put(client, "/graph/bystander", f"<{E}1> <{E}p> 'old' .")
    response = client.patch(address, data=update, content_type=UPDATE, headers=TOKEN)
    assert response.status_code == 204, response.text
    assert {str(o) for o in read(client, address).objects()} == left
    assert {str(o) for o in read(client, "/graph/bystander").objects()} == {"old"}


@pytest.mark.parametrize(
    "update",
    [
        f"INSERT DATA {{ GRAPH <{GRAPH}bystander> {{ <{E}1> <{E}p> 'x' }} }}",
        f"CLEAR GRAPH <{GRAPH}bystander>",
        "DROP ALL",
        f"WITH <{GRAPH}bystander> DELETE {{ ?s ?p ?o }} WHERE {{ ?s ?p ?o }}",
        f"DELETE {{ ?s ?p ?o }} USING <{GRAPH}bystander> WHERE {{ ?s ?p ?o }}",
        f"INSERT DATA {{ <{E}1> <{E}p> 'x' }} ; LOAD <http://127.0.0.1:9/>",
        f"COPY DEFAULT TO <{GRAPH}bystander>",
    ],
)
def test_a_patch_stays_in_its_graph(client: FlaskClient, update: str) -> None:
    put(client, NEW, OTHER)
    put(client, "/graph/bystander", OTHER)
    response = client.patch(NEW, data=update, content_type=UPDATE, headers=TOKEN)
    assert (response.status_code, response.mimetype) == (422, "application/problem+json")
    assert response.json["line"] == 1
    assert same(client, "/graph/bystander", OTHER) and same(client, NEW, OTHER)


def test_a_patch_that_is_malformed(client: FlaskClient) -> None:
    put(client, NEW, OTHER)
    for update in (
        "INSERT DATA {",
        "nonsense",
        "SELECT * {}",
        "INSERT { <a:a> <a:b> trueGRAPH<http://e.example/x>{ <a:a> <a:b> 1 } } WHERE {}",
        r"CLE\u0041R ALL",
        "INSERT DATA { <a:a> <a:b> 1 } } ; DROP ALL",
        "DELETE WHERE { } } INSERT DATA { <a:a> <a:b> 1 }",
    ):
        response = client.patch(NEW, data=update, content_type=UPDATE, headers=TOKEN)
        assert response.status_code in (400, 422), update
    assert same(client, NEW, OTHER)
