"""Things with pages for the sitemap, and the newest events and claims of a thing for its feed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from kg.describe.listing import count, iris_in, select
from kg.search import Name, exists, iri_text, name_all, plain, row_text
from kg.store import Store
from kg.terms import GRAPH_LOADS, ID, PARTICIPANT_ROLES

_ENTRIES: Final = 50
_LOOKED_AT: Final = 500
# Classes of the sitemap; parts of claims and coding records are linked from their pages.
_CLASSES: Final = (
    "dg:Event dg:Journey dg:Country dg:Person dg:Official dg:Claim dg:EventType dg:Policy dg:Matter dg:Topic"
    " dg:DiplomaticRelation dg:Recognition dg:MeetingSeries"
)
_TREES: Final = "dg:Agent dg:Place dg:Source dg:Instrument dg:Event"

_ROLES: Final = " ".join(
    f"dg:{local}"
    for local in (*PARTICIPANT_ROLES, "place", "origin", "transit", "destination", "target", "eventType")
)


@dataclass(frozen=True)
class DescribedThings:
    """Some of the things with pages, in a fixed order, and their number."""

    iris: tuple[str, ...]
    total: int


@dataclass(frozen=True)
class News:
    """An event or a claim, the time when it was loaded (RFC 3339), and its kind."""

    name: Name
    updated: str
    summary: str


def described(store: Store, limit: int = 0, start: int = 0) -> DescribedThings:
    """List the things of the sitemap, `limit` of them from `start`; without a limit, only count them."""
    inner = f"""SELECT DISTINCT ?item WHERE {{
        {{ VALUES ?direct {{ {_CLASSES} }} ?item a ?direct }} UNION
        {{ VALUES ?top {{ {_TREES} }} ?class rdfs:subClassOf* ?top . ?item a ?class }}
        FILTER(STRSTARTS(STR(?item), "{ID}")) }}"""
    if not limit:
        return DescribedThings((), count(store, inner))
    rows = select(store, f"{inner} ORDER BY ?item LIMIT {limit} OFFSET {start}")
    return DescribedThings(tuple(iris_in(rows, "item")), start + len(rows))


@dataclass(frozen=True)
class Feed:
    """A thing and its newest events and claims."""

    name: Name
    entries: tuple[News, ...]


def feed_of(store: Store, iri: str) -> Feed | None:
    """List the events and claims that concern a thing, those loaded last first; None for an unknown IRI.

    At most 50 entries. Bundled graphs count as loaded at the first moment of 1970. Only some entries of a
    busy thing are looked at, so that the work is bounded.
    """
    return Feed(name_all(store, [iri])[iri], tuple(_news(store, iri))) if exists(store, iri) else None


def _news(store: Store, iri: str) -> list[News]:
    node = iri_text(iri)
    rows = select(
        store,
        f"""SELECT ?item ?type (MAX(?ended) AS ?when) WHERE {{
          {{ SELECT DISTINCT ?item ?type WHERE {{
            {{ VALUES ?role {{ {_ROLES} }} ?item ?role {node} BIND("event" AS ?type) }}
            UNION {{ ?item a dg:Claim ; dg:about {node} BIND("claim" AS ?type) }}
            UNION {{ ?item a dg:Claim ; dg:statedIn|(dg:attributionStep/dg:attributedTo) {node}
              BIND("claim" AS ?type) }}
            FILTER NOT EXISTS {{ ?item a dg:CodingRecord }}
          }} LIMIT {_LOOKED_AT} }}
          OPTIONAL {{ GRAPH ?g {{ ?item a ?class }}
            GRAPH {GRAPH_LOADS} {{ ?load prov:generated ?g ; prov:endedAtTime ?ended }} }}
        }} GROUP BY ?item ?type ORDER BY DESC(?when) ?item LIMIT {_ENTRIES}""",
    )
    names = name_all(store, iris_in(rows, "item"))
    return [
        News(names[plain(row["item"])], _moment(row_text(row, "when")), f"{plain(row['type']).capitalize()}.")
        for row in rows
        if plain(row["item"]) in names
    ]


def _moment(text: str | None) -> str:
    """Write a time with a time zone, as Atom requires."""
    try:
        found = datetime.fromisoformat((text or "").replace("Z", "+00:00"))
    except ValueError:
        return "1970-01-01T00:00:00Z"
    aware = found if found.tzinfo else found.replace(tzinfo=UTC)
    return aware.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
