"""Lists of events and of machine codings, filtered: a page of them, or all of them for an export."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from kg.describe.events import event_classes
from kg.describe.listing import iris_in, listed, select
from kg.describe.model import Listing, When
from kg.describe.times import times_of
from kg.search import Name, iri_text, name_all, plain, values
from kg.store import Store
from kg.terms import GRAPH, ONTOLOGY

Of = Literal["events", "records"]

_BATCH: Final = 200
# A name says in which column of a line the objects of a property stand.
_COLUMNS: Final = {
    "eventType": "types",
    "actor": "actors",
    "orderedBy": "actors",
    "participant": "actors",
    "codedActor": "actors",
    "recipient": "recipients",
    "affected": "recipients",
    "codedRecipient": "recipients",
    "place": "places",
    "origin": "places",
    "transit": "places",
    "destination": "places",
    "target": "places",
    "codedPlace": "places",
    "dataset": "datasets",
    "codedFrom": "documents",
    "goldstein": "goldstein",
    "time": "time",
}
_PARTIES: Final = (
    "dg:actor dg:recipient dg:affected dg:orderedBy dg:participant dg:codedActor dg:codedRecipient"
)
_PLACES: Final = "dg:place dg:origin dg:transit dg:destination dg:target dg:codedPlace"
# Newest first; what bears no date comes last. The end stands in where the beginning is open.
_ORDER: Final = """OPTIONAL { ?item dg:time ?t OPTIONAL { ?t dg:begin ?b } OPTIONAL { ?t dg:end ?e } }
    BIND(COALESCE(?b, ?e) AS ?day)"""
_KEY: Final = "DESC(MAX(?day))"


@dataclass(frozen=True)
class EventFilter:
    """What events, or machine codings, are asked for; an empty field asks for nothing.

    All are IRIs but the days. Several `actors` must all take part; a country stands for whoever acts for it.
    A type stands for those under it, a place for those in it, a modality for those under it; `source` is a
    named graph, or what claims are stated in. An event is within days when its time touches them; without
    any date it is not.
    """

    types: tuple[str, ...] = ()
    actors: tuple[str, ...] = ()
    place: str = ""
    begin: date | None = None
    end: date | None = None
    modality: str = ""
    source: str = ""


@dataclass(frozen=True)
class Line:
    """One event, or one machine coding, as lists and exports show it."""

    name: Name
    when: When | None
    types: tuple[Name, ...]
    actors: tuple[Name, ...]
    recipients: tuple[Name, ...]
    places: tuple[Name, ...]
    modalities: tuple[Name, ...]
    sources: tuple[Name, ...]
    datasets: tuple[Name, ...]
    documents: tuple[Name, ...]
    goldstein: str


def filtered(store: Store, of: Of, wanted: EventFilter, page: int) -> Listing[Line]:
    """Give one page of what a filter lets through, newest first."""
    found = listed(store, _where(store, of, wanted), page, order=_ORDER, key=_KEY)
    return Listing(lines_of(store, found.items), found.total, found.start, found.more)


def filtered_all(store: Store, of: Of, wanted: EventFilter) -> Iterator[Line]:
    """Give everything that a filter lets through, in the order of the pages, however much it is."""
    text = f"""SELECT ?item WHERE {{
        {{ SELECT DISTINCT ?item WHERE {{ {_where(store, of, wanted)} FILTER(isIRI(?item)) }} }} {_ORDER} }}
        GROUP BY ?item ORDER BY {_KEY} ?item"""
    items = iris_in(select(store, text), "item")
    for start in range(0, len(items), _BATCH):
        yield from lines_of(store, items[start : start + _BATCH])


def lines_of(store: Store, iris: Sequence[str]) -> list[Line]:
    """Tell of events or machine codings in the given order."""
    if not iris:
        return []
    block = f"VALUES ?item {{ {values(iris)} }}"
    properties = values(ONTOLOGY + local for local in _COLUMNS)
    rows = select(
        store,
        f"""SELECT DISTINCT ?item ?p ?o WHERE {{ {block} VALUES ?p {{ {properties} }} ?item ?p ?o }}
        ORDER BY ?o""",
    )
    said = select(
        store,
        f"SELECT DISTINCT ?item ?m WHERE {{ {block} ?claim dg:about ?item ; dg:modality ?m }} ORDER BY ?m",
    )
    graphs = select(
        store, f"SELECT DISTINCT ?item ?g WHERE {{ {block} GRAPH ?g {{ ?item a ?c }} }} ORDER BY ?g"
    )
    names = name_all(store, [*iris, *iris_in(rows, "o"), *iris_in(said, "m"), *iris_in(graphs, "g")])
    cells: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in rows:
        cells[plain(row["item"]), _COLUMNS[plain(row["p"]).removeprefix(ONTOLOGY)]].append(plain(row["o"]))
    for row in said:
        cells[plain(row["item"]), "modalities"].append(plain(row["m"]))
    for row in graphs:
        cells[plain(row["item"]), "sources"].append(plain(row["g"]))
    times = times_of(
        store, (iri for (_, column), found in cells.items() if column == "time" for iri in found)
    )

    def named(item: str, column: str) -> tuple[Name, ...]:
        return tuple(names[iri] for iri in dict.fromkeys(cells[item, column]) if iri in names)

    return [
        Line(
            names[iri],
            next((times[t] for t in cells[iri, "time"] if t in times), None),
            named(iri, "types"),
            named(iri, "actors"),
            named(iri, "recipients"),
            named(iri, "places"),
            named(iri, "modalities"),
            named(iri, "sources"),
            named(iri, "datasets"),
            named(iri, "documents"),
            next(iter(cells[iri, "goldstein"]), ""),
        )
        for iri in iris
    ]


def choices(store: Store) -> dict[str, list[Name]]:
    """Name what a form of filters lets one choose from: modalities and sources."""
    modalities = iris_in(select(store, "SELECT DISTINCT ?m WHERE { ?claim dg:modality ?m } ORDER BY ?m"), "m")
    names = name_all(store, modalities)
    return {"modality": [names[iri] for iri in modalities]}


def _where(store: Store, of: Of, wanted: EventFilter) -> str:
    classes = event_classes(store) if of == "events" else [ONTOLOGY + "CodingRecord"]
    is_one = f"VALUES ?class {{ {values(classes)} }} ?item a ?class ."
    parts = []
    for number, actor in enumerate(wanted.actors):
        node = iri_text(actor)
        role, who = f"?role{number}", f"?who{number}"
        parts.append(
            f"""{{ SELECT DISTINCT ?item WHERE {{ VALUES {role} {{ {_PARTIES} }} {{ ?item {role} {node} }}
            UNION {{ {who} dg:country {node} . ?item {role} {who} }} }} }}"""
        )
    for number, kind in enumerate(wanted.types):
        parts.append(f"?type{number} skos:broader* {iri_text(kind)} . ?item dg:eventType ?type{number} .")
    if wanted.place:
        node = iri_text(wanted.place)
        parts.append(
            f"""VALUES ?at {{ {_PLACES} }} ?item ?at ?place .
            FILTER(?place = {node} || EXISTS {{ ?place dg:locatedIn*/dg:country? {node} }})"""
        )
    if wanted.modality:
        parts.append(
            f"?how skos:broader* {iri_text(wanted.modality)} . ?claim dg:about ?item ; dg:modality ?how ."
        )
    if wanted.begin or wanted.end:
        parts.append(_within(wanted.begin, wanted.end))
    if wanted.source.startswith(GRAPH):
        parts.append(f"GRAPH {iri_text(wanted.source)} {{ ?item a ?stated }}")
    elif wanted.source:
        node = iri_text(wanted.source)
        parts.append(
            f"""{{ ?item dg:codedFrom|dg:dataset {node} }} UNION {{ ?told dg:about ?item .
            {{ ?told dg:statedIn {node} }} UNION {{ ?told dg:attributionStep/dg:attributedTo {node} }} }}"""
        )
    return "\n".join([*parts, is_one])


def _within(begin: date | None, end: date | None) -> str:
    tests = [f'COALESCE(?ends, ?begins) >= "{begin.isoformat()}"^^xsd:date'] if begin else []
    tests += [f'COALESCE(?begins, ?ends) <= "{end.isoformat()}"^^xsd:date'] if end else []
    return f"""?item dg:time ?when . OPTIONAL {{ ?when dg:begin ?begins }} OPTIONAL {{ ?when dg:end ?ends }}
        FILTER({" && ".join(tests)})"""
