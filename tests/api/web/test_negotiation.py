"""Which format a client gets."""

from __future__ import annotations

import pytest
from flask import Flask

from api.web.negotiation import choose_format, wants_html
from kg.errors import NotAcceptableError
from kg.rdf.formats import GRAPH_FORMATS, RESULT_FORMATS

CHROME = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (CHROME, True),
        ("text/html", True),
        ("text/html, */*;q=0.1", True),
        (None, False),
        ("*/*", False),
        ("application/json", False),
        ("text/turtle, text/html;q=0.5", False),
        ("application/problem+json", False),
        ("text/csv", False),
        ("image/png", False),
    ],
)
def test_who_wants_a_page(app: Flask, accept: str | None, expected: bool) -> None:
    with app.test_request_context(headers={"Accept": accept} if accept is not None else {}):
        assert wants_html() is expected


@pytest.mark.parametrize(
    ("accept", "name", "media_type"),
    [
        (None, "ttl", "text/turtle"),
        ("*/*", "ttl", "text/turtle"),
        ("application/*", "nt", "application/n-triples"),
        ("application/ld+json", "jsonld", "application/ld+json"),
        ("application/json", "jsonld", "application/json"),
        ("text/turtle;q=0.1, application/rdf+xml;q=0.2", "rdf", "application/rdf+xml"),
        ("text/turtle;q=0, */*;q=0.5", "nt", "application/n-triples"),
        ("APPLICATION/N-TRIPLES", "nt", "application/n-triples"),
        ("text/turtle; charset=utf-8", "ttl", "text/turtle"),
        (
            'application/ld+json; profile="http://www.w3.org/ns/json-ld#expanded"',
            "jsonld",
            "application/ld+json",
        ),
        ("application/n-triples; version=1.2;q=0.9, text/turtle;q=0.8", "nt", "application/n-triples"),
        ("text/plain", "nt", "text/plain"),
        ("text/*;q=0.3, text/turtle;q=0.1, */*;q=0.2", "nt", "application/n-triples"),
        ("text/turtle;q=0.5;charset=utf-8, */*;q=0.4", "ttl", "text/turtle"),
    ],
)
def test_the_format(app: Flask, accept: str | None, name: str, media_type: str) -> None:
    with app.test_request_context(headers={"Accept": accept} if accept is not None else {}):
        form = choose_format(GRAPH_FORMATS)
    assert (form.name, form.media_type) == (name, media_type)


@pytest.mark.parametrize("accept", ["text/csv; header=present", "text/csv;charset=UTF-8"])
def test_parameters_do_not_hide_a_format(app: Flask, accept: str) -> None:
    with app.test_request_context(headers={"Accept": accept}):
        assert choose_format(RESULT_FORMATS).name == "csv"


def test_a_long_header_is_read_once(app: Flask) -> None:
    accept = "a/b," * 16_000 + "text/csv"
    with app.test_request_context(headers={"Accept": accept}):
        assert choose_format(RESULT_FORMATS).name == "csv"


@pytest.mark.parametrize("accept", ["image/png", "text/turtle", "text/csv;q=0", "nonsense"])
def test_nothing_acceptable_lists_what_is_offered(app: Flask, accept: str) -> None:
    with app.test_request_context(headers={"Accept": accept}), pytest.raises(NotAcceptableError) as caught:
        choose_format(RESULT_FORMATS)
    assert all(form.media_type in str(caught.value.mend) for form in RESULT_FORMATS)
