"""Events: those that concern a thing, with their parties, routes and figures."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence

from kg.describe.listing import count, iris_in, listed, replaced, route_pattern, select
from kg.describe.newest_first import newest
from kg.describe.page_model import COUNTED, Between, EventLine, Figure, Leg, Listing, Participation
from kg.describe.time_words import times_of
from kg.search import Name, inferiors, iri_text, name_all, plain, row_text, values
from kg.store import Row, Store
from kg.terms import GRAPH_ENTAILMENTS, ONTOLOGY, PREFIXES

_ROLES = ("participant", "place", "target")
# Properties from events to things that are neither parties nor places.
_OTHER = ("partOfPolicy", "means", "post")


def events_where(store: Store, iri: str, incoming: Collection[str] | None = None) -> str:
    """Write the pattern that binds to ?item the events which concern a thing; empty if there can be none.

    Events concern it as party or place, as policy or type; a country, also through its agents and places.
    `incoming` are the properties that point to the thing; None if that is not known.
    """
    node = iri_text(iri)
    roles, other = role_properties(store), [ONTOLOGY + local for local in _OTHER]

    def some(*properties: str) -> bool:
        return incoming is None or not set(properties).isdisjoint(incoming)

    parts = []
    if some(*roles, *other):
        parts.append(f"{{ VALUES ?role {{ {values([*roles, *other])} }} ?item ?role {node} }}")
    if some(ONTOLOGY + "country"):
        parts.append(
            f"{{ ?belongs dg:country {node} . VALUES ?role {{ {values(roles)} }} ?item ?role ?belongs }}"
        )
    if some(ONTOLOGY + "eventType", PREFIXES["skos"] + "broader"):
        parts.append(f"{{ {_of_type(store, node)} }}")
    return f"{' UNION '.join(parts)}\n{_is_event(store)}" if parts else ""


def _of_type(store: Store, node: str) -> str:
    """Write the pattern for the events of a type.

    A type of very many coding records is looked for among the events, which are far fewer.
    """
    bearers = count(store, f"SELECT ?item WHERE {{ ?item dg:eventType {node} }} LIMIT {COUNTED + 1}")
    if bearers <= COUNTED:
        # Limited, or Virtuoso finds nothing when it joins this with a list of classes.
        under = f"{{ SELECT ?type WHERE {{ ?type skos:broader* {node} }} LIMIT {COUNTED} }}"
        return f"{under} ?item dg:eventType ?type"
    return f"{_is_event(store)} FILTER EXISTS {{ ?item dg:eventType/skos:broader* {node} }}"


def events_in(store: Store, graph: str, page: int) -> Listing[EventLine]:
    """List the events in a named graph."""
    where = f"GRAPH {iri_text(graph)} {{ ?item a ?class }} {_is_event(store)}"
    return replaced(found := newest(store, where, page).found, describe_events(store, found.items, None))


def all_events(store: Store, page: int) -> Listing[EventLine]:
    """List all events."""
    found = newest(store, _is_event(store), page).found
    return replaced(found, describe_events(store, found.items, None))


def event_classes(store: Store) -> list[str]:
    """List dg:Event and every class under it."""
    return inferiors(store, ONTOLOGY + "Event")


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
    """Return the route of an event and its parts, from origin to destination, with the status of stops."""
    rows = select(
        store,
        f"""SELECT DISTINCT ?role ?place ?event ?modality ?whole WHERE {{
          {route_pattern(iri_text(iri))}
          OPTIONAL {{ ?event dg:subEventOf ?whole }}
          OPTIONAL {{ ?fact dg:subject ?event ; dg:predicate ?role ; dg:object ?place .
            ?claim dg:states ?fact ; dg:modality ?modality }}
        }} ORDER BY ?n ?place ?event LIMIT 200""",
    )
    wholes: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        wholes[plain(row["event"])].add(row_text(row, "whole") or "")
    names = name_all(store, iris_in(rows, "role", "place", "event", "modality"))
    stops: dict[tuple[str, str], dict[str | None, dict[str, None]]] = {}
    for row in rows:
        told = stops.setdefault((plain(row["role"]), plain(row["place"])), {})
        told.setdefault(row_text(row, "modality"), {})[plain(row["event"])] = None
    legs = []
    for (role, place), told in stops.items():
        own_first = sorted(told.items(), key=lambda item: iri not in item[1])
        statuses = (
            (
                names.get(modality or ""),
                tuple(names[e] for e in events if iri not in events and wholes[e].isdisjoint(events)),
            )
            for modality, events in own_first
        )
        legs.append(Leg(names[role], names[place], tuple(statuses)))
    return legs


def participations_of(store: Store, iri: str) -> list[Participation]:
    """List how agents take part in an event, where more is known than their role."""
    rows = select(
        store,
        f"""SELECT DISTINCT ?part ?agent ?role ?principal ?level WHERE {{
          {iri_text(iri)} dg:hasParticipation ?part . ?part dg:participatingAgent ?agent .
          OPTIONAL {{ ?part dg:role ?role }} OPTIONAL {{ ?part dg:onBehalfOf ?principal }}
          OPTIONAL {{ ?part dg:level ?level }} }} ORDER BY ?part ?principal LIMIT 200""",
    )
    names = name_all(store, iris_in(rows, "part", "agent", "role", "principal", "level"))
    grouped: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        grouped[plain(row["part"])].append(row)
    return [
        Participation(
            name=names[part],
            agent=names[plain(group[0]["agent"])],
            role=names.get(row_text(group[0], "role") or ""),
            on_behalf_of=_unique(names, (row_text(row, "principal") for row in group)),
            level=names.get(row_text(group[0], "level") or ""),
        )
        for part, group in grouped.items()
    ]


def interactions_of(store: Store, events: Iterable[str]) -> dict[str, list[Between]]:
    """Return the effects of events on the relations of their parties."""
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
    """List the quantities of a thing, and the thing itself if it is a quantity; at most one page."""
    node = iri_text(iri)
    where = f"""{{ ?item dg:quantityOf {node} }} UNION {{ {node} dg:duration ?item }}
        UNION {{ ?item a dg:Quantity FILTER(?item = {node}) }}"""
    return describe_figures(store, listed(store, where, 1).items)


def describe_figures(store: Store, items: Sequence[str]) -> list[Figure]:
    """Describe quantities in the given order."""
    if not items:
        return []
    rows = select(
        store,
        f"""SELECT DISTINCT ?q ?value ?comparator ?unit ?plural ?effect ?trend ?asof ?deadline ?of WHERE {{
          VALUES ?q {{ {values(items)} }}
          OPTIONAL {{ ?q dg:value ?value }} OPTIONAL {{ ?q dg:comparator ?comparator }}
          OPTIONAL {{ ?q dg:unit ?unit
            OPTIONAL {{ ?unit dg:pluralLabel ?plural FILTER(LANG(?plural) = "en") }} }}
          OPTIONAL {{ ?q dg:effect ?effect }} OPTIONAL {{ ?q dg:trend ?trend }}
          OPTIONAL {{ ?q dg:asOf ?asof }}
          OPTIONAL {{ ?q dg:deadline ?deadline }} OPTIONAL {{ ?q dg:quantityOf ?of }} }} ORDER BY ?q""",
    )
    names = name_all(store, iris_in(rows, "q", "comparator", "unit", "effect", "trend", "of"))
    times = times_of(store, iris_in(rows, "asof", "deadline"))
    figures: dict[str, Figure] = {}
    for row in rows:
        quantity = row_text(row, "q") or ""
        unit = names.get(row_text(row, "unit") or "")
        one = row_text(row, "value") == "1" or not unit or unit.language != "en"
        figures.setdefault(
            quantity,
            Figure(
                name=names[quantity],
                value=row_text(row, "value"),
                comparator=names.get(row_text(row, "comparator") or ""),
                unit=(None if one else row_text(row, "plural")) or (unit.label if unit else None),
                effect=names.get(row_text(row, "effect") or ""),
                trend=names.get(row_text(row, "trend") or ""),
                as_of=times.get(row_text(row, "asof") or ""),
                deadline=times.get(row_text(row, "deadline") or ""),
                of=names.get(row_text(row, "of") or ""),
            ),
        )
    return [figures[item] for item in items]


def _roles(store: Store, block: str, of: str | None) -> list[Row]:
    if of is None:
        return []
    node = iri_text(of)
    roles = ", ".join(iri_text(p) for p in role_properties(store))
    return select(
        store,
        f"""SELECT DISTINCT ?event ?role ?via WHERE {{ {block} GRAPH ?g {{ ?event ?role ?who }}
          FILTER(?role IN ({roles})) FILTER(?g != {GRAPH_ENTAILMENTS})
          OPTIONAL {{ ?who dg:country {node} BIND(?who AS ?via) FILTER(?who != {node}) }}
          FILTER(?who = {node} || BOUND(?via)) }} ORDER BY ?via ?role""",
    )


def role_properties(store: Store) -> list[str]:
    """List the properties by which an event concerns its parties and places."""
    found = {p for local in _ROLES for p in inferiors(store, ONTOLOGY + local, "rdfs:subPropertyOf")}
    return sorted(found)


def _is_event(store: Store) -> str:
    return f"VALUES ?class {{ {values(event_classes(store))} }} ?item a ?class ."


def _is(row: Row, local: str) -> bool:
    return row_text(row, "p") == ONTOLOGY + local


def _unique(names: dict[str, Name], iris: Iterable[str | None]) -> tuple[Name, ...]:
    return tuple(names[iri] for iri in dict.fromkeys(iris) if iri in names)
