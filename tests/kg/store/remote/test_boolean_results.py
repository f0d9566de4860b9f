"""Columns of booleans, found in the text of a query and corrected in a result in XML."""

import pytest

from kg.store.remote.boolean_results import boolean_variables, with_booleans


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("SELECT (EXISTS { ?s ?p ?o } AS ?x) {}", "x"),
        ("SELECT (NOT EXISTS { ?s ?p ?o } AS ?x) {}", "x"),
        ("SELECT * { BIND(?a < 3 AS ?x) BIND(?a+3 AS ?y) }", "x"),
        ("SELECT (1 IN (1, 2) AS ?x) ((!?y) AS ?z) (?a = 1 || ?b AS ?w) {}", "x z w"),
        ('SELECT (REGEX(?s, "=") AS ?x) (STR(?a = ?b) AS ?y) (CONCAT("a", STR(1 = 1)) AS ?z) {}', "x"),
        ("SELECT (IF(?a = ?b, true, BOUND(?c)) AS ?x) (IF(?a = ?b, 1, 0) AS ?y) {}", "x"),
        ("SELECT (COALESCE(?a = 1, false) AS ?x) (COALESCE(?a, false) AS ?y) {}", "x"),
        ("SELECT (MAX(?x) AS ?y) (SUM(?x) AS ?z) { BIND(true AS ?x) }", "x y"),
        ("SELECT ?x { { SELECT (?inner AS ?x) { BIND(BOUND(?a) AS ?inner) } } }", "x inner"),
        ("SELECT ?x { { BIND(true AS ?x) } UNION { BIND(1 AS ?x) } }", ""),
        ("SELECT (COUNT(*) AS ?n) { ?s ?p ?o FILTER(?o = true) } HAVING(COUNT(*) > 1)", ""),
        ("SELECT (BOUND(?x) + 1 AS ?y) {}", ""),
        ("SELECT ?x { ?s ?p ?x } # (true AS ?x)", ""),
    ],
)
def test_variables_that_hold_booleans(query: str, names: str) -> None:
    assert boolean_variables(query) == set(names.split())


INTEGER = "http://www.w3.org/2001/XMLSchema#integer"
BOOLEAN = "http://www.w3.org/2001/XMLSchema#boolean"
RESULT = (
    '<result><binding name="t"><literal datatype="{0}">{1}</literal></binding>'
    '<binding name="n"><literal datatype="http://www.w3.org/2001/XMLSchema#integer">1</literal></binding>'
    '<binding name="s"><literal>&lt;binding name="t"></literal></binding></result></results></sparql>'
)


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_column_is_mended_whatever_the_pieces(size: int) -> None:
    for number, truth in (("1", "true"), ("0", "false"), ("2", None)):
        data = RESULT.format(INTEGER, number).encode()
        pieces = [data[start : start + size] for start in range(0, len(data), size)]
        expected = RESULT.format(BOOLEAN, truth) if truth else data.decode()
        assert b"".join(with_booleans(pieces, {"t", "absent"})).decode() == expected
