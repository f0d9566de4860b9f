"""Questions that an outside reader asks of the article; the answers are read off the article itself."""

from __future__ import annotations

import pyoxigraph
import pytest

from kg.catalogue import Question
from tests.queries.asking import CATALOGUE, DEPORTATION, NEGOTIATIONS, STRIKES, ask

ARTICLE = "News article on a US–Iran deportation flight"
EIGHT = (
    "asylum-denied", "criticism", "order-of-events", "did-it-happen", "talks-about", "reasons", "offices",
    "took-part",
)  # fmt: skip


@pytest.mark.parametrize("question", [CATALOGUE[name] for name in EIGHT], ids=EIGHT)
def test_the_query_has_at_most_eight_lines(question: Question) -> None:
    lines = question.text.splitlines()
    query = [line for line in lines if line.strip() and not line.startswith(("#", "PREFIX"))]
    assert len(query) <= 8


def test_whose_asylum_requests_were_denied(article: pyoxigraph.Store) -> None:
    assert ask(article, "asylum-denied", "label amount status source") == [
        ("deported Iranian nationals whose asylum requests had been denied", "many", "happened", ARTICLE)
    ]


def test_who_is_criticized_by_whom(article: pyoxigraph.Store) -> None:
    assert ask(article, "criticism", "speakerLabel towardsLabel stance") == [
        ("Donald Trump", "criminals whom the crackdown is to expel", "criticism"),
        ("Donald Trump", "migrants in the United States", "criticism"),
        (ARTICLE, "Iran", "criticism"),
    ]


def test_what_happened_before_what(article: pyoxigraph.Store) -> None:
    rows = ask(article, "order-of-events", "earlierLabel laterLabel reason")
    assert rows == [
        ("denial of asylum requests of deported Iranians", DEPORTATION, "stated order"),
        (STRIKES, DEPORTATION, "stated order"),
        (NEGOTIATIONS, DEPORTATION, "one led to the other"),
        (NEGOTIATIONS, DEPORTATION, "stated order"),
    ]
    before = ask(article, "events-before", "earlierLabel reason", event="event/us-iran-deportation")
    assert (STRIKES, "as a source says") in before
    assert (NEGOTIATIONS, "it led to the event") in before


def test_did_the_plane_arrive(article: pyoxigraph.Store) -> None:
    """One answer: it was planned; nobody says that it did."""
    arrival = {"event": "event/us-iran-deportation-arrival"}
    assert ask(article, "did-it-happen", "status source", **arrival) == [("planned", ARTICLE)]
    left = ask(article, "did-it-happen", "status", event="event/us-iran-deportation-flight")
    assert left == [("happened",)]


def test_what_the_talks_were_about(article: pyoxigraph.Store) -> None:
    assert ask(article, "talks-about", "label topicLabel") == [(NEGOTIATIONS, "deportation")]


def test_why_iranians_come(article: pyoxigraph.Store) -> None:
    assert ask(article, "reasons", "label reasonLabel source") == [
        (
            "illegal entries of Iranians across the US southern border",
            "fear of persecution in Iran for political or religious beliefs",
            "Iranians entering the United States through the southern border",
        )
    ]


def test_offices(article: pyoxigraph.Store) -> None:
    assert ask(article, "offices", "personLabel postLabel organization") == [
        ("Donald Trump", "President", "United States government"),
        ("Tricia McLaughlin", "Assistant Secretary", "Department of Homeland Security"),
    ]


def test_events_with_iran(article: pyoxigraph.Store) -> None:
    """As the other side of the deportation, through its government in the talks, and as the one struck."""
    assert ask(article, "took-part", "label participant") == [
        (DEPORTATION, "Iran"),
        (STRIKES, "Iran"),
        (NEGOTIATIONS, "Iranian government"),
    ]


def test_vague_figures(article: pyoxigraph.Store) -> None:
    rows = ask(article, "vague-figures", "label amount trend unit")
    assert ("many asylum requests", "many", None, "request") in rows
    assert ("rising number of Iranians entering", None, "increasing", "person") in rows
    assert ("several months of negotiations", "several", None, "month") in rows
