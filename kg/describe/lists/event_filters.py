"""Lists of events and of coding records, filtered: a page of them, or all of them for an export."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from kg.describe.listing import iris_in, replaced, select
from kg.describe.lists.event_lists import event_classes
from kg.describe.newest_first import every, newest
from kg.describe.page_model import COUNTED, Listing, When
from kg.describe.site.overview import source_graphs
from kg.describe.time_words import all_bounds, times_of
from kg.search import Name, iri_text, name_all, plain, values
from kg.store import Store
from kg.store.per_version import per_version
from kg.terms import GRAPH, GRAPH_ENTAILMENTS, ONTOLOGY, PARTICIPANT_ROLES

Of = Literal["events", "records"]

_BATCH: Final = 200
# The column of a line for the objects of each property.
_COLUMNS: Final = {
    "eventType": "types",
    "actor": "actors",
    "orderedBy": "actors",
    "participant": "actors",
    "counterpart": "actors",
    "mediator": "actors",
    "host": "actors",
    "guest": "actors",
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
    "events": "|".join(f"dg:{local}" for local in PARTICIPANT_ROLES),
    "records": "dg:codedActor|dg:codedRecipient",
}
_PLACES: Final[dict[Of, str]] = {
    "events": "dg:place|dg:origin|dg:transit|dg:destination|dg:target",
    "records": "dg:codedPlace",
}
# At most this many agents of a country are looked at.
_ACT_FOR: Final = 2_000


@dataclass(frozen=True)
class EventFilter:
    """A filter of events or coding records; an empty field does not restrict them.

    All fields but the days are IRIs. Several `actors` must all take part; a country includes its government,
    agencies and officials. Types, places and modalities include those below them; `source` is a named graph,
    or the document that claims are stated in. The time of an event must overlap the days; undated events do
    not.
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
    """An event or a coding record, as lists and exports show it."""

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
    """Return one page of the events or records that a filter selects, newest first, undated ones last.

    The order is that of `filtered_all`. Of more than COUNTED, only the first COUNTED can be reached.
    """
    among = frozenset(_times_within(store, wanted)) if _dated(wanted) else None
    found = newest(
        store,
        _where(store, of, wanted),
        page,
        timed=_time(wanted),
        inner=lambda: _where(store, of, wanted, bound=True),
        among=among,
    ).found
    return replaced(found, lines_of(store, found.items))


@dataclass(frozen=True)
class ListPage:
    """A page of a filtered list, with the names of what is filtered by and the choices of the form."""

    found: Listing[Line]
    names: dict[str, Name]
    modalities: list[Name]
    graphs: list[Name]


def list_page(store: Store, of: Of, wanted: EventFilter | None, page: int) -> ListPage:
    """Gather what the page of a filtered list shows; without a filter, only the choices of the form."""
    found: Listing[Line] = filtered(store, of, wanted, page) if wanted else Listing()
    given = (*wanted.types, *wanted.actors, wanted.place, wanted.modality, wanted.source) if wanted else ()
    names = name_all(store, filter(None, given))
    return ListPage(found, names, modalities_of(store), source_graphs(store))


def filtered_all(store: Store, of: Of, wanted: EventFilter) -> Iterator[Line]:
    """Yield everything that a filter selects, in the order of the pages, however much it is."""
    items = every(store, _where(store, of, wanted), _time(wanted))
    for start in range(0, len(items), _BATCH):
        yield from store.run(lines_of, items[start : start + _BATCH])


def _dated(wanted: EventFilter) -> bool:
    return bool(wanted.begin or wanted.end)


def _time(wanted: EventFilter) -> str:
    """Write the pattern for the time; a filter by days binds it already."""
    return "" if _dated(wanted) else "OPTIONAL { ?item dg:time ?t }"


def lines_of(store: Store, iris: Sequence[str]) -> list[Line]:
    """Describe events or coding records in the given order."""
    if not iris:
        return []
    block = f"VALUES ?item {{ {values(iris)} }}"
    properties = ", ".join(f"dg:{local}" for local in _COLUMNS)
    rows = select(
        store,
        f"""SELECT DISTINCT ?item ?p ?o WHERE {{ {block} GRAPH ?g {{ ?item ?p ?o }}
        FILTER(?g != {GRAPH_ENTAILMENTS} && ?p IN ({properties})) }}""",
    )
    said = select(
        store, f"SELECT DISTINCT ?item ?m WHERE {{ {block} ?claim dg:about ?item ; dg:modality ?m }}"
    )
    graphs = select(
        store,
        f"""SELECT DISTINCT ?item ?g WHERE {{ {block} GRAPH ?g {{ ?item a ?c }}
        FILTER(?g != {GRAPH_ENTAILMENTS}) }}""",
    )
    names = name_all(store, [*iris, *iris_in(rows, "o"), *iris_in(said, "m"), *iris_in(graphs, "g")])
    cells: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: plain(row["o"])):
        cells[plain(row["item"]), _COLUMNS[plain(row["p"]).removeprefix(ONTOLOGY)]].append(plain(row["o"]))
    for row in sorted(said, key=lambda row: plain(row["m"])):
        cells[plain(row["item"]), "modalities"].append(plain(row["m"]))
    for row in sorted(graphs, key=lambda row: plain(row["g"])):
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


@per_version
def modalities_of(store: Store) -> list[Name]:
    """Name the modalities that claims have."""
    found = iris_in(select(store, "SELECT DISTINCT ?m WHERE { ?claim dg:modality ?m } ORDER BY ?m"), "m")
    names = name_all(store, found)
    return [names[iri] for iri in found]


def _where(store: Store, of: Of, wanted: EventFilter, *, bound: bool = False) -> str:
    """Write the pattern that binds ?item; with `bound`, one that tests an ?item and its time ?t.

    The engine joins two VALUES blocks with a pattern by reading everything; paths and filters avoid that.
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
        within = values(_times_within(store, wanted))
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

    The LIMIT, which is never reached, makes engines find them first: Virtuoso loses rows in a joined path.
    """
    return f"{{ SELECT {variable} WHERE {{ {variable} skos:broader* {iri_text(concept)} }} LIMIT {COUNTED} }}"


def _acting_for(store: Store, actor: str) -> list[str]:
    rows = select(
        store, f"SELECT DISTINCT ?who WHERE {{ ?who dg:country {iri_text(actor)} }} LIMIT {_ACT_FOR}"
    )
    return [actor, *iris_in(rows, "who")]


def _times_within(store: Store, wanted: EventFilter) -> list[str]:
    low = wanted.begin.isoformat() if wanted.begin else ""
    high = wanted.end.isoformat() if wanted.end else "~"
    return [
        time
        for time, (first, last) in all_bounds(store).items()
        if (last or first) >= low and (first or last) <= high
    ]
