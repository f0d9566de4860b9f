"""SPARQL text is checked and rewritten before an engine reads it."""

from __future__ import annotations

import pytest

from kg.errors import ParameterError, QueryRefusedError, TooLargeError
from kg.sparql.guard import refuse_excess, refuse_remote_access
from kg.sparql.lexer import place
from kg.sparql.protection import keep_own
from kg.sparql.text import (
    dataset_clauses,
    has_relative_iri,
    opening_word,
    request_kind,
    undeclared_prefix,
    with_base,
    with_using,
)

EVIL = "<http://evil.example/x>"
ALLOWED = ("http://ok.example/sparql",)

REFUSED = [
    f"SELECT * {{ SERVICE {EVIL} {{ ?s ?p ?o }} }}",
    f"SELECT * {{ service {EVIL} {{ ?s ?p ?o }} }}",
    f"SELECT * {{ sErViCe {EVIL} {{ ?s ?p ?o }} }}",
    f"SELECT * {{ SERVICE SILENT {EVIL} {{ ?s ?p ?o }} }}",
    f"SELECT*{{SERVICE{EVIL}{{?s?p?o}}}}",
    f"SELECT*{{SERVICESILENT{EVIL}{{?s?p?o}}}}",
    "SELECT * { SERVICE ?endpoint { ?s ?p ?o } }",
    "SELECT * { SERVICE $endpoint { ?s ?p ?o } }",
    "SELECT * { SERVICE SILENT ?endpoint { ?s ?p ?o } }",
    "PREFIX e: <http://evil.example/> SELECT * { SERVICE e:x { ?s ?p ?o } }",
    "PREFIX : <http://evil.example/> SELECT * { SERVICE :x { ?s ?p ?o } }",
    "PREFIX : <http://evil.example/> SELECT * { SERVICE:x { ?s ?p ?o } }",
    "PREFIX : <http://evil.example/> SELECT * { SERVICE: { ?s ?p ?o } }",
    "PREFIX : <http://evil.example/> SELECT * { SERVICESILENT:x { ?s ?p ?o } }",
    "PREFIX : <http://evil.example/> SELECT * { SERVICE SILENT:x { ?s ?p ?o } }",
    "PREFIX : <http://evil.example/> SELECT * { ?s ?p trueSERVICE:x { ?s ?p ?o } }",
    "PREFIX : <http://evil.example/> SELECT * { ?s ?p ?o SERVICE:x#{\n{ ?s ?p ?o } }",
    "BASE <http://evil.example/> SELECT * { SERVICE <x> { ?s ?p ?o } }",
    f"SELECT * {{ ?s ?p true SERVICE {EVIL} {{ ?s ?p ?o }} }}",
    f"SELECT * {{ ?s ?p trueSERVICE {EVIL} {{ ?s ?p ?o }} }}",
    f"SELECT * {{ ?s ?p 1SERVICE {EVIL} {{ ?s ?p ?o }} }}",
    f"SELECT * {{ ?s ?p 1.5SERVICE {EVIL} {{ ?s ?p ?o }} }}",
    f"SELECT * {{ ?s ?p 1e5SERVICE {EVIL} {{ ?s ?p ?o }} }}",
    f"SELECT * {{ ?s ?p [] SERVICE {EVIL} {{ ?s ?p ?o }} }}",
    f"SELECT * {{ VALUES ?x {{ UNDEF }}SERVICE {EVIL} {{ ?s ?p ?o }} }}",
    f"SELECT * {{ FILTER EXISTS {{ SERVICE {EVIL} {{ ?s ?p ?o }} }} }}",
    f"SELECT * {{ {{ SELECT * {{ SERVICE {EVIL} {{ ?s ?p ?o }} }} }} }}",
    f"ASK {{ OPTIONAL {{ SERVICE {EVIL} {{ ?s ?p ?o }} }} }}",
    f"CONSTRUCT {{ ?s ?p ?o }} WHERE {{ SERVICE {EVIL} {{ ?s ?p ?o }} }}",
    f"DESCRIBE ?s {{ SERVICE {EVIL} {{ ?s ?p ?o }} }}",
    f"SELECT * {{ # a comment\n SERVICE # another\n {EVIL} {{ ?s ?p ?o }} }}",
    f"SELECT * {{ ?s ?p ?o # ends with a carriage return\r SERVICE {EVIL} {{ ?s ?p ?o }} }}",
    f'SELECT * {{ ?s ?p "#" . SERVICE {EVIL} {{ ?s ?p ?o }} }}',
    f"SELECT * {{ ?s ?p '#' . SERVICE {EVIL} {{ ?s ?p ?o }} }}",
    f'SELECT * {{ ?s ?p """a"b#""" . SERVICE {EVIL} {{ ?s ?p ?o }} }}',
    f"SELECT * {{ ?s ?p '''a'b\n#''' . SERVICE {EVIL} {{ ?s ?p ?o }} }}",
    f'SELECT * {{ ?s ?p "\\"#" . SERVICE {EVIL} {{ ?s ?p ?o }} }}',
    f'SELECT * {{ ?s ?p "\\\\" . SERVICE {EVIL} {{ ?s ?p ?o }} #" }}',
    f'SELECT * {{ ?s ?p """\\"""" . SERVICE {EVIL} {{ ?s ?p ?o }} #""" }}',
    f'SELECT * {{ ?s ?p ""  . SERVICE {EVIL} {{ ?s ?p ?o }} # "" }}',
    f"SELECT * {{ ?s <http://x.example/#> ?o . SERVICE {EVIL} {{ ?s ?p ?o }} }}",
    f"PREFIX e: <http://e.example/> SELECT * {{ ?s ?p e:a\\#b . SERVICE {EVIL} {{ ?s ?p ?o }} }}",
    f"PREFIX e: <http://e.example/> SELECT * {{ ?s ?p e:a\\'b . SERVICE {EVIL} {{ ?s ?p ?o }} #'\n }}",
    f'SELECT * {{ ?s ?p "a"@en . SERVICE {EVIL} {{ ?s ?p ?o }} }}',
    # "<" compares here, and what looks like an IRI hides the keyword
    f"SELECT * {{ ?s ?p ?b FILTER(?b<5)SERVICE#>\n {EVIL} {{ ?s ?p ?o }} }}",
    "SELECT * { ?s ?p ?a, ?b FILTER(?a<?b)SERVICE#>\n ?x { ?s ?p ?o } }",
    f"SELECT * {{ ?s ?p ?a, ?b FILTER(?a<?b#> '''\n ) SERVICE {EVIL} {{ ?s ?p ?o }} #'''\n }}",
    f"SELECT * {{ ?s ?p ?a FILTER(?a<'x>') SERVICE {EVIL} {{ ?s ?p ?o }} FILTER(?a<'y>') }}",
    f"SELECT * {{ ?s ?p ?a FILTER(?a<#> '''\n1) SERVICE {EVIL} {{ ?s ?p ?o }} #'''\n }}",
    f"PREFIX e: <http://e.example/> ASK {{ ?s ?p ?a FILTER(?a<e:b#> '''\n) SERVICE {EVIL} {{}} #'''\n }}",
    f"SELECT * {{ ?s ?p ?a FILTER(?a<str(?s)#>'''\n) SERVICE {EVIL} {{ ?s ?p ?o }} #'''\n }}",
    f"SELECT * {{ ?s ?p ?a FILTER(?a<=1#>'''\n) SERVICE {EVIL} {{ ?s ?p ?o }} #'''\n }}",
    # code point escapes, in whichever order an engine reads them
    f"SELECT * {{ SERV\\u0049CE {EVIL} {{ ?s ?p ?o }} }}",
    f"SELECT * {{ \\U00000053ERVICE {EVIL} {{ ?s ?p ?o }} }}",
    f'SELECT * {{ ?s ?p "\\u0022 #" . SERVICE {EVIL} {{ ?s ?p ?o }} }}',
    f'SELECT * {{ ?s ?p "a\\u0022 . SERVICE {EVIL} {{ ?s ?p ?o }} }}',
    f"SELECT * {{ # \\u000A SERVICE {EVIL} {{ ?s ?p ?o }} \n }}",
    # updates
    f"LOAD {EVIL}",
    f"load {EVIL}",
    f"LOAD{EVIL}",
    f"LOADSILENT{EVIL}",
    f"LOAD SILENT {EVIL}",
    f"LOAD {EVIL} INTO GRAPH <http://g.example/>",
    "LOAD <file:///etc/passwd>",
    f"lo\\u0061d {EVIL}",
    f"INSERT DATA {{}};LOAD {EVIL}",
    f"CLEAR ALL;\n#c\nLOAD {EVIL}",
    f"PREFIX a: <http://b.example/>LOAD {EVIL}",
    "PREFIX : <http://evil.example/> LOAD :x",
    "PREFIX : <http://evil.example/> LOAD:x",
    "PREFIX : <http://evil.example/> LOADSILENT:x",
    "PREFIX : <http://evil.example/> CLEAR ALL; LOAD:x INTO GRAPH <http://g.example/>",
    'VERSION "1.2" PREFIX : <http://evil.example/> LOAD:x',
    "PREFIX : <http://evil.example/> BASE <http://b.example/> LOAD:x ; CLEAR ALL",
    f"INSERT {{ ?s ?p ?o }} WHERE {{ SERVICE {EVIL} {{ ?s ?p ?o }} }}",
    f"DELETE {{ ?s ?p ?o }} INSERT {{ ?s ?p ?o }} WHERE {{ service silent {EVIL} {{ ?s ?p ?o }} }}",
]

HARMLESS = [
    "SELECT * { ?s ?p ?o }",
    f"SELECT * {{ ?s ?p ?o }} # SERVICE {EVIL} {{}}",
    f"SELECT * {{ # SERVICE {EVIL} {{}}\n ?s ?p ?o }}",
    'SELECT * { ?s ?p "SERVICE <http://evil.example/> { }" }',
    "SELECT * { ?s ?p 'LOAD <http://evil.example/>' }",
    'SELECT * { ?s ?p """SERVICE\n<http://evil.example/> { } " """ }',
    "SELECT * { ?s ?p '''SERVICE '' <http://evil.example/>''' }",
    'SELECT * { ?s ?p "say \\"SERVICE\\" twice" }',
    "PREFIX ex: <http://e.example/> SELECT * { ?s ex:service ?o ; ex:SERVICE ?load ; ex:load ?service }",
    "PREFIX : <http://e.example/> SELECT * { :LOAD :service ?LOAD , $SERVICE }",
    "PREFIX service: <http://e.example/> SELECT * { ?s service:name ?o ; service: ?b }",
    "PREFIX service: <http://e.example/> SELECT * { GRAPH service:g { ?s ?p ?o } }",
    "PREFIX service: <http://e.example/> SELECT * FROM service:g { ?s ?p ?o }",
    "PREFIX service: <http://e.example/> SELECT * FROM NAMED service:g { ?s ?p ?o }",
    'PREFIX service: <http://e.example/> ASK { { ?s ?p "1"^^service:t } }',
    "PREFIX load: <http://e.example/> DESCRIBE load:2018",
    "PREFIX load: <http://e.example/> SELECT * { ?s ?p load:x ; load:y load:z . load:s ?p ?o }",
    "PREFIX load: <http://e.example/> INSERT DATA { load:a load:b load:c ; load:d load:e }",
    "PREFIX load: <http://e.example/> CLEAR GRAPH load:a ; DROP GRAPH load:b",
    "SELECT * { ?s <http://e.example/SERVICE> <http://e.example/LOAD> }",
    "SELECT * { ?s <http://e.example/#service> ?service }",
    "BASE <http://e.example/> SELECT * { ?s <#service> <service> }",
    "SELECT * { _:service ?load _:load }",
    'SELECT * { ?s ?p "a"@service }',
    "SELECT (COUNT(*) AS ?service) { ?s ?p ?o FILTER(?o<5 && ?o>1) }",
    "SELECT * { ?s ?p ?a, ?b FILTER(?a<?b) FILTER(?b>?a) }",
    "SELECT * { ?s ?p ?a, ?b FILTER(?a<?b&&?b>?a) }",
    "SELECT * { ?s ?p '\\u0053ERVICE' }",
    "INSERT DATA { <http://a.example/> <http://b.example/> 'LOAD <http://evil.example/>' }",
    "DELETE WHERE { ?load ?service ?o }",
    "",
    "this is no SPARQL",
    "SELECT * { ?s ?p 'unterminated",
]


@pytest.mark.parametrize("text", REFUSED)
def test_fetching_is_refused(text: str) -> None:
    with pytest.raises(QueryRefusedError) as caught:
        refuse_remote_access(text)
    assert caught.value.line is not None and caught.value.column is not None
    assert "DIPLOGRAPH_SERVICE_ALLOW" in str(caught.value.mend)


@pytest.mark.parametrize("text", REFUSED)
def test_fetching_elsewhere_is_refused_beside_an_allow_list(text: str) -> None:
    with pytest.raises(QueryRefusedError):
        refuse_remote_access(text, ALLOWED)


@pytest.mark.parametrize("text", HARMLESS)
def test_harmless_text_passes(text: str) -> None:
    refuse_remote_access(text)


def test_the_refusal_names_keyword_address_and_place() -> None:
    with pytest.raises(QueryRefusedError) as caught:
        refuse_remote_access(f"SELECT * {{\n  ?s ?p 'é😀' .\r\n  SERVICE {EVIL} {{ ?s ?p ?o }} }}")
    assert (caught.value.line, caught.value.column) == (3, 3)
    assert "SERVICE" in caught.value.detail and "http://evil.example/x" in caught.value.detail


def test_the_place_counts_in_the_text_as_it_was_sent() -> None:
    with pytest.raises(QueryRefusedError) as caught:
        refuse_remote_access(f"SELECT * {{ ?s ?p '\\u00e9' . SERV\\u0049CE {EVIL} {{}} }}")
    assert (caught.value.line, caught.value.column) == (1, 29)


@pytest.mark.parametrize(
    "address",
    [
        "http://ok.example/sparql",
        "http://ok.example:80/sparql",
        "HTTP://OK.example/sparql",
        "http://ok.example/sparql/",
        "http://ok.example/sparql/people",
        "http://ok.example/sparql?default-graph-uri=x",
        "http://ok.example/sparql#part",
    ],
)
def test_an_allowed_address_passes(address: str) -> None:
    refuse_remote_access(f"SELECT * {{ SERVICE SILENT <{address}> {{ ?s ?p ?o }} }}", ALLOWED)
    refuse_remote_access(f"LOAD <{address}>", ALLOWED)


@pytest.mark.parametrize(
    "address",
    [
        "http://ok.example.evil/sparql",
        "http://ok.example@evil.example/sparql",
        "http://user@ok.example/sparql",
        "http://ok.example:8080/sparql",
        "https://ok.example/sparql",
        "ftp://ok.example/sparql",
        "http://ok.example./sparql",
        "http://ok.example/sparqlx",
        "http://ok.example/",
        "http://ok.example",
        "http://ok.example/sparql/../admin",
        "http://ok.example/sparql/%2e%2E/admin",
        "http://ok.example/sparql/..",
        "http://ok.example:99999/sparql",
        "http://[ok.example/sparql",
        "//ok.example/sparql",
        "sparql",
        "http://ok.example\\u002eevil/sparql",
        "http://ok.example\\u005c@evil.example/sparql",
        "http:ok.example/sparql",
        "",
    ],
)
def test_an_address_that_only_looks_allowed_is_refused(address: str) -> None:
    with pytest.raises(QueryRefusedError):
        refuse_remote_access(f"SELECT * {{ SERVICE <{address}> {{ ?s ?p ?o }} }}", ALLOWED)


def test_a_whole_host_can_be_allowed() -> None:
    refuse_remote_access("LOAD <http://ok.example/a/b>", ("http://ok.example",))
    refuse_remote_access("LOAD <http://ok.example>", ("http://ok.example/",))
    with pytest.raises(QueryRefusedError):
        refuse_remote_access("LOAD <http://ok.example.evil/>", ("http://ok.example",))


def test_a_prefixed_address_is_expanded() -> None:
    query = "PREFIX o: <{}> SELECT * {{ SERVICE o:people {{ ?s ?p ?o }} }}"
    refuse_remote_access(query.format("http://ok.example/sparql/"), ALLOWED)
    with pytest.raises(QueryRefusedError):
        refuse_remote_access(query.format("http://ok.example/sparql-"), ALLOWED)


@pytest.mark.parametrize(
    "declarations",
    [
        "PREFIX o: <http://ok.example/sparql/> PREFIX o: <http://evil.example/>",
        "PREFIX o: <http://ok.example/sparql/> PREFIXo:<http://evil.example/>",
        "PREFIX o: <http://evil.example/> PREFIX o: <http://ok.example/sparql/>",
        "PREFIX o: <sparql/>",
        "",
    ],
)
def test_a_prefix_in_doubt_is_refused(declarations: str) -> None:
    with pytest.raises(QueryRefusedError):
        refuse_remote_access(f"{declarations} SELECT * {{ SERVICE o:x {{ ?s ?p ?o }} }}", ALLOWED)


def test_a_variable_address_is_refused_beside_an_allow_list() -> None:
    with pytest.raises(QueryRefusedError):
        refuse_remote_access("SELECT * { SERVICE ?e { ?s ?p ?o } }", ("http://ok.example/",))


def test_a_long_text_is_read_in_one_pass() -> None:
    refuse_remote_access("SELECT * { " + "?a<?b#>\n<?c> " * 20_000 + "}")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT * { ?s foaf:name ?o }", ("foaf", 1, 15)),
        ("SELECT *\n{ ?s :name ?o }", ("", 2, 6)),
        ("PREFIX foaf: <http://x.example/>\nSELECT * { ?s foaf:name ?o }", None),
        ("prefix foaf: <http://x.example/>\nSELECT * { ?s foaf:name/org:x ?o }", ("org", 2, 25)),
        ("PREFIX Foaf: <http://x.example/> ASK { ?s foaf:name ?o }", ("foaf", 1, 43)),
        ("ASK { ?s ?p 'foaf:name' } # foaf:name", None),
        ("ASK { ?s ?p _:b . <foaf:name> ?p ?o }", None),
        ("ASK { ?s ?p '1'^^xsd:integer }", ("xsd", 1, 18)),
    ],
)
def test_an_undeclared_prefix_is_found(text: str, expected: tuple[str, int, int] | None) -> None:
    assert undeclared_prefix(text) == expected


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("SELECT * {}", "query"),
        ("# INSERT\nPREFIX insert: <http://x.example/> ask {}", "query"),
        ("BASE <http://x.example/> PREFIX a: <b> CONSTRUCT {} {}", "query"),
        ("DESCRIBE <http://x.example/>", "query"),
        ("INSERT DATA {}", "update"),
        ("PREFIX select: <http://x.example/> with <http://g.example/> DELETE {} WHERE {}", "update"),
        ("DROP ALL", "update"),
        ("", None),
        ("hello", None),
    ],
)
def test_query_and_update_are_told_apart(text: str, kind: str | None) -> None:
    assert request_kind(text) == kind


@pytest.mark.parametrize(
    ("text", "clauses"),
    [
        ("SELECT * FROM <http://g.example/> {}", [("FROM <http://g.example/>", False)]),
        ("ASK from named g:a FROM<g:b> {}", [("from named g:a", True), ("FROM<g:b>", False)]),
        ("CONSTRUCT { ?s ?p ?o } FROM <g:a> WHERE { ?s ?p ?o }", [("FROM <g:a>", False)]),
        ("SELECT (EXISTS { ?s ?p ?o } AS ?x) FROM NAMED <g:a> {}", [("FROM NAMED <g:a>", True)]),
        ("PREFIX from: <http://x.example/> SELECT ?from { ?from from:from 'FROM' } # FROM", []),
    ],
)
def test_dataset_clauses_are_found(text: str, clauses: list[tuple[str, bool]]) -> None:
    assert [(text[start:end], named) for start, end, named in dataset_clauses(text)] == clauses


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("ASK {}", "ask"),
        ("BASE <b:b> PREFIX select: <a:a> VERSION '1.2' CONSTRUCT {} {}", "construct"),
        ("explain SELECT * {}", "explain"),
        ("# nothing", ""),
    ],
)
def test_the_first_word_after_the_prologue(text: str, word: str) -> None:
    assert opening_word(text) == word


@pytest.mark.parametrize(
    ("text", "relative"),
    [
        ("SELECT * { <a> ?p <http://b.example/> }", True),
        ("ASK { ?s ?p <> }", True),
        ("ASK { ?s ?p <#a:b> }", True),
        ("ASK { ?s ?p <../a> }", True),
        ("ASK { ?s ?p <urn:x>, <HTTPS://b.example/> }", False),
        ("ASK { ?s ?p ?o FILTER(?o < 3 && ?o > 1) }", False),
    ],
)
def test_relative_iris_are_found_and_get_a_base(text: str, relative: bool) -> None:
    assert has_relative_iri(text) is relative
    base = "BASE <http://e.example/> " if relative else ""
    assert with_base(text, "http://e.example/") == base + text
    assert with_base(text, "") == text


def test_using_clauses_are_written_into_an_update() -> None:
    update = (
        "INSERT DATA { <a:a> <a:b> 'WHERE' } ; DELETE { ?s ?p ?o } INSERT { ?o ?p ?s } where { ?s ?p ?o }"
    )
    assert with_using(update, ["g:1"], ["g:2"]) == (
        "INSERT DATA { <a:a> <a:b> 'WHERE' } ; DELETE { ?s ?p ?o } INSERT { ?o ?p ?s } "
        " USING <g:1> USING NAMED <g:2> where { ?s ?p ?o }"
    )
    assert with_using("DELETE WHERE { ?s ?p ?o }", ["g:1"], []) == (
        "DELETE { ?s ?p ?o }  USING <g:1> WHERE { ?s ?p ?o }"
    )


@pytest.mark.parametrize(
    "clause", ["WITH <g:2> DELETE { ?s ?p ?o }", "DELETE { ?s ?p ?o } USING NAMED <g:2>"]
)
def test_using_beside_clauses_of_the_update_is_refused(clause: str) -> None:
    with pytest.raises(ParameterError):
        with_using(f"{clause} WHERE {{ ?s ?p ?o }}", ["g:1"], [])


def test_places_count_code_points_and_every_kind_of_line_end() -> None:
    text = "a\nb\r\nc\rd😀e"
    assert [place(text, text.index(letter)) for letter in "abcde"] == [(1, 1), (2, 1), (3, 1), (4, 1), (4, 3)]


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * {" + "{" * 50_000 + "}" * 50_000 + "}",
        "SELECT (" + "(" * 50_000 + "1" + ")" * 50_000 + " AS ?x) {}",
        "SELECT * { FILTER(" + "!" * 50_000 + "true) }",
        "SELECT * {" + "UNION".join(["{?s ?p ?o}"] * 50_000) + "}",
        "SELECT * { FILTER(" + "||".join(["?x"] * 50_000) + ") }",
    ],
)
def test_text_that_would_exhaust_the_stack_is_refused(text: str) -> None:
    with pytest.raises(TooLargeError):
        refuse_excess(text)


def test_long_data_is_no_excess() -> None:
    refuse_excess("INSERT DATA {" + "GRAPH <g:g> { <a:a> <b:b> '((((' }\n" * 20_000 + "}")
    refuse_excess("SELECT * { VALUES (?x ?y) {" + "(1 <a:a>)" * 20_000 + "} }")


@pytest.mark.parametrize("seed", ["a.", "a:", "_:a.", "'\\'", '"""', "<a", "\\", "{", "1.", "a-"])
def test_a_hostile_text_is_read_in_linear_time(seed: str) -> None:
    # Some of these once took minutes for 60 KB, before any limit.
    text = "SELECT * FROM <http://e/g> { } # \n" + seed * (200_000 // len(seed))
    assert [named for _, _, named in dataset_clauses(text)][:1] == [False]
    assert keep_own(text, list).startswith("SELECT")


@pytest.mark.parametrize("seed", [":#", ": ", "a:", "<", "#\n:"])
def test_declarations_are_searched_without_trying_every_split(seed: str) -> None:
    # A comment could be read in as many ways as it has "#": without an end for 60 characters.
    refuse_remote_access(f"SELECT * {{ ?service ?p ?o }} #{seed * (20_000 // len(seed))}")
