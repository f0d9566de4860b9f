"""Maps and networks of results, which the browser draws."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from api.web.urls import href, path_of
from kg.describe.lists.solution_tables import ResultTable
from kg.describe.picture_model import Spot
from kg.search import Name, kind_of

# Things of these kinds are attributes: they are not drawn in a network of parties.
_HOW: Final = (
    "other",
    "character",
    "event-type",
    "graph",
    "modality",
    "scheme",
    "time",
    "unit",
    "mission-status",
)
_NODES: Final = 60


def pairs_in(table: ResultTable) -> list[tuple[Name, Name]]:
    """List the pairs of things in the first two columns that contain only things.

    Empty if there are no two such columns, fewer than two pairs, or more than 60 things.
    """
    columns = [number for number in range(len(table.columns)) if _things(table, number)]
    if len(columns) < 2:
        return []
    ends = [(row[columns[0]], row[columns[1]]) for row in table.rows]
    pairs = list(dict.fromkeys((a.name, b.name) for a, b in ends if a and b and a.name and b.name))
    if len(pairs) < 2 or len({name for pair in pairs for name in pair}) > _NODES:
        return []
    return pairs


def drawn_network(things: list[Name], edges: list[tuple[Name, Name, str]]) -> dict[str, Any]:
    """Write a network in the format of the page's script."""
    return {
        "nodes": [
            {"id": name.iri, "label": name.label, "kind": kind_of(name.iri), "page": href(name)}
            for name in things
        ],
        "edges": [
            {"source": source.iri, "target": target.iri, "label": label} for source, target, label in edges
        ],
    }


def network_in(table: ResultTable) -> dict[str, Any] | None:
    """Draw the pairs in the rows of a result; None if there are none."""
    pairs = pairs_in(table)
    things = list(dict.fromkeys(name for pair in pairs for name in pair))
    drawn = drawn_network(things, [(source, target, "") for source, target in pairs])
    return {**drawn, "equal": True} if pairs else None


def drawn_places(spots: Sequence[Spot]) -> dict[str, Any]:
    """Write places in the format of the page's script."""
    return {
        "places": [
            {
                "id": spot.name.iri,
                "label": spot.name.label,
                "page": path_of(spot.name.iri),
                "role": spot.role.label if spot.role else None,
                "way": spot.way,
                "latitude": spot.latitude,
                "longitude": spot.longitude,
                "exact": spot.exact,
                "country": spot.country.label if spot.country else None,
                "isoNumeric": spot.iso_numeric,
            }
            for spot in spots
        ]
    }


def _things(table: ResultTable, column: int) -> bool:
    cells = [cell for row in table.rows if (cell := row[column])]
    return bool(cells) and all(cell.name and kind_of(cell.name.iri) not in _HOW for cell in cells)
