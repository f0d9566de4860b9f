"""Lists that are longer than what is counted come in the very order of the export, newest first."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from pyoxigraph import Literal, NamedNode, Quad

from kg.describe import newest_first
from kg.describe.lists.event_filters import EventFilter, filtered, filtered_all
from kg.store import EmbeddedStore
from kg.terms import GRAPH, ID, ONTOLOGY, PREFIXES, term

G = NamedNode(GRAPH + "many")
DATE = NamedNode(PREFIXES["xsd"] + "date")


@pytest.fixture
def many(store: EmbeddedStore) -> EmbeddedStore:
    """130 codings: three on each of 40 days, some of them restated by a second graph, and ten undated."""
    quads = []
    for number in range(130):
        record = NamedNode(f"{ID}record/r{number:03}")
        quads.append(Quad(record, term("rdf:type"), NamedNode(ONTOLOGY + "CodingRecord"), G))
        actor = NamedNode(f"{ID}country/{'irn' if number % 2 else 'usa'}")
        quads.append(Quad(record, NamedNode(ONTOLOGY + "codedActor"), actor, G))
        if number < 120:
            day = (date(2018, 1, 1) + timedelta(days=number * 7 % 40)).isoformat()
            time = NamedNode(f"{ID}time/{day}")
            quads.append(Quad(record, NamedNode(ONTOLOGY + "time"), time, G))
            for graph in (G, NamedNode(GRAPH + "again")):
                quads.append(Quad(time, NamedNode(ONTOLOGY + "begin"), Literal(day, datatype=DATE), graph))
    store.change([], quads)
    return store


@pytest.mark.parametrize("actors", [(), (ID + "country/irn",)])
@pytest.mark.parametrize("counted", [10_000, 60])
def test_pages_turn_in_the_order_of_the_export(
    many: EmbeddedStore, monkeypatch: pytest.MonkeyPatch, actors: tuple[str, ...], counted: int
) -> None:
    monkeypatch.setattr(newest_first, "COUNTED", counted)
    wanted = EventFilter(actors=actors)
    whole = [line.name.iri for line in filtered_all(many, "records", wanted)]
    assert len(whole) == len(set(whole)) == (65 if actors else 130)
    first = filtered(many, "records", wanted, 1)
    assert (first.total, first.more) == ((counted, True) if counted < len(whole) else (len(whole), False))
    assert [line.name.iri for line in first.items] == whole[:50]
    assert [line.name.iri for line in filtered(many, "records", wanted, 2).items] == whole[50:100]


def test_the_newest_come_first_and_the_undated_last(many: EmbeddedStore) -> None:
    lines = list(filtered_all(many, "records", EventFilter()))
    days = [line.when.begin if line.when else "" for line in lines]
    assert days == sorted(days, key=lambda day: day or "", reverse=True)
    assert days[-10:] == [""] * 10 and days[0] == "2018-02-09"
