"""The answer of a question: its table, the names of its blanks, and the places that it names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from kg.describe.entity.map_points import spots_for, spots_of
from kg.describe.lists.solution_tables import ResultTable, table_of
from kg.describe.picture_model import Spot
from kg.search import Name, kind_of, name_all
from kg.store import Store

_PLACES: Final = ("country", "place")
_SPOTS: Final = 200
_EVENTS: Final = 20


@dataclass(frozen=True)
class QuestionAnswer:
    """The answer of a question; `names` are those of the things that its blanks were filled with."""

    table: ResultTable
    names: dict[str, Name]
    spots: tuple[Spot, ...]


def answer_question(store: Store, text: str, limit: int, filled: Sequence[str]) -> QuestionAnswer:
    """Answer a question that was filled in, with at most `limit` rows."""
    table = table_of(store, store.query(text), limit)
    return QuestionAnswer(table, name_all(store, filled), tuple(_spots_in(store, table)))


def _spots_in(store: Store, table: ResultTable) -> list[Spot]:
    """Locate the places in an answer; if it names none, those of its first events.

    The route of an event is drawn if it is the only one.
    """
    if places := places_in(table):
        return spots_for(store, places)
    events = [name.iri for name in _things(table) if kind_of(name.iri) == "event"][:_EVENTS]
    found = {spot.name.iri: spot for event in events for spot in spots_of(store, event)}
    return list(found.values()) if len(events) == 1 else spots_for(store, [s.name for s in found.values()])


def places_in(table: ResultTable) -> list[Name]:
    """List the countries and places in an answer, in the order of its rows."""
    return [name for name in _things(table) if kind_of(name.iri) in _PLACES][:_SPOTS]


def _things(table: ResultTable) -> list[Name]:
    return list(dict.fromkeys(cell.name for row in table.rows for cell in row if cell and cell.name))
