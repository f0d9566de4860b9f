"""Which name of several a reader gets."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pyoxigraph import Literal, NamedNode, Quad

from kg.languages import preference, speak, wanted
from kg.search import name_all
from kg.store import EmbeddedStore
from kg.terms import GRAPH, ID, PREFIXES


@pytest.fixture(autouse=True)
def _english_again() -> Iterator[None]:
    yield
    speak(())


def test_english_is_always_among_them() -> None:
    assert wanted() == ("en",)
    speak(["fa", "de-AT"])
    assert wanted() == ("fa", "de-at", "en")


@pytest.mark.parametrize(
    ("asked", "tag", "rank"),
    [
        (["fa"], "fa", 0),
        (["fa"], "en", 1),
        (["fa"], None, 2),
        (["fa"], "de", 3),
        (["pt"], "pt-BR", 0),
        (["pt-BR"], "pt", 0),
        (["zh-Hant"], "zh-Hant-TW", 0),
        (["e"], "en", 1),
        ([], "en-GB", 0),
    ],
)
def test_how_languages_rank(asked: list[str], tag: str | None, rank: int) -> None:
    speak(asked)
    assert preference(tag) == rank


def test_a_thing_is_named_in_the_language_asked_for(store: EmbeddedStore) -> None:
    label, iran = NamedNode(PREFIXES["rdfs"] + "label"), NamedNode(ID + "country/irn")
    store.change((), [Quad(iran, label, Literal("ایران", language="fa"), NamedNode(GRAPH + "names"))])
    assert name_all(store, [iran.value])[iran.value].label == "Iran"
    speak(["fa"])
    assert name_all(store, [iran.value])[iran.value].label == "ایران"
    speak(["de"])
    assert name_all(store, [iran.value])[iran.value].label == "Iran"
