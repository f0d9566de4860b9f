"""The things that point to a thing, by property."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from kg.describe.display import LABEL, Display
from kg.describe.listing import iris_in, select, standalone, value_of
from kg.describe.page_model import COUNTED, PAGE, Linked, Links
from kg.search import Name, iri_text, name_all, plain, row_text, values
from kg.store import Row, Store
from kg.terms import GRAPH_ENTAILMENTS, term

_STATED: Final = f"FILTER(isIRI(?s) && ?g != {GRAPH_ENTAILMENTS})"
# Links that a page shows in other sections: events, claims, mentions, posts and parts.
_SHOWN_APART: Final = frozenset(
    term(curie).value
    for curie in [
        "dg:about", "dg:attributedTo", "dg:saidBy", "dg:towards", "dg:refersTo", "dg:subject", "dg:predicate",
        "dg:object", "dg:states", "dg:counterpart", "dg:mediator", "dg:host", "dg:guest", "dg:interactionOf",
        "dg:hasInteraction",
        "dg:quantityOf", "dg:ledTo", "dg:resultOf", "org:member", "org:organization",
        "dg:post", "dg:eventType", "dg:partOfPolicy", "dg:duration", "dg:actor", "dg:recipient",
        "dg:affected", "dg:orderedBy", "dg:participant", "dg:place", "dg:origin", "dg:transit",
        "dg:destination", "dg:target", "dg:means", "dg:codedActor", "dg:codedRecipient", "dg:codedEvent",
        "dg:codedPlace", "dg:codedCountry", "dg:statusOf", "dg:codedActorPlace", "dg:codedRecipientPlace",
        "org:holds", "rdfs:isDefinedBy",
    ]
)  # fmt: skip
# Lists up to this length are put in alphabetical order here, in the language of the page.
_FEW: Final = 500


def incoming(
    store: Store, iri: str, known: Collection[str], page: int, display: Display
) -> tuple[list[Links], int]:
    """List the things that point to a thing, by property, one page of each, and the longest list's length.

    `known` are the properties that point to it; nothing is queried if other sections show all of them.
    Lists in groups are not paged, so that the groups are counted in full.
    """
    if _shown_apart(display).issuperset(known):
        return [], 0
    start = (page - 1) * PAGE
    properties = [plain(row["p"]) for row in select(store, incoming_query(iri, display))]
    totals = _totals(store, iri, properties)
    few = [prop for prop in properties if totals[prop] <= _FEW]
    grouped = [prop for prop in few if prop in display.groups]
    longest = min(max((n for prop, n in totals.items() if prop not in grouped), default=0), COUNTED)
    shown = [prop for prop in properties if start < min(totals[prop], COUNTED)]
    few = [prop for prop in few if prop in shown]
    things = _all(store, iri, few) | _pages(store, iri, {p: totals[p] for p in shown if p not in few}, start)
    columns = {prop: display.columns.get(prop, ()) for prop in shown}
    cells = _cells(
        store,
        iri,
        {thing for prop in shown if columns[prop] for thing in things[prop]},
        {column for found in columns.values() for column in found} - {LABEL},
        display,
    )
    names = name_all(
        store,
        [
            *(iri for prop in shown for iri in (prop, *columns[prop], *things[prop])),
            *(found for rows in cells.values() for found in iris_in(rows, "o")),
        ],
    )
    links = []
    for prop in shown:
        linked = [_linked(names, names[thing], cells.get(thing, []), prop, display) for thing in things[prop]]
        if prop in few:
            days = {thing: _day(cells.get(thing, [])) for thing in things[prop]}
            linked.sort(
                key=lambda row: (_rank(row.group, display), days[row.name.iri], row.name.label, row.name.iri)
            )
            linked = linked if prop in grouped else linked[start : start + PAGE]
        links.append(_links(iri, names, prop, linked, totals[prop], display))
    links = [found for found in links if found.things]
    return sorted(links, key=lambda found: display.position(found.property)), longest


def _shown_apart(display: Display) -> frozenset[str]:
    """Return the properties that other sections show; symmetric ones are among the facts of the thing."""
    return _SHOWN_APART | {prop for prop, inverse in display.inverses.items() if prop == inverse}


def _cells(
    store: Store, iri: str, things: Collection[str], columns: Collection[str], display: Display
) -> dict[str, list[Row]]:
    """Read the values of some things in columns, on the page of another: rows of ?p, ?o and a first ?day.

    An inferred value is left out if a stated property has it too.
    """
    if not things:
        return {}
    pairs = [(column, display.inverses[column]) for column in sorted(columns) if column in display.inverses]
    block = f"VALUES ?s {{ {values(sorted(things))} }}"
    rows = select(
        store,
        f"""SELECT DISTINCT ?s ?p ?o ?g ?day WHERE {{
          {{ {block} GRAPH ?g {{ ?s ?p ?o }} FILTER(?p IN ({", ".join(map(iri_text, sorted(columns)))})) }}
          {"".join(_reversed(block, *pair) for pair in pairs)}
          OPTIONAL {{ ?o dg:begin ?day }} FILTER(?o != {iri_text(iri)})
        }} ORDER BY ?s ?p ?o""",
    )
    stated = {(plain(row["s"]), row["o"]) for row in rows if plain(row["g"]) != GRAPH_ENTAILMENTS.value}
    found: dict[str, list[Row]] = {}
    for row in rows:
        thing = plain(row["s"])
        if plain(row["g"]) != GRAPH_ENTAILMENTS.value or (thing, row["o"]) not in stated:
            found.setdefault(thing, []).append(row)
    return found


def _reversed(block: str, column: str, inverse: str) -> str:
    """Write the pattern for the values of a column that are stated as links in the other direction."""
    return f"UNION {{ {block} GRAPH ?g {{ ?o {iri_text(inverse)} ?s }} BIND({iri_text(column)} AS ?p) }}"


def _linked(
    names: Mapping[str, Name], thing: Name, rows: Sequence[Row], prop: str, display: Display
) -> Linked:
    group = display.groups.get(prop)
    cells = (
        tuple(dict.fromkeys(value_of(row, "o", names) for row in rows if plain(row["p"]) == column))
        for column in _value_columns(prop, display)
    )
    chosen = (names[found] for row in rows if plain(row["p"]) == group for found in iris_in([row], "o"))
    return Linked(thing, tuple(cells), next(chosen, None))


def _links(
    iri: str, names: Mapping[str, Name], prop: str, things: Sequence[Linked], total: int, display: Display
) -> Links:
    """Put things under their heading; columns without any value are left out."""
    columns = _value_columns(prop, display)
    used = [n for n in range(len(columns)) if any(thing.cells[n] for thing in things)]
    return Links(
        property=names[prop],
        heading=display.heading(names[prop]),
        things=tuple(
            Linked(thing.name, tuple(thing.cells[n] for n in used), thing.group) for thing in things
        ),
        total=min(total, COUNTED),
        more=total > COUNTED,
        table=prop in display.columns,
        named=LABEL in display.columns.get(prop, (LABEL,)),
        columns=tuple(names[columns[n]] for n in used),
        query=_list_query(iri, prop, display),
    )


def _list_query(iri: str, prop: str, display: Display) -> str:
    """Write the query for a list with its columns; empty for a list without any."""
    columns = [column for column in display.columns.get(prop, ()) if column != LABEL]
    named = [(iri_text(column), "?" + re.split("[/#]", column)[-1]) for column in columns]
    parts = " ".join(f"OPTIONAL {{ ?item {node} {variable} }}" for node, variable in named)
    text = f"""SELECT DISTINCT ?item {" ".join(variable for _, variable in named)} WHERE {{
        ?item {iri_text(prop)} {iri_text(iri)} {parts} }} ORDER BY ?item"""
    return standalone(text) if columns else ""


def _value_columns(prop: str, display: Display) -> list[str]:
    return [p for p in display.columns.get(prop, ()) if p not in (LABEL, display.groups.get(prop))]


def _rank(group: Name | None, display: Display) -> tuple[float, str]:
    return display.position(group) if group else (float("inf"), "")


def _day(rows: Sequence[Row]) -> str:
    """Return the first day of a thing in a list; those without a day come last."""
    return min((row_text(row, "day") or "~" for row in rows), default="~")


def _totals(store: Store, iri: str, properties: Sequence[str]) -> dict[str, int]:
    """Count the things that point to a thing by each property, up to one beyond COUNTED."""
    parts = (
        f"{{ SELECT ({iri_text(prop)} AS ?p) (COUNT(*) AS ?n) WHERE {{ {{ {_pointing(iri, prop)} }} }} }}"
        for prop in properties
    )
    rows = select(store, f"SELECT ?p ?n WHERE {{ {' UNION '.join(parts)} }}") if properties else []
    return dict.fromkeys(properties, 0) | {plain(row["p"]): int(plain(row["n"])) for row in rows}


def _all(store: Store, iri: str, properties: Sequence[str]) -> dict[str, list[str]]:
    """Find all things that point to a thing by some properties."""
    text = f"SELECT DISTINCT ?p ?s WHERE {{ VALUES ?p {{ {values(properties)} }} ?s ?p {iri_text(iri)} }}"
    found: dict[str, list[str]] = {prop: [] for prop in properties}
    for row in select(store, text) if properties else ():
        found[plain(row["p"])] += iris_in([row], "s")
    return found


def _pages(store: Store, iri: str, totals: Mapping[str, int], start: int) -> dict[str, list[str]]:
    """Find a page of the things that point to a thing by each property, by name if all are counted."""
    parts = []
    for prop, total in totals.items():
        page = f"LIMIT {PAGE} OFFSET {start}"
        chosen = f"""SELECT ?item (MIN(STR(?l)) AS ?label) WHERE {{ {{ {_pointing(iri, prop)} }}
            OPTIONAL {{ ?item rdfs:label ?l FILTER(LANG(?l) IN ("en", "")) }} }}
            GROUP BY ?item ORDER BY ?label ?item {page}"""
        if total > COUNTED:
            chosen = f"SELECT DISTINCT ?item WHERE {{ ?item {iri_text(prop)} {iri_text(iri)} }} {page}"
        parts.append(f"{{ {{ {chosen} }} BIND({iri_text(prop)} AS ?p) }}")
    rows = select(store, f"SELECT ?p ?item ?label WHERE {{ {' UNION '.join(parts)} }}") if parts else []
    # The parts of a union come in any order.
    rows.sort(key=lambda row: ("label" in row, row_text(row, "label") or "", plain(row["item"])))
    found: dict[str, list[str]] = {prop: [] for prop in totals}
    for row in rows:
        found[plain(row["p"])] += iris_in([row], "item")
    return found


def _pointing(iri: str, prop: str) -> str:
    return (
        f"SELECT DISTINCT ?item WHERE {{ ?item {iri_text(prop)} {iri_text(iri)} FILTER(isIRI(?item)) }}"
        f" LIMIT {COUNTED + 1}"
    )


def incoming_query(iri: str, display: Display) -> str:
    """Write the query for the properties by which something points to a thing, as some graph states."""
    node = iri_text(iri)
    apart = ", ".join(iri_text(prop) for prop in sorted(_shown_apart(display)))
    # Virtuoso does not compile a variable that is in EXISTS and in the other half of the union.
    known = _STATED.replace("?s", "?any")
    return f"""SELECT DISTINCT ?p WHERE {{
        {{ ?p a owl:ObjectProperty FILTER EXISTS {{ GRAPH ?g {{ ?any ?p {node} }} {known} }} }}
        UNION {{ {{ SELECT ?s ?p WHERE {{ GRAPH ?g {{ ?s ?p {node} }} {_STATED} }} LIMIT {COUNTED} }} }}
        FILTER(?p NOT IN ({apart})) }} ORDER BY ?p LIMIT 100"""
