"""Events in time order: those a thing takes part in, is the place of, or belongs to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from kg.describe.listing import count, iris_in, listed, select
from kg.describe.page_model import COUNTED, Between, EventLine, Figure, Leg, Listing
from kg.describe.time_words import times_of
from kg.search import Name, iri_text, name_all, row_text, values
from kg.store import Row, Store
from kg.terms import GRAPH_ENTAILMENTS, ONTOLOGY

# Newest first; what bears no date comes last. The end stands in where the beginning is open.
_ORDER = """OPTIONAL { ?item dg:time ?t OPTIONAL { ?t dg:begin ?b } OPTIONAL { ?t dg:end ?e } }
    BIND(COALESCE(?b, ?e) AS ?day) OPTIONAL { ?item rdfs:label ?name } BIND(STR(?name) AS ?label)"""
_KEY = "DESC(MAX(?day)) MIN(?label)"
_ROLES = ("participant", "place", "target")
# How an event concerns a thing that neither takes part nor is a place.
_OTHER = ("partOfPolicy", "means")


def events_of(store: Store, iri: str, page: int, where: str) -> Listing[EventLine]:
    """List the events that concern a thing, by the pattern that `events_where` wrote for it.

    As party or place, as policy or type; for a country also those that concern what belongs to it.
    """
    return _lines(store, where, page, iri)


def events_where(store: Store, iri: str) -> str:
    """Write the pattern that binds the events which concern a thing to ?item."""
    node = iri_text(iri)
    roles = values(_role_properties(store))
    other = values(ONTOLOGY + local for local in _OTHER)
    return f"""{{ VALUES ?role {{ {roles} {other} }} ?item ?role {node} }}
        UNION {{ ?belongs dg:country {node} . VALUES ?role {{ {roles} }} ?item ?role ?belongs }}
        UNION {{ {_of_type(store, node)} }}
        {_is_event(store)}"""


def _of_type(store: Store, node: str) -> str:
    """Write the pattern for the events of a type.

    A type that very many coding records bear is looked for among the events, which are far fewer.
    """
    bearers = count(store, f"SELECT ?item WHERE {{ ?item dg:eventType {node} }} LIMIT {COUNTED + 1}")
    if bearers <= COUNTED:
        return f"?type skos:broader* {node} . ?item dg:eventType ?type"
    return f"{_is_event(store)} FILTER EXISTS {{ ?item dg:eventType/skos:broader* {node} }}"


def parts_of(store: Store, iri: str) -> list[EventLine]:
    """List the events of which this one is the whole, at most one page of them."""
    found = listed(store, f"?item dg:subEventOf {iri_text(iri)}", 1, order=_ORDER, key=_KEY)
    return describe_events(store, found.items, None)


def events_in(store: Store, graph: str, page: int) -> Listing[EventLine]:
    """List the events that a named graph tells of."""
    where = f"GRAPH {iri_text(graph)} {{ ?item a ?class }} {_is_event(store)}"
    return _lines(store, where, page, None)


def all_events(store: Store, page: int) -> Listing[EventLine]:
    """List all the events there are."""
    return _lines(store, _is_event(store), page, None)


def event_classes(store: Store) -> list[str]:
    """Name dg:Event and every class under it."""
    text = "SELECT DISTINCT ?c WHERE { ?c rdfs:subClassOf* dg:Event } ORDER BY ?c"
    return [row_text(row, "c") or "" for row in select(store, text)]


def describe_events(store: Store, iris: Sequence[str], of: str | None) -> list[EventLine]:
    """Describe events in the given order, as they concern the thing `of`."""
    if not iris:
        return []
    block = f"VALUES ?event {{ {values(iris)} }}"
    details = select(
        store,
        f"""SELECT DISTINCT ?event ?p ?o WHERE {{ {block}
          ?event ?p ?o FILTER(?p IN (dg:eventType, dg:time)) }} ORDER BY ?event ?o""",
    )
    roles = _roles(store, block, of)
    between = interactions_of(store, iris)
    names = name_all(store, [*iris, *iris_in(details, "o"), *iris_in(roles, "role", "via")])
    times = times_of(store, iris_in((r for r in details if _is(r, "time")), "o"))
    lines = []
    for iri in iris:
        mine = [row for row in details if row_text(row, "event") == iri]
        led = [row for row in roles if row_text(row, "event") == iri]
        lines.append(
            EventLine(
                name=names[iri],
                types=_unique(names, (row_text(r, "o") for r in mine if _is(r, "eventType"))),
                when=next(
                    (times[t] for r in mine if _is(r, "time") and (t := row_text(r, "o")) in times), None
                ),
                roles=_unique(names, (row_text(r, "role") for r in led)),
                via=_unique(names, (row_text(r, "via") for r in led)),
                between=tuple(between.get(iri, ())),
            )
        )
    return lines


def route_of(store: Store, iri: str) -> list[Leg]:
    """Give the way of an event and of its parts, from origin to destination, with how surely it is said."""
    rows = select(
        store,
        f"""SELECT DISTINCT ?role ?place ?event ?modality WHERE {{
          ?event dg:subEventOf* {iri_text(iri)} .
          VALUES (?role ?n) {{ (dg:origin 1) (dg:transit 2) (dg:destination 3) }} ?event ?role ?place .
          OPTIONAL {{ ?claim dg:about ?event ; dg:aspect ?role ; dg:modality ?modality }}
        }} ORDER BY ?n ?place ?event LIMIT 50""",
    )
    names = name_all(store, iris_in(rows, "role", "place", "event", "modality"))
    return [
        Leg(
            role=names[row_text(row, "role") or ""],
            place=names[row_text(row, "place") or ""],
            event=names[row_text(row, "event") or ""],
            modality=names.get(row_text(row, "modality") or ""),
        )
        for row in rows
    ]


def interactions_of(store: Store, events: Iterable[str]) -> dict[str, list[Between]]:
    """Tell for each event how it bears on the relation of which parties."""
    rows = select(
        store,
        f"""SELECT DISTINCT ?event ?i ?party ?character WHERE {{ VALUES ?event {{ {values(events)} }}
          ?event dg:hasInteraction|^dg:interactionOf ?i .
          OPTIONAL {{ ?i dg:party ?party }} OPTIONAL {{ ?i dg:character ?character }}
        }} ORDER BY ?i ?party""",
    )
    names = name_all(store, iris_in(rows, "i", "party", "character"))
    grouped: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        grouped[row_text(row, "event") or "", row_text(row, "i") or ""].append(row)
    found: dict[str, list[Between]] = defaultdict(list)
    for (event, interaction), group in grouped.items():
        characters = _unique(names, (row_text(row, "character") for row in group))
        parties = _unique(names, (row_text(row, "party") for row in group))
        found[event].append(Between(names[interaction], parties, next(iter(characters), None)))
    return found


def figures_of(store: Store, iri: str) -> list[Figure]:
    """List the quantities of a thing, and the quantity itself when the thing is one; one page at most."""
    node = iri_text(iri)
    where = f"""{{ ?item dg:quantityOf {node} }} UNION {{ {node} dg:duration ?item }}
        UNION {{ ?item a dg:Quantity FILTER(?item = {node}) }}"""
    items = listed(store, where, 1).items
    if not items:
        return []
    rows = select(
        store,
        f"""SELECT DISTINCT ?q ?value ?comparator ?unit ?asof ?deadline ?of WHERE {{
          VALUES ?q {{ {values(items)} }}
          OPTIONAL {{ ?q dg:value ?value }} OPTIONAL {{ ?q dg:comparator ?comparator }}
          OPTIONAL {{ ?q dg:unit ?unit }} OPTIONAL {{ ?q dg:asOf ?asof }}
          OPTIONAL {{ ?q dg:deadline ?deadline }} OPTIONAL {{ ?q dg:quantityOf ?of }} }} ORDER BY ?q""",
    )
    names = name_all(store, iris_in(rows, "q", "comparator", "unit", "of"))
    times = times_of(store, iris_in(rows, "asof", "deadline"))
    figures: dict[str, Figure] = {}
    for row in rows:
        quantity = row_text(row, "q") or ""
        comparator, unit = (names.get(row_text(row, c) or "") for c in ("comparator", "unit"))
        figures.setdefault(
            quantity,
            Figure(
                name=names[quantity],
                value=row_text(row, "value"),
                comparator=comparator.label if comparator else None,
                unit=unit.label if unit else None,
                as_of=times.get(row_text(row, "asof") or ""),
                deadline=times.get(row_text(row, "deadline") or ""),
                of=names.get(row_text(row, "of") or ""),
            ),
        )
    return list(figures.values())


def _lines(store: Store, where: str, page: int, of: str | None) -> Listing[EventLine]:
    found = listed(store, where, page, order=_ORDER, key=_KEY)
    return Listing(describe_events(store, found.items, of), found.total, found.start, found.more, found.query)


def _roles(store: Store, block: str, of: str | None) -> list[Row]:
    if of is None:
        return []
    node = iri_text(of)
    roles = ", ".join(
        iri_text(p) for p in (*_role_properties(store), *(ONTOLOGY + local for local in _OTHER))
    )
    return select(
        store,
        f"""SELECT DISTINCT ?event ?role ?via WHERE {{ {block} GRAPH ?g {{ ?event ?role ?who }}
          FILTER(?role IN ({roles})) FILTER(?g != {GRAPH_ENTAILMENTS})
          OPTIONAL {{ ?who dg:country {node} BIND(?who AS ?via) FILTER(?who != {node}) }}
          FILTER(?who = {node} || BOUND(?via)) }} ORDER BY ?via ?role""",
    )


def _role_properties(store: Store) -> list[str]:
    # One pattern each: not every engine follows a path from a variable to a variable.
    below = " UNION ".join(f"{{ ?p rdfs:subPropertyOf* {iri_text(ONTOLOGY + local)} }}" for local in _ROLES)
    text = f"SELECT DISTINCT ?p WHERE {{ {below} }} ORDER BY ?p"
    found = [row_text(row, "p") or "" for row in select(store, text)]
    return found or [ONTOLOGY + local for local in _ROLES]


def _is_event(store: Store) -> str:
    return f"VALUES ?class {{ {values(event_classes(store))} }} ?item a ?class ."


def _is(row: Row, local: str) -> bool:
    return row_text(row, "p") == ONTOLOGY + local


def _unique(names: dict[str, Name], iris: Iterable[str | None]) -> tuple[Name, ...]:
    return tuple(names[iri] for iri in dict.fromkeys(iris) if iri in names)
