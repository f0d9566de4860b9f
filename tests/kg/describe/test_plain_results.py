"""What the library gathers for a page can be sent from one process to another."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import pytest

from kg import languages
from kg.describe.entity.entity_page import describe
from kg.describe.entity.map_points import spots_of
from kg.describe.entity.neighbourhood import neighbours_of
from kg.describe.entity.posts_held import titles_on
from kg.describe.entity.signposts import signposts_of
from kg.describe.lists.dyad_summary import dyad_of
from kg.describe.lists.event_filters import EventFilter, lines_of, list_page
from kg.describe.lists.event_lists import all_events
from kg.describe.lists.question_answers import answer_question
from kg.describe.lists.solution_tables import members_of, result_of
from kg.describe.site.coverage import coverage_of, last_load
from kg.describe.site.ontology_terms import class_tree, ontology_header, ontology_terms
from kg.describe.site.overview import overview
from kg.describe.site.reconciliation import (
    NameQuery,
    candidates_for,
    card_of,
    extend,
    match_names,
    properties_of,
    terms_named,
)
from kg.describe.site.site_index import described, feed_of
from kg.reasoning import AssertedStore
from kg.search import exists, first_known, name_all, types_of, with_types
from kg.store import EmbeddedStore
from kg.terms import GRAPH, ID, ONTOLOGY

IRAN, USA = ID + "country/irn", ID + "country/usa"
EVENT = ID + "event/us-iran-deportation"
TRIPLES = "CONSTRUCT { ?s ?p ?o } WHERE { ?s ?p ?o } LIMIT 5"

CALLS: list[tuple[Callable[..., Any], tuple[Any, ...]]] = [
    *((describe, (iri,)) for iri in (IRAN, EVENT, GRAPH + "us-iran-deportation", ID + "nothing")),
    (neighbours_of, (IRAN,)),
    (spots_of, (EVENT,)),
    (signposts_of, (IRAN,)),
    (titles_on, ([ID + "person/tricia-mclaughlin"], None, None)),
    (dyad_of, (IRAN, USA)),
    (list_page, ("events", EventFilter(actors=(IRAN,)), 1)),
    (list_page, ("records", None, 1)),
    (lines_of, ([EVENT],)),
    (all_events, (1,)),
    (answer_question, ("SELECT ?s ?o { ?s <urn:none> ?o }", 5, [IRAN])),
    (result_of, (TRIPLES, 3)),
    (result_of, ("ASK {}", 3)),
    (result_of, ("SELECT * { ?s ?p ?o } LIMIT 5", 3)),
    (members_of, (ONTOLOGY + "Country", 5)),
    (coverage_of, ()),
    (last_load, ()),
    (overview, ()),
    (ontology_terms, ()),
    (ontology_header, ()),
    (class_tree, ()),
    (described, (5,)),
    (feed_of, (IRAN,)),
    (properties_of, (ONTOLOGY + "Country", 5)),
    (terms_named, ("class", "country")),
    (card_of, (IRAN,)),
    (extend, ([IRAN], [ONTOLOGY + "iso3"])),
    (exists, (IRAN,)),
    (first_known, ([IRAN],)),
    (name_all, ([IRAN],)),
    (types_of, ([IRAN],)),
]


@pytest.mark.parametrize(("function", "arguments"), CALLS)
def test_results_and_functions_pickle(
    article_store: EmbeddedStore, function: Callable[..., Any], arguments: tuple[Any, ...]
) -> None:
    function, arguments = pickle.loads(pickle.dumps((function, arguments)))
    found = article_store.run(function, *arguments)
    packed = pickle.dumps(found)
    assert pickle.loads(packed) == found
    assert b"pyoxigraph" not in packed, "a term of the engine is no plain value"


def test_matches_pickle(article_store: EmbeddedStore) -> None:
    query = NameQuery(
        "Iran", 3, candidates_for(article_store, "Iran", {}), facts={ONTOLOGY + "iso3": ["IRN"]}
    )
    [found] = article_store.run(match_names, [query])
    assert pickle.loads(pickle.dumps(found)) == found
    assert found[0].name.iri == IRAN and found[0].sure
    assert article_store.run(with_types, query.candidates)[0].type_label == "country"


def test_what_is_asserted_is_run_without_inferences(article_store: EmbeddedStore) -> None:
    asserted = AssertedStore(article_store)
    assert asserted.run(exists, IRAN)
    found = asserted.run(result_of, "SELECT * { ?s ?p ?o } LIMIT 2", 5)
    assert len(found.table.rows) == 2


def test_kept_names_follow_the_data_and_the_language(store: EmbeddedStore) -> None:
    assert name_all(store, [IRAN])[IRAN].label == "Iran"
    label = "http://www.w3.org/2000/01/rdf-schema#label"
    store.update(
        f"DELETE {{ GRAPH ?g {{ <{IRAN}> <{label}> ?l }} }} INSERT {{ GRAPH <urn:g> {{ <{IRAN}> <{label}>"
        f' "Persia"@en, "Perse"@fr }} }} WHERE {{ GRAPH ?g {{ <{IRAN}> <{label}> ?l }} }}'
    )
    assert name_all(store, [IRAN])[IRAN].label == "Persia"
    languages.speak(["fr"])
    try:
        assert name_all(store, [IRAN])[IRAN].label == "Perse"
    finally:
        languages.speak([])
