"""The places of a thing on the map."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from kg.describe.listing import ROUTE, iris_in, route_pattern, select
from kg.describe.picture_model import Spot
from kg.search import Name, iri_text, name_all, row_text, values
from kg.store import Row, Store
from kg.terms import ONTOLOGY, PREFIXES

_SPOTS: Final = 60
_POINT: Final = re.compile(
    r"(?:<[^>]*>\s*)?POINT\s*Z?\s*\(\s*([-+.\deE]+)\s+([-+.\deE]+)[^)]*\)", re.IGNORECASE
)
_TYPE: Final = PREFIXES["rdf"] + "type"


def spots_of(store: Store, iri: str) -> list[Spot]:
    """List the places of a thing: its own, or those of an event with its route in order.

    A place without coordinates of its own gets those of its country.
    """
    rows = select(store, spots_query(iri))
    names = name_all(store, iris_in(rows, "role", "place"))
    return _spots(
        store, ((names[row_text(row, "role") or ""], names[row_text(row, "place") or ""]) for row in rows)
    )


def spots_query(iri: str) -> str:
    """Write the query for the places of a thing, in the order of the map and its list.

    The stops on the route of an event are not repeated as its places.
    """
    node = iri_text(iri)
    way = "|".join(f"dg:{role}" for role in ROUTE)
    return f"""SELECT ?role ?place (MIN(?n) AS ?order) WHERE {{
          {route_pattern(node)}
          UNION {{ VALUES (?role ?n) {{ (dg:target 4) (dg:place 5) }} {node} ?role ?place
            FILTER NOT EXISTS {{ {node} ^dg:subEventOf*/({way}) ?place }} }}
          UNION {{ BIND({node} AS ?place) BIND(rdf:type AS ?role) BIND(6 AS ?n)
            {node} a ?class FILTER(?class IN (dg:Place, dg:Region, dg:Facility, dg:Country)) }}
          FILTER(isIRI(?place))
        }} GROUP BY ?role ?place ORDER BY ?order ?place LIMIT {_SPOTS}"""


def spots_for(store: Store, places: Iterable[Name]) -> list[Spot]:
    """Locate places; those without known coordinates, also of their country, are left out."""
    spots = _spots(store, ((Name(_TYPE, ""), place) for place in places))
    return [spot for spot in spots if spot.latitude is not None or spot.iso_numeric]


def _spots(store: Store, legs: Iterable[tuple[Name, Name]]) -> list[Spot]:
    wanted = list(legs)
    if not wanted:
        return []
    # In each half: the engine would read all places before it joins them with a list. Virtuoso cannot join a
    # list with an alternative that has a sequence.
    block = f"VALUES ?place {{ {values(dict.fromkeys(place.iri for _, place in wanted))} }}"
    rows = select(
        store,
        f"""SELECT DISTINCT ?place ?country ?code ?lat ?long ?wkt ?own WHERE {{
          {{ {block} ?place dg:latitude ?lat ; dg:longitude ?long BIND(1 AS ?own) }}
          UNION {{ {block} ?place geo:asWKT|dg:centroid ?wkt BIND(1 AS ?own) }}
          UNION {{ {block} ?place geo:hasGeometry/geo:asWKT ?wkt BIND(1 AS ?own) }}
          UNION {{ {block} ?place dg:isoNumeric ?code BIND(?place AS ?country)
            OPTIONAL {{ ?place dg:centroid ?wkt }} }}
          UNION {{ {block} ?place dg:country|dg:locatedIn|(dg:locatedIn/dg:country) ?country .
            ?country dg:isoNumeric ?code OPTIONAL {{ ?country dg:centroid ?wkt }} }}
        }} ORDER BY DESC(?own) ?country ?lat ?wkt LIMIT 1000""",
    )
    countries = name_all(store, iris_in(rows, "country"))
    points: dict[str, tuple[float, float, bool]] = {}
    homes: dict[str, tuple[Name, str]] = {}
    for row in rows:
        place = row_text(row, "place") or ""
        point = _point(row)
        if point and place not in points:
            points[place] = (*point, "own" in row)
        country = row_text(row, "country")
        if country:
            homes.setdefault(place, (countries[country], row_text(row, "code") or ""))
    return [
        Spot(
            name=place,
            role=None if role.iri == _TYPE else role,
            way=role.iri.removeprefix(ONTOLOGY) in ROUTE,
            latitude=points[place.iri][0] if place.iri in points else None,
            longitude=points[place.iri][1] if place.iri in points else None,
            exact=points[place.iri][2] if place.iri in points else False,
            country=homes[place.iri][0] if place.iri in homes else None,
            iso_numeric=homes[place.iri][1] if place.iri in homes else None,
        )
        for role, place in wanted
    ]


def _point(row: Row) -> tuple[float, float] | None:
    """Read a latitude and a longitude in degrees; None if they are invalid."""
    latitude, longitude = row_text(row, "lat"), row_text(row, "long")
    if latitude is None or longitude is None:
        found = _POINT.fullmatch((row_text(row, "wkt") or "").strip())
        if not found:
            return None
        longitude, latitude = found.groups()
    try:
        point = (float(latitude), float(longitude))
    except ValueError:
        return None
    return point if abs(point[0]) <= 90 and abs(point[1]) <= 180 else None
