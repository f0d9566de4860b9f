# ruff: noqa: E501 - a query a line
"""Where SQL would answer otherwise than SPARQL: each trap by name, with the answer of the standard."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pyoxigraph import RdfFormat, Store

from kg.errors import QueryStoppedError
from kg.store.interface import QueryDataset
from kg.table.record_files import read_table
from kg.table.routed_store import RoutedStore
from kg.terms import ID, PREFIXES
from tests.kg.table.both_ways import BothWays, open_both
from tests.kg.table.random_queries import PREFIXES as DECLARED

HEADER = "".join(f"@prefix {prefix}: <{iri}> .\n" for prefix, iri in PREFIXES.items())
A, B, ELSEWHERE = "http://example.org/a", "http://example.org/b", "http://example.org/elsewhere"
DATA = f"""{HEADER}
@prefix r: <{ID}record/test-> .
@prefix c: <{ID}country/> .
@prefix t: <{ID}time/> .
@prefix e: <{ID}event-type/> .
<{A}> {{
  r:1 a dg:CodingRecord ; dg:codedActor c:usa ; dg:codedRecipient c:irn ; dg:goldstein 1.0 ; dg:mentionCount 1 ;
    dg:averageTone 1.5 ; dg:eventType e:cameo-040 ; dg:time t:2020-01-01 ; dg:recordId "1" ; dg:isRootEvent true ;
    dg:actorName "A \\"quoted\\" name\\n" ; rdfs:label "one"@en .
  r:2 a dg:CodingRecord ; dg:codedActor c:usa ; dg:codedRecipient c:irn ; dg:goldstein -2.5 ; dg:mentionCount 2 ;
    dg:averageTone 0.1 ; dg:eventType e:cameo-043 ; dg:time t:2020-01-02 ; dg:recordId "2" ; dg:isRootEvent false ;
    dg:actorName "NAME" ; rdfs:label "two"@en .
  r:3 a dg:CodingRecord ; dg:codedActor c:irn ; dg:codedRecipient c:usa ; dg:mentionCount 9223372036854775807 ;
    dg:averageTone 0.2 ; dg:eventType e:cameo-043 ; dg:time t:2020-01-02 ; dg:recordId "3" ;
    dg:actorName "ÉLAN" ; rdfs:label "three"@en .
  r:4 a dg:CodingRecord ; dg:codedActor c:irn ; dg:mentionCount 4 ; dg:eventType e:cameo-040 ;
    dg:time t:2020-02-01 ; dg:recordId "4" ; dg:goldstein 2.0 ; rdfs:label "four"@en .
  t:2020-01-01 dg:begin "2020-01-01"^^xsd:date ; dg:end "2020-01-01"^^xsd:date .
  t:2020-01-02 dg:begin "2020-01-02"^^xsd:date ; dg:end "2020-01-02"^^xsd:date .
  t:2020-02-01 dg:begin "2020-02-01"^^xsd:date ; dg:end "2020-02-01"^^xsd:date .
}}
<{ELSEWHERE}> {{
  e:cameo-040 skos:broader e:cameo-04 ; dg:goldstein 1.0 ; rdfs:label "consult"@en, "consulter"@fr .
  e:cameo-043 skos:broader e:cameo-04 ; rdfs:label "host a visit"@en .
  c:usa rdfs:label "United States"@en ; dg:alsoCalled c:usa .
  c:irn rdfs:label "Iran"@en .
  t:2020-01-01 dg:begin "2020-01-01"^^xsd:date .
}}
"""


def written(folder: Path, text: str, *graphs: str) -> BothWays:
    engine = Store()
    engine.load(text.encode(), format=RdfFormat.TRIG)
    return open_both(folder, engine, *graphs)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BothWays]:
    found = written(tmp_path_factory.mktemp("traps"), DATA, A)
    yield found
    found.close()


def cells(both: BothWays, text: str) -> list[list[str | None]]:
    """Return the sorted rows of a query that is answered in SQL, as the text of their terms."""
    plan = both.routed.plan(DECLARED + text)
    assert plan.engine == "sql", plan.reason
    answer = both.routed.query(DECLARED + text)
    names = answer.variables
    rows = [[getattr(row.get(name), "value", None) for name in names] for row in answer.rows()]
    return sorted(rows, key=str)


R = "?r a dg:CodingRecord"
SAME = {
    # Section 11.2: an unbound value makes the sum of its group an error; COUNT leaves it out.
    "unbound poisons": f"SELECT ?t (SUM(?g) AS ?s) (COUNT(?g) AS ?n) {{ {R} ; dg:eventType ?t OPTIONAL {{ ?r dg:goldstein ?g }} }} GROUP BY ?t",
    "unbound poisons the least": f"SELECT ?t (MIN(?g) AS ?s) {{ {R} ; dg:eventType ?t OPTIONAL {{ ?r dg:goldstein ?g }} }} GROUP BY ?t",
    # Section 17.4.2 and XSD: a quotient has 18 digits, cut off and not rounded.
    "a mean is exact": f"SELECT (AVG(?t) AS ?m) {{ {R} ; dg:averageTone ?t ; dg:eventType ?e }} GROUP BY ?e",
    "a third": f"SELECT ?r (?n / 3 AS ?third) {{ {R} ; dg:mentionCount ?n FILTER(?n < 10) }}",
    "division by zero has no value": f"SELECT ?r (?n / 0 AS ?x) {{ {R} ; dg:mentionCount ?n }}",
    "an overflow has no value": f"SELECT ?r (?n + 1 AS ?x) {{ {R} ; dg:mentionCount ?n }}",
    "the sum of an overflow": f"SELECT ?e (SUM(?n) AS ?x) {{ {R} ; dg:mentionCount ?n ; dg:eventType ?e }} GROUP BY ?e",
    "the negative of the largest": f"SELECT ?r (-?n AS ?x) {{ {R} ; dg:mentionCount ?n }}",
    "an empty group": f"SELECT (COUNT(?r) AS ?n) (MAX(?n) AS ?m) {{ {R} ; dg:codedActor country:zzz ; dg:mentionCount ?n }}",
    "the sum of nothing": f"SELECT (SUM(?n) AS ?m) {{ {R} ; dg:codedActor country:zzz ; dg:mentionCount ?n }}",
    # A value and a term: 1 and 1.0 are equal, and two terms.
    "values are compared": f"SELECT ?r {{ {R} ; dg:goldstein ?g FILTER(?g = 1) }}",
    "terms are matched": f"SELECT ?r {{ {R} ; dg:goldstein 1 }}",
    "another form of a term": f"SELECT ?r {{ {R} ; dg:goldstein 1.00 }}",
    "decimals and integers in one column": f"SELECT ?r (COALESCE(?g, 0) AS ?x) {{ {R} OPTIONAL {{ ?r dg:goldstein ?g }} }}",
    "decimals of two lengths": f"SELECT ?r (COALESCE(?g, 3.25) AS ?x) {{ {R} OPTIONAL {{ ?r dg:averageTone ?g }} }}",
    "the sum of both": f"SELECT ?e (SUM(?x) AS ?s) {{ {R} ; dg:eventType ?e OPTIONAL {{ ?r dg:goldstein ?g }} BIND(COALESCE(?g, 0) AS ?x) }} GROUP BY ?e",
    # Section 17.2: an error is neither true nor false.
    "an error in a filter": f"SELECT ?r {{ {R} OPTIONAL {{ ?r dg:codedRecipient ?b }} FILTER(?b != country:usa) }}",
    "an error or true": f"SELECT ?r {{ {R} OPTIONAL {{ ?r dg:goldstein ?g }} FILTER(?g > 0 || true) }}",
    "an error and false": f"SELECT ?r {{ {R} OPTIONAL {{ ?r dg:goldstein ?g }} FILTER(!(?g > 0 && false)) }}",
    "an error in IF": f"SELECT ?r (IF(?g > 0, 1, 2) AS ?x) {{ {R} OPTIONAL {{ ?r dg:goldstein ?g }} }}",
    "IN with an unbound value": f"SELECT ?r {{ {R} OPTIONAL {{ ?r dg:goldstein ?g }} FILTER(?g NOT IN (1.0, 7.0)) }}",
    "not bound": f"SELECT ?r {{ {R} OPTIONAL {{ ?r dg:goldstein ?g }} FILTER(!BOUND(?g)) }}",
    # Section 15.1.
    "what is unbound comes first": f"SELECT ?g {{ {R} OPTIONAL {{ ?r dg:goldstein ?g }} }} ORDER BY ?g",
    "and last in descending order": f"SELECT ?g {{ {R} OPTIONAL {{ ?r dg:goldstein ?g }} }} ORDER BY DESC(?g)",
    "order by characters": f"SELECT ?n {{ {R} ; dg:actorName ?n }} ORDER BY ?n",
    # Section 18.4 repeats a solution that two alternatives have; the engine does not, and so tables do not.
    "alternatives of records": f"SELECT DISTINCT ?r ?x {{ {R} ; dg:codedActor|dg:codedRecipient ?x }}",
    "alternatives of others": f"SELECT ?r ?d {{ {R} ; dg:time ?t . ?t dg:end|dg:end ?d }}",
    "optional alternatives": f"SELECT ?r ?d {{ {R} ; dg:recordId ?i OPTIONAL {{ ?r dg:time ?t . ?t dg:end ?d }} }}",
    "optional and filter": f"SELECT ?r ?l {{ {R} ; dg:eventType ?t OPTIONAL {{ ?t rdfs:label ?l FILTER(LANG(?l) = 'fr') }} }}",
    "a record twice": f"SELECT ?r ?s {{ {R} ; dg:codedActor ?a . ?s a dg:CodingRecord ; dg:codedRecipient ?a }}",
    "a sub-select": f"SELECT ?r ?g {{ {{ SELECT DISTINCT ?r {{ {R} ; dg:codedActor country:usa }} }} OPTIONAL {{ ?r dg:goldstein ?g }} }}",
    "a path of any length": f"SELECT ?r ?top {{ {R} ; dg:eventType/skos:broader* ?top }}",
    "names that SQL knows": "SELECT ?select ?order ?group { ?select a dg:CodingRecord ; dg:mentionCount ?order ; dg:codedActor ?group }",
    "texts with marks": f"SELECT ?n (STRLEN(?n) AS ?l) (SUBSTR(?n, 2, 3) AS ?s) {{ {R} ; dg:actorName ?n }}",
    "texts are found": f"SELECT ?n {{ {R} ; dg:actorName ?n FILTER(CONTAINS(?n, '\"') || STRSTARTS(?n, 'É')) }}",
    "languages": f"SELECT ?l (LANG(?l) AS ?x) (STR(?l) AS ?s) {{ {R} ; rdfs:label ?l }}",
    "truth": f"SELECT ?r {{ {R} ; dg:isRootEvent ?x FILTER(?x) }}",
    "VALUES of records": f"SELECT ?r ?n {{ VALUES ?a {{ country:usa country:irn country:usa }} {R} ; dg:codedActor ?a ; dg:mentionCount ?n }}",
    "a filter on a constant": f"SELECT ?l {{ VALUES ?a {{ country:usa }} {R} ; dg:codedActor ?a . ?a rdfs:label ?l FILTER(LANG(?l) = 'en' && ?a != country:irn) }}",
    "all variables": f"SELECT * {{ {R} ; dg:mentionCount ?z ; dg:codedActor ?a ; dg:recordId ?m }}",
    "order by an aggregate": f"SELECT ?a {{ {R} ; dg:codedActor ?a }} GROUP BY ?a ORDER BY DESC(COUNT(?r)) ?a",
    "aggregates in an expression": f"SELECT ?a (SUM(?g) / COUNT(?g) AS ?mean) {{ {R} ; dg:codedActor ?a ; dg:goldstein ?g }} GROUP BY ?a",
    "a condition on an aggregate": f"SELECT ?a (COUNT(?r) AS ?n) {{ {R} ; dg:codedActor ?a }} GROUP BY ?a HAVING (COUNT(?r) > 1 || MAX(?r) = country:usa)",
    "no rows at all": f"SELECT ?r {{ {R} }} LIMIT 0",
    "a prefix that is a word": f"SELECT ?r {{ {R} ; dg:codedActor ?a FILTER(?a != <http://example.org/graph/minus>) }}",
    # Section 18.2.2.6: the inner OPTIONAL belongs to the outer one.
    "OPTIONAL in OPTIONAL": f"SELECT ?r ?g ?t {{ {R} OPTIONAL {{ ?r dg:goldstein ?g OPTIONAL {{ ?r dg:averageTone ?t }} }} }}",
    "OPTIONAL in OPTIONAL, of others": f"SELECT ?r ?t ?l {{ {R} OPTIONAL {{ ?r dg:eventType ?t OPTIONAL {{ ?t rdfs:label ?l FILTER(LANG(?l) = 'fr') }} }} }}",
    "OPTIONAL of a constant": f"SELECT ?r ?l {{ VALUES ?t {{ country:usa }} {R} ; dg:codedActor ?t OPTIONAL {{ ?t rdfs:label ?l }} }}",
    "OPTIONAL of nothing": f"SELECT ?r ?l {{ {R} ; dg:eventType ?t OPTIONAL {{ ?t dg:nothing ?l }} }}",
    "NOT EXISTS with a value": f"SELECT ?r {{ {R} FILTER NOT EXISTS {{ ?r dg:goldstein 2.0 }} }}",
    "EXISTS is false": f"SELECT ?r {{ {R} FILTER(!EXISTS {{ ?r dg:isRootEvent true }}) }}",
    "a count of what is never bound": f"SELECT (COUNT(?zz) AS ?n) {{ {R} }}",
    "a count over nothing": f"SELECT (COUNT(?l) AS ?n) {{ {R} . ?e dg:nothing ?l }}",
    "a language in capitals": f"SELECT ?r {{ {R} ; rdfs:label 'one'@EN }}",
    "the mean of an overflow": f"SELECT ?e (AVG(?n) AS ?x) {{ {R} ; dg:mentionCount ?n ; dg:eventType ?e }} GROUP BY ?e",
    "a group with variables of its own": f"SELECT ?r ?n {{ {R} ; dg:goldstein ?g {{ ?r dg:mentionCount ?n FILTER(?n > 1) }} }}",
    "HAVING": f"SELECT ?a {{ {R} ; dg:codedActor ?a ; dg:goldstein ?g }} GROUP BY ?a HAVING (AVG(?g) < 0)",
    "group by an expression": f"SELECT ?m (COUNT(*) AS ?n) {{ {R} ; dg:time ?t . ?t dg:end ?d }} GROUP BY (MONTH(?d) AS ?m)",
    "nothing selected is bound": f"SELECT ?x {{ {R} }}",
    "OFFSET": f"SELECT ?r {{ {R} }} ORDER BY ?r LIMIT 2 OFFSET 1",
}


@pytest.mark.parametrize("text", SAME.values(), ids=list(SAME))
def test_answers_are_those_of_the_engine(both: BothWays, text: str) -> None:
    plan = both.routed.plan(DECLARED + text)
    assert plan.engine == "sql", plan.reason
    both.same(text)


NOT_ROUTED = {
    # Concepts have this property, too: nothing says that ?x is a record.
    "a property that concepts share": "SELECT ?x { ?x dg:goldstein ?g }",
    "any property": f"SELECT ?p {{ {R} ; ?p ?o }}",
    "alternatives that may repeat": f"SELECT ?x {{ {R} ; dg:codedActor|dg:codedRecipient ?x }}",
    "graphs": f"SELECT ?g {{ GRAPH ?g {{ {R} }} }}",
    "a join by what may be unbound": f"SELECT ?r {{ {R} OPTIONAL {{ ?r dg:codedRecipient ?b }} ?s a dg:CodingRecord ; dg:codedActor ?b }}",
    "a mean of nothing": f"SELECT (AVG(?g) AS ?m) {{ {R} ; dg:codedActor country:zzz ; dg:goldstein ?g }}",
    "texts in a group": f"SELECT (GROUP_CONCAT(?i) AS ?x) {{ {R} ; dg:recordId ?i }}",
    "a function": f"SELECT ?r {{ {R} ; dg:recordId ?i FILTER(REGEX(?i, '1')) }}",
    "MINUS": f"SELECT ?r {{ {R} MINUS {{ ?r dg:codedActor country:usa }} }}",
    "a variable twice": f"SELECT ?r ?r {{ {R} }}",
    # A group in braces is evaluated by itself (section 18.2.4.2), so that ?g has no value in it.
    "a filter of a group": f"SELECT ?r {{ {R} ; dg:goldstein ?g {{ ?r dg:mentionCount ?n FILTER(?g > 0) }} }}",
    "BIND in a group": f"SELECT ?r ?x {{ {R} ; dg:goldstein ?g {{ ?r dg:mentionCount ?n BIND(?g AS ?x) }} }}",
    "a filter of a group in OPTIONAL": f"SELECT ?r {{ {R} ; dg:goldstein ?g OPTIONAL {{ {{ ?r dg:mentionCount ?n FILTER(?g > 0) }} }} }}",
    "an OPTIONAL of a group": f"SELECT ?r {{ {R} ; dg:goldstein ?g {{ ?s dg:mentionCount ?n OPTIONAL {{ ?s dg:averageTone ?g }} }} }}",
    "a false filter": f"SELECT ?r {{ {R} FILTER(false) }}",
    "a filter of nothing": f"SELECT ?r {{ {R} OPTIONAL {{ ?r dg:goldstein ?g FILTER(0) }} }}",
    "the truth of a text with a language": f"SELECT ?r {{ {R} ; rdfs:label ?l FILTER(?l) }}",
    "variables of the translation": f"SELECT ?pathstep_0 {{ {R} ; dg:time/dg:begin ?pathstep_0 }}",
    "a path of a path": f"SELECT ?r {{ {R} ; dg:codedActor ?b . ?b ((dg:alsoCalled)*)? ?x }}",
    "ASK": f"ASK {{ {R} }}",
    "CONSTRUCT": f"CONSTRUCT {{ ?r a dg:CodingRecord }} {{ {R} }}",
    "DESCRIBE": f"DESCRIBE ?r {{ {R} }}",
    "FROM": f"SELECT ?r FROM <{A}> {{ {R} }}",
    "no query": f"SELECT ?r {{ {R} ",
}


@pytest.mark.parametrize("text", NOT_ROUTED.values(), ids=list(NOT_ROUTED))
def test_what_is_not_certain_goes_to_the_engine(both: BothWays, text: str) -> None:
    plan = both.routed.plan(DECLARED + text)
    assert plan.engine == "sparql"
    assert plan.reason


def test_a_triple_of_two_graphs_counts_once(both: BothWays) -> None:
    # Sections 8 and 13.1: the default graph is a merge, and a set of triples. The engine counts the day of
    # the first record twice, as two graphs say when it began (its issue 1919).
    text = f"SELECT (COUNT(*) AS ?n) {{ {R} ; dg:time/dg:begin ?d }}"
    assert cells(both, text) == [["4"]]
    ours, theirs = both.answers(text)
    assert ours != theirs


def test_records_that_another_graph_tells_of_go_to_the_engine(tmp_path: Path) -> None:
    more = f"<{ELSEWHERE}> {{ <{ID}record/test-1> dg:goldstein 9.0 }}"
    both = written(tmp_path, DATA + more, A)
    assert both.is_routed(f"SELECT ?n {{ {R} ; dg:mentionCount ?n }}")
    assert not both.is_routed(f"SELECT ?g {{ {R} ; dg:goldstein ?g }}")
    both.close()


def test_records_without_a_table_go_to_the_engine(tmp_path: Path) -> None:
    more = f"<{B}> {{ <{ID}record/other-1> a dg:CodingRecord ; dg:mentionCount 7 }}"
    both = written(tmp_path, DATA + more, A)
    assert not both.is_routed(f"SELECT ?n {{ {R} ; dg:mentionCount ?n }}")
    # Only the graph with a table has actors.
    assert both.is_routed("SELECT ?r { ?r dg:codedActor country:usa }")
    both.same("SELECT ?r { ?r dg:codedActor country:usa }")
    # Named graphs alone leave the default graph empty.
    named = QueryDataset(named=(A,))
    assert both.routed.plan(DECLARED + "SELECT ?r { ?r dg:codedActor country:usa }", named).engine == "sparql"
    # In that graph alone, all is in the table.
    alone = QueryDataset(default=(A,))
    assert both.routed.plan(DECLARED + f"SELECT ?n {{ {R} ; dg:mentionCount ?n }}", alone).engine == "sql"
    both.close()


def test_two_tables_are_one(tmp_path: Path) -> None:
    more = f"""<{B}> {{ <{ID}record/other-1> a dg:CodingRecord ; dg:mentionCount 7 ; dg:averageTone 0.125 ;
      dg:goldstein "x" ; dg:codedActor <http://example.org/actor> ; rdfs:label "other"@en }}"""
    both = written(tmp_path, DATA + more, A, B)
    for text in (
        f"SELECT ?r ?n ?t ?a {{ {R} ; dg:mentionCount ?n ; dg:averageTone ?t ; dg:codedActor ?a }}",
        f"SELECT ?a (COUNT(*) AS ?n) {{ {R} ; dg:codedActor ?a }} GROUP BY ?a",
        f"SELECT ?r {{ {R} ; dg:codedActor country:usa }}",
        f"SELECT ?r ?b {{ {R} OPTIONAL {{ ?r dg:codedRecipient ?b }} }}",
    ):
        assert both.is_routed(text)
        both.same(text)
    # One table has decimals and the other a text.
    assert not both.is_routed(f"SELECT ?g {{ {R} ; dg:goldstein ?g }}")
    both.close()


def test_a_table_that_went_is_answered_from_the_quads(tmp_path: Path) -> None:
    both = written(tmp_path, DATA, A)
    (tmp_path / "tables" / "0.parquet").unlink()
    assert len(both.same(f"SELECT ?r {{ {R} ; dg:mentionCount ?n }}")) == 4
    both.close()


def test_a_query_that_needs_more_memory_than_it_may_have_is_stopped(tmp_path: Path) -> None:
    both = written(tmp_path, DATA, A)
    tables = [read_table(tmp_path / "tables" / "0.parquet")]
    small = RoutedStore.open(tmp_path / "snapshot", lambda _: tables, memory=24 << 20)
    names = [f"?r{number}" for number in range(10)]
    triples = " . ".join(f"{name} a dg:CodingRecord ; dg:recordId {name}i" for name in names)
    text = DECLARED + f"SELECT * {{ {triples} }} ORDER BY {' '.join(f'DESC({name}i)' for name in names)}"
    assert small.plan(text).engine == "sql"
    with pytest.raises(QueryStoppedError, match="more than 24 MiB of memory"):
        small.query(text)
    small.close()
    both.close()


def test_a_query_may_be_asked_while_another_result_is_read(tmp_path: Path) -> None:
    records = "".join(
        f'r:{number} a dg:CodingRecord ; dg:recordId "{number}" ; dg:eventType e:cameo-040 . '
        for number in range(100, 6_100)
    )
    prefixes = f"@prefix r: <{ID}record/test-> .\n@prefix e: <{ID}event-type/> .\n"
    both = written(tmp_path, f"{HEADER}{prefixes}<{A}> {{ {records} }}", A)
    outer = both.routed.query(DECLARED + f"SELECT ?i {{ {R} ; dg:recordId ?i }}")
    inner = DECLARED + f"SELECT ?t {{ {R} ; dg:recordId '100' ; dg:eventType ?t }}"
    read = 0
    for _ in outer.rows():
        if read % 2_000 == 0:
            assert len(list(both.routed.query(inner).rows())) == 1
        read += 1
    assert read == 6_000
    both.close()


def test_other_forms_of_query_are_answered(both: BothWays) -> None:
    assert both.routed.query(f"{DECLARED}ASK {{ {R} }}").truth()
    built = both.routed.query(f"{DECLARED}CONSTRUCT {{ ?r dg:recordId ?i }} {{ {R} ; dg:recordId ?i }}")
    assert len(list(built.triples())) == 4


def test_a_graph_with_a_table_may_tell_of_other_things_and_of_records_of_another(tmp_path: Path) -> None:
    alone = f"""{HEADER}@prefix e: <{ID}event-type/> . @prefix r: <{ID}record/> .
      <{A}> {{ r:a-1 a dg:CodingRecord ; dg:recordId "1" . e:x dg:goldstein 5.0 . r:b-1 dg:averageTone 9.0 }}
      <{B}> {{ r:b-1 a dg:CodingRecord ; dg:goldstein 1.0 ; dg:averageTone 2.0 }}"""
    both = written(tmp_path, alone, A, B)
    for text in ("SELECT ?x ?g { ?x dg:goldstein ?g }", f"SELECT ?r ?t {{ {R} ; dg:averageTone ?t }}"):
        assert len(both.same(text)) == 2
    both.close()


def test_times_are_written_in_full(tmp_path: Path) -> None:
    more = f"""{HEADER}<{A}> {{ <{ID}record/t-1> a dg:CodingRecord ; dg:addedOn "2020-01-01T10:00:00.5Z"^^xsd:dateTime .
      <{ID}record/t-2> a dg:CodingRecord ; dg:addedOn "0999-01-01T10:00:00Z"^^xsd:dateTime }}"""
    both = written(tmp_path, more, A)
    assert len(both.same(f"SELECT ?t {{ {R} ; dg:addedOn ?t }} ORDER BY ?t")) == 2
    both.close()


def test_a_day_that_is_none_is_a_term_like_others(tmp_path: Path) -> None:
    more = f'<{ELSEWHERE}> {{ <http://example.org/t> dg:begin "2018-02-30"^^xsd:date }}'
    both = written(tmp_path, DATA + more, A)
    both.same(f"SELECT ?r ?d {{ {R} ; dg:time ?t . ?t dg:end ?d }}")
    assert len(both.same(f"SELECT DISTINCT ?r ?d {{ {R} ; dg:time/dg:begin ?d }}")) == 4
    both.close()
