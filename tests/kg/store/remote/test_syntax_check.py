"""The syntax check of SPARQL by our own engine, in a process of its own."""

from __future__ import annotations

import multiprocessing
import time

import pytest

from kg.store.remote import syntax_check
from kg.store.remote.syntax_check import syntax_error


def test_a_malformed_query_has_line_and_column() -> None:
    error = syntax_error("SELECT *\n{", "query")
    assert error is not None
    assert (error.line, error.column) == (2, 2)


def test_a_query_sent_as_an_update_has_its_own_message() -> None:
    error = syntax_error("INSERT", "update")
    assert error is not None and error.line == 1
    error = syntax_error("ASK {}", "update")
    assert error is not None and "query" in error.detail


@pytest.mark.parametrize(
    "text", ["ASK {}", "SELECT (<http://e.example/f>(1) AS ?x) {}", "ASK { FILTER('\ud800' = 'a') }"]
)
def test_a_text_that_is_well_formed_or_not_text_at_all_has_no_error(text: str) -> None:
    assert syntax_error(text, "query") is None


def test_a_text_that_keeps_the_engine_busy_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(syntax_check, "_TIME", 0.5)
    values = " ".join(f"VALUES ?v{n} {{ {' '.join(map(str, range(1000)))} }}" for n in range(6))
    before = multiprocessing.active_children()
    started = time.monotonic()
    assert syntax_error(f"SELECT (COUNT(*) AS ?n) {{ {values} }}", "query") is None
    assert time.monotonic() - started < 60
    assert multiprocessing.active_children() == before
