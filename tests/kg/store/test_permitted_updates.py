"""Updates with LOAD: malformed ones, silent ones, and nothing is fetched to tell them apart."""

from __future__ import annotations

import select
import socket
from contextlib import suppress

import pytest

from kg.errors import QueryRefusedError, QuerySyntaxError
from kg.store.permitted_updates import permitted

HOSTILE = [
    "LOAD {0}",
    "LOAD{0}",
    "CLEAR ALL; LOAD {0}",
    "PREFIX : {0} LOAD:x",
    "PREFIX : {0} CLEAR ALL; LOAD:x",
    "BASE {0}LOAD<x>",
    'VERSION "1.2"LOAD {0}',
    "# \r LOAD {0}",
    "#\r#\nLOAD {0} ; nonsense",
    "\\u0023 CLEAR ALL\nLOAD {0}",
    'VERSION "a\\u0022 \\u0023 " CLEAR ALL\nLOAD {0}',
    "VERSION 'a\nLOAD {0}",
    "INSERT {{ ?s ?p ?o }} WHERE {{ SERVICE {0} {{ ?s ?p ?o }} }}",
    "LOAD SILENT {0} ; LOAD {0}",
    "LOADSILENT{0}",
]


def test_nothing_is_fetched_to_find_out_what_is_malformed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"<http://127.0.0.1:{listening.getsockname()[1]}/>"
        for text in HOSTILE:
            with suppress(QueryRefusedError, QuerySyntaxError):
                permitted(text.format(address), (), "")
        assert select.select([listening], [], [], 0.1)[0] == []


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("LOAD SILENT <http://a/>", "INSERT DATA {}"),
        ("PREFIX a: <http://a/>\nload silent a:b INTO GRAPH a:c;CLEAR ALL", "INSERT DATA {};CLEAR ALL"),
        ("LOAD SILENT <http://a/> ; LOAD SILENT <http://b/x> INTO GRAPH <http://g/>", "INSERT DATA {}"),
    ],
)
def test_a_silent_load_is_left_out(text: str, rest: str) -> None:
    left = permitted(text, (), "")
    assert left.endswith(rest) and "load" not in left.lower()


def test_an_allowed_load_stays() -> None:
    text = "LOAD SILENT <http://93.184.216.34/a> ; LOAD SILENT <http://b.example/>"
    assert permitted(text, ("http://93.184.216.34/",), "") == (
        "LOAD SILENT <http://93.184.216.34/a> ; INSERT DATA {}"
    )


def test_a_text_that_fetches_nothing_is_not_touched() -> None:
    text = "INSERT DATA { <a:a> <a:b> 'LOAD SILENT <http://a/>' }"
    assert permitted(text, (), "") is text


def test_a_relative_address_is_refused_when_it_has_a_base() -> None:
    with pytest.raises(QuerySyntaxError):
        permitted("LOAD <x>", (), "")
    with pytest.raises(QueryRefusedError):
        permitted("LOAD <x>", (), "http://127.0.0.1/update")
