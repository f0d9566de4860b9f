"""Two actors: the events between them, whether they cooperated, and the claims about the events."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from kg.describe.entity.claims import describe_claims
from kg.describe.listing import iris_in, replaced, select, standalone
from kg.describe.lists.coding_records import records_between
from kg.describe.lists.event_lists import describe_events
from kg.describe.lists.state_relations import StateRelation, relations_between
from kg.describe.newest_first import Newest, newest
from kg.describe.page_model import COUNTED, PAGE, EventLine, Listing, RecordLine, Statement
from kg.search import Name, iri_text, name_all, plain, row_text, values
from kg.store import Store
from kg.terms import ID, ONTOLOGY, PARTICIPANT_ROLES

_CHARACTERS: Final = ("conflictual", "cooperative", "neutral")
_BALANCED: Final = 2_000
LEVELS: Final = ("", "agency", "government", "person", "person in office", "head of an executive")


@dataclass(frozen=True)
class Filters:
    """The filter of a dyad: an event type and a modality (IRIs), first and last day."""

    kind: str = ""
    modality: str = ""
    since: str = ""
    until: str = ""


@dataclass(frozen=True)
class Passage:
    """An event between two actors and its character between them."""

    event: EventLine
    character: str


@dataclass(frozen=True)
class Balance:
    """How many events of a month were cooperative and conflictual."""

    month: str
    cooperative: int
    conflictual: int


@dataclass(frozen=True)
class Dyad:
    """The events and records between two actors.

    `level` is the highest rank of those who took part (one of LEVELS), with the person or body and the event.
    `balance` is None if there are too many events. The queries return the claims and the balance.
    """

    first: Name
    second: Name
    passages: Listing[Passage]
    statements: tuple[Statement, ...]
    records: Listing[RecordLine]
    last: EventLine | None
    level: tuple[str, Name, Name] | None
    relations: tuple[StateRelation, ...]
    balance: tuple[Balance, ...] | None
    kinds: tuple[Name, ...]
    modalities: tuple[Name, ...]
    claims_query: str
    balance_query: str


def dyad_of(store: Store, first: str, second: str, *, page: int = 1, filters: Filters | None = None) -> Dyad:
    """Describe the events and records between two actors; a country includes its agents."""
    chosen = filters or Filters()
    anything = _between(first, second)
    where = anything + _narrowed(chosen)
    ordered = newest(store, where, page)
    unfiltered = ordered if chosen == Filters() else newest(store, anything, 1)
    found = ordered.found
    characters = _characters(store, first, second, found.items)
    lines = describe_events(store, found.items, None)
    passages = [Passage(line, characters.get(line.name.iri, "not coded")) for line in lines]
    latest = list(unfiltered.found.items[:1]) if unfiltered.found.start == 0 else _latest(store, anything)
    last = next((line for line in describe_events(store, latest, None) if _is_dated(line)), None)
    claims_query = _claims_query(found.items, chosen.modality)
    claims = iris_in(select(store, claims_query), "claim") if found.items else []
    every = _within(unfiltered, anything)
    kinds, modalities = _choices(store, every)
    names = name_all(store, [first, second])
    return Dyad(
        first=names[first],
        second=names[second],
        passages=replaced(found, passages),
        statements=tuple(describe_claims(store, claims)),
        records=records_between(store, first, second, page),
        last=last,
        level=_level(store, first, second, every),
        relations=tuple(relations_between(store, first, second)),
        balance=None if found.more else tuple(_balance(store, first, second, ordered, where)),
        kinds=kinds,
        modalities=modalities,
        claims_query=standalone(claims_query),
        balance_query=standalone(_balance_query(first, second, where)),
    )


def _latest(store: Store, where: str) -> list[str]:
    return list(newest(store, where, 1).found.items)[:1]


def _is_dated(line: EventLine) -> bool:
    return bool(line.when and (line.when.begin or line.when.end))


def _within(ordered: Newest, where: str) -> str:
    """Write the pattern for the events that were found; their IRIs if they are few."""
    few = ordered.days and len(ordered.days) <= PAGE * 4
    return f"VALUES ?item {{ {values(ordered.days)} }}" if ordered.days and few else where


def _between(first: str, second: str) -> str:
    return (
        f"""{{ {_concerning(first, "one")} }} {{ {_concerning(second, "other")} }} FILTER(?one != ?other)"""
    )


def _concerning(actor: str, name: str) -> str:
    node = iri_text(actor)
    roles = values(ONTOLOGY + local for local in PARTICIPANT_ROLES)
    return f"""{{ VALUES ?as_{name} {{ {roles} }} ?item ?as_{name} {node} BIND({node} AS ?{name}) }}
        UNION {{ ?{name} dg:country {node} . VALUES ?as_{name} {{ {roles} }} ?item ?as_{name} ?{name} }}
        UNION {{ ?at_{name} dg:party {node} . ?item dg:hasInteraction|^dg:interactionOf ?at_{name}
          BIND({node} AS ?{name}) }}
        UNION {{ ?{name} dg:country {node} . ?at_{name} dg:party ?{name} .
          ?item dg:hasInteraction|^dg:interactionOf ?at_{name} }}"""


def _narrowed(filters: Filters) -> str:
    parts = ""
    if filters.kind:
        parts += f" ?item dg:eventType/skos:broader* {iri_text(filters.kind)} ."
    if filters.modality:
        parts += f" ?saying dg:about ?item ; dg:modality/skos:broader* {iri_text(filters.modality)} ."
    if filters.since or filters.until:
        parts += " ?item dg:time ?over . ?over dg:begin ?from OPTIONAL { ?over dg:end ?to }"
        if filters.since:
            parts += f' FILTER(STR(COALESCE(?to, ?from)) >= "{filters.since}")'
        if filters.until:
            parts += f' FILTER(STR(?from) <= "{filters.until}")'
    return parts


def _claims_query(events: Iterable[str], modality: str) -> str:
    only = f"?claim dg:modality/skos:broader* {iri_text(modality)} ." if modality else ""
    return f"""SELECT ?claim (MIN(?s) AS ?start) WHERE {{ VALUES ?event {{ {values(events)} }}
          {{ ?claim dg:about ?event }}
          UNION {{ ?part dg:quantityOf|dg:interactionOf|^dg:hasInteraction ?event . ?claim dg:about ?part }}
          {only} OPTIONAL {{ ?claim dg:span/oa:start ?s }}
        }} GROUP BY ?claim ORDER BY ?start ?claim LIMIT {PAGE}"""


def _characters(store: Store, first: str, second: str, events: Iterable[str]) -> dict[str, str]:
    """Return the character of each event between the two: of its interaction, else of its type."""
    wanted = list(events)
    if not wanted:
        return {}
    one, other = iri_text(first), iri_text(second)
    said = select(
        store,
        f"""SELECT DISTINCT ?event ?c WHERE {{ VALUES ?event {{ {values(wanted)} }}
          ?event dg:hasInteraction|^dg:interactionOf ?i . ?i dg:character ?c ; dg:party ?a, ?b .
          FILTER((?a = {one} || EXISTS {{ ?a dg:country {one} }})
            && (?b = {other} || EXISTS {{ ?b dg:country {other} }})) }}""",
    )
    found: dict[str, set[str]] = defaultdict(set)
    for row in said:
        found[plain(row["event"])].add(plain(row["c"]).removeprefix(ID + "character/"))
    coded = select(
        store,
        f"""SELECT DISTINCT ?event ?q WHERE {{ VALUES ?event {{ {values(wanted)} }}
          ?event dg:eventType ?type . ?type dg:quadClass ?q }}""",
    )
    classes: dict[str, set[str]] = defaultdict(set)
    for row in coded:
        quad = plain(row["q"]).rpartition("-")[2]
        classes[plain(row["event"])].add(
            {"conflict": "conflictual", "cooperation": "cooperative"}.get(quad, "")
        )
    return {
        event: next((c for c in _CHARACTERS if c in (found[event] or classes[event])), "not coded")
        for event in wanted
    }


def _balance(store: Store, first: str, second: str, ordered: Newest, where: str) -> list[Balance]:
    if ordered.days is not None:
        months = {item: day[:7] for item, day in ordered.days.items()}
    else:
        rows = select(
            store,
            f"""SELECT ?item (MIN(SUBSTR(STR(?day), 1, 7)) AS ?month) WHERE {{
            {{ SELECT DISTINCT ?item WHERE {{ {where} }} LIMIT {COUNTED} }}
            ?item dg:time ?when . ?when dg:begin|dg:end ?day }} GROUP BY ?item""",
        )
        months = {plain(row["item"]): row_text(row, "month") or "" for row in rows}
    dated = [item for item, month in months.items() if re.fullmatch(r"[0-9]{4}-(0[1-9]|1[0-2])", month)]
    counts: dict[str, Balance] = {}
    for start in range(0, len(dated), _BALANCED):
        for item, character in _characters(store, first, second, dated[start : start + _BALANCED]).items():
            month = months[item]
            held = counts.get(month, Balance(month, 0, 0))
            if character == "cooperative":
                held = replace(held, cooperative=held.cooperative + 1)
            elif character == "conflictual":
                held = replace(held, conflictual=held.conflictual + 1)
            counts[month] = held
    return [counts[month] for month in sorted(counts)]


def _balance_query(first: str, second: str, where: str) -> str:
    """Write one query for the counts of `_balance`."""
    one, other = iri_text(first), iri_text(second)
    return f"""SELECT ?month (SUM(?cooperates) AS ?cooperative) (SUM(?conflicts) AS ?conflictual) WHERE {{
        {{ SELECT ?item (MIN(SUBSTR(STR(?day), 1, 7)) AS ?month) (MIN(?c) AS ?said) (MIN(?k) AS ?coded)
        WHERE {{
          {{ SELECT DISTINCT ?item WHERE {{ {where} }} LIMIT {COUNTED} }}
          ?item dg:time ?when . ?when dg:begin|dg:end ?day .
          OPTIONAL {{ ?item dg:hasInteraction|^dg:interactionOf ?i . ?i dg:character ?as ; dg:party ?a, ?b .
            FILTER((?a = {one} || EXISTS {{ ?a dg:country {one} }})
              && (?b = {other} || EXISTS {{ ?b dg:country {other} }}))
            BIND(STRAFTER(STR(?as), "/character/") AS ?c) }}
          OPTIONAL {{ ?item dg:eventType ?type . ?type dg:quadClass ?q
            BIND(IF(STRENDS(STR(?q), "-conflict"), "conflictual", "cooperative") AS ?k)
            FILTER(STRENDS(STR(?q), "-conflict") || STRENDS(STR(?q), "-cooperation")) }}
        }} GROUP BY ?item }}
        FILTER(REGEX(?month, "^[0-9]{{4}}-(0[1-9]|1[0-2])$"))
        BIND(COALESCE(?said, ?coded, "") AS ?character)
        BIND(IF(?character = "cooperative", 1, 0) AS ?cooperates)
        BIND(IF(?character = "conflictual", 1, 0) AS ?conflicts)
        }} GROUP BY ?month ORDER BY ?month"""


def _level(store: Store, first: str, second: str, where: str) -> tuple[str, Name, Name] | None:
    """Find the participant of the highest rank on either side."""
    roles = ", ".join("dg:" + local for local in PARTICIPANT_ROLES)
    ends = (iri_text(first), iri_text(second))
    mine = " || ".join(f"?who = {end} || EXISTS {{ ?who dg:country {end} }}" for end in ends)
    rows = select(
        store,
        f"""SELECT DISTINCT ?who ?item ?rank WHERE {{
          {{ SELECT DISTINCT ?who ?item WHERE {{
            {{ SELECT DISTINCT ?item WHERE {{ {where} }} LIMIT {PAGE * 4} }}
            ?item ?role ?who FILTER(?role IN ({roles})) FILTER({mine}) }} }}
          OPTIONAL {{ ?body dg:headedBy ?who }} OPTIONAL {{ ?m org:member ?who ; dg:post ?post }}
          OPTIONAL {{ ?who org:holds ?held }} OPTIONAL {{ ?who a ?kind }}
          BIND(IF(BOUND(?body), 5, IF(BOUND(?m) || BOUND(?held), 4, IF(?kind = dg:Person, 3,
            IF(?kind = dg:Government || ?kind = dg:Administration, 2,
            IF(?kind = dg:Agency, 1, 0))))) AS ?rank)
          FILTER(?rank > 0)
        }} ORDER BY DESC(?rank) ?who ?item LIMIT 1""",
    )
    if not rows:
        return None
    who, event = plain(rows[0]["who"]), plain(rows[0]["item"])
    names = name_all(store, [who, event])
    return LEVELS[int(plain(rows[0]["rank"]))], names[who], names[event]


def _choices(store: Store, where: str) -> tuple[tuple[Name, ...], tuple[Name, ...]]:
    rows = select(
        store,
        f"""SELECT DISTINCT ?kind ?modality WHERE {{
          {{ SELECT DISTINCT ?item WHERE {{ {where} }} LIMIT {COUNTED} }}
          {{ ?item dg:eventType ?kind }} UNION {{ ?claim dg:about ?item ; dg:modality ?modality }} }}""",
    )
    names = name_all(store, iris_in(rows, "kind", "modality"))

    def sort(column: str) -> tuple[Name, ...]:
        return tuple(sorted((names[iri] for iri in set(iris_in(rows, column))), key=lambda name: name.label))

    return sort("kind"), sort("modality")
