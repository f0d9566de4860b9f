"""Lists of events and of machine codings, filtered: a page of them, or all of them for an export."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from pyoxigraph import NamedNode

from kg.describe.event_lists import event_classes
from kg.describe.listing import iris_in, select
from kg.describe.page_model import COUNTED, PAGE, Listing, When
from kg.describe.time_words import bounds_of, days_of, times_of
from kg.search import PROLOGUE, Name, iri_text, name_all, plain, row_text, values
from kg.store import Store
from kg.terms import GRAPH, GRAPH_ENTAILMENTS, ONTOLOGY

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
_PARTIES: Final[dict[Of, str]] = {
    "events": "dg:actor|dg:recipient|dg:affected|dg:orderedBy|dg:participant",
    "records": "dg:codedActor|dg:codedRecipient",
}
_PLACES: Final[dict[Of, str]] = {
    "events": "dg:place|dg:origin|dg:transit|dg:destination|dg:target",
    "records": "dg:codedPlace",
}
# Those who act for a country; beyond so many, the first of them.
_ACT_FOR: Final = 2_000


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
    """Give one page of what a filter lets through, newest first; what bears no date comes last.

    The order is that of `filtered_all`. Of more than COUNTED no more than the first COUNTED can be turned to.
    """
    where, days = _where(store, of, wanted), days_of(store)
    start = (page - 1) * PAGE
    found = _pairs(store, f"{where} {_time(wanted)} LIMIT {COUNTED + 1}")
    if len(found) <= COUNTED:
        items = _newest_first(found, days)
        return Listing(lines_of(store, items[start : start + PAGE]), len(items), start, False)
    inner = _where(store, of, wanted, bound=True)
    undated = where
    if _dated(wanted):
        touched = set(_times_within(store, wanted.begin, wanted.end))
        days, undated = {time: day for time, day in days.items() if time in touched}, ""
    items = _walk(store, inner, undated, days, start + PAGE) if start < COUNTED else []
    return Listing(lines_of(store, items[start : start + PAGE]), COUNTED, start, True)


def filtered_all(store: Store, of: Of, wanted: EventFilter) -> Iterator[Line]:
    """Give everything that a filter lets through, in the order of the pages, however much it is."""
    items = _newest_first(_pairs(store, f"{_where(store, of, wanted)} {_time(wanted)}"), days_of(store))
    for start in range(0, len(items), _BATCH):
        yield from lines_of(store, items[start : start + _BATCH])


def _dated(wanted: EventFilter) -> bool:
    return bool(wanted.begin or wanted.end)


def _time(wanted: EventFilter) -> str:
    """Write the end of a pattern: within days, those times count that touch them, else all."""
    return "}" if _dated(wanted) else "OPTIONAL { ?item dg:time ?t } }"


def _pairs(store: Store, rest: str) -> list[tuple[str, str]]:
    rows = store.query(f"{PROLOGUE} SELECT DISTINCT ?item ?t WHERE {{ {rest}").rows()
    found = ((row["item"], row_text(row, "t") or "") for row in rows)
    return [(item.value, time) for item, time in found if isinstance(item, NamedNode)]


def _newest_first(pairs: Iterable[tuple[str, str]], days: Mapping[str, str]) -> list[str]:
    latest: dict[str, str] = {}
    for item, time in pairs:
        latest[item] = max(latest.get(item, ""), days.get(time, ""))
    by_name = sorted(latest)
    return sorted(by_name, key=lambda item: latest[item], reverse=True)


def _walk(store: Store, inner: str, undated: str, days: Mapping[str, str], enough: int) -> list[str]:
    """Go back day by day until there are enough; then those without a date that match `undated`."""
    times = sorted(days, key=lambda time: days[time], reverse=True)
    found: dict[str, None] = {}
    start, step = 0, 4
    while start < len(times) and len(found) < enough:
        # A day is never cut in two: what begins on it is sorted as a whole.
        end = min(start + step, len(times))
        while end < len(times) and days[times[end]] == days[times[end - 1]]:
            end += 1
        block = f"VALUES ?t {{ {values(times[start:end])} }} ?item dg:time ?t ."
        pairs = _pairs(store, f"{block} {inner} }}")
        found.update(dict.fromkeys(_newest_first(pairs, days)))
        start, step = end, step * 2
    if len(found) < enough and undated:
        pairs = _pairs(store, f"{undated} FILTER NOT EXISTS {{ ?item dg:time ?t }} }} LIMIT {COUNTED}")
        found.update(dict.fromkeys(sorted(item for item, _ in pairs)))
    return list(found)


def lines_of(store: Store, iris: Sequence[str]) -> list[Line]:
    """Tell of events or machine codings in the given order."""
    if not iris:
        return []
    block = f"VALUES ?item {{ {values(iris)} }}"
    properties = ", ".join(f"dg:{local}" for local in _COLUMNS)
    rows = select(
        store,
        f"""SELECT DISTINCT ?item ?p ?o WHERE {{ {block} GRAPH ?g {{ ?item ?p ?o }}
        FILTER(?g != {GRAPH_ENTAILMENTS} && ?p IN ({properties})) }} ORDER BY ?o""",
    )
    said = select(
        store,
        f"SELECT DISTINCT ?item ?m WHERE {{ {block} ?claim dg:about ?item ; dg:modality ?m }} ORDER BY ?m",
    )
    graphs = select(
        store,
        f"""SELECT DISTINCT ?item ?g WHERE {{ {block} GRAPH ?g {{ ?item a ?c }}
        FILTER(?g != {GRAPH_ENTAILMENTS}) }} ORDER BY ?g""",
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


def _where(store: Store, of: Of, wanted: EventFilter, *, bound: bool = False) -> str:
    """Write the pattern that binds ?item, or that holds for what is `bound` already, its time ?t included.

    The engine joins two VALUES blocks with a pattern by reading everything; paths and filters spare it that.
    """
    parts = []
    for number, actor in enumerate(wanted.actors):
        acting = values(_acting_for(store, actor))
        takes_part = f"?item {_PARTIES[of]} ?who{number}"
        if number == 0 and not bound:
            parts.append(f"VALUES ?who{number} {{ {acting} }} {takes_part} .")
        else:
            among = ", ".join(acting.split())
            parts.append(f"FILTER EXISTS {{ {takes_part} FILTER(?who{number} IN ({among})) }}")
    for number, kind in enumerate(wanted.types):
        parts.append(f"{_under(f'?type{number}', kind)} ?item dg:eventType ?type{number} .")
    if wanted.place:
        node = iri_text(wanted.place)
        parts.append(
            f"""?item {_PLACES[of]} ?place .
            FILTER(?place = {node} || EXISTS {{ ?place dg:locatedIn+ {node} }}
              || EXISTS {{ ?place dg:locatedIn*/dg:country {node} }})"""
        )
    if wanted.modality:
        parts.append(f"{_under('?how', wanted.modality)} ?claim dg:about ?item ; dg:modality ?how .")
    if _dated(wanted) and not bound:
        within = values(_times_within(store, wanted.begin, wanted.end))
        parts.append(f"VALUES ?t {{ {within} }} ?item dg:time ?t .")
    if wanted.source.startswith(GRAPH):
        parts.append(f"GRAPH {iri_text(wanted.source)} {{ ?item a ?stated }}")
    elif wanted.source:
        node = iri_text(wanted.source)
        parts.append(
            f"""{{ ?item dg:codedFrom|dg:dataset {node} }} UNION {{ ?told dg:about ?item .
            {{ ?told dg:statedIn {node} }} UNION {{ ?told dg:attributionStep/dg:attributedTo {node} }} }}"""
        )
    classes = values(event_classes(store) if of == "events" else [ONTOLOGY + "CodingRecord"])
    if parts or bound:
        parts.append(f"FILTER EXISTS {{ ?item a ?class FILTER(?class IN ({', '.join(classes.split())})) }}")
    else:
        parts.append(f"VALUES ?class {{ {classes} }} ?item a ?class .")
    return "\n".join(parts)


def _under(variable: str, concept: str) -> str:
    """Write the pattern that binds a concept and those under it.

    The LIMIT, which none reaches, has them found first: Virtuoso loses rows where it joins such a path.
    """
    return f"{{ SELECT {variable} WHERE {{ {variable} skos:broader* {iri_text(concept)} }} LIMIT {COUNTED} }}"


def _acting_for(store: Store, actor: str) -> list[str]:
    rows = select(
        store, f"SELECT DISTINCT ?who WHERE {{ ?who dg:country {iri_text(actor)} }} LIMIT {_ACT_FOR}"
    )
    return [actor, *iris_in(rows, "who")]


def _times_within(store: Store, begin: date | None, end: date | None) -> list[str]:
    low, high = begin.isoformat() if begin else "", end.isoformat() if end else "~"
    return [
        time
        for time, (first, last) in bounds_of(store).items()
        if (last or first) >= low and (first or last) <= high
    ]
