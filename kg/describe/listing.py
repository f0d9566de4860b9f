"""Lists that are paged and counted with bounded work, and other parts that queries share."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, TypeVar

from pyoxigraph import Literal, NamedNode

from kg.describe.page_model import COUNTED, PAGE, TEXT_LIMIT, Listing, Value
from kg.search import PROLOGUE, Name, plain
from kg.store import Row, Store
from kg.terms import PREFIXES

T = TypeVar("T")

ROUTE: Final = ("origin", "transit", "destination")
"""Roles of the places on the route of an event, by local name, in their order."""
_PREFIXED: Final = re.compile(r"(?<![\w:-])([a-z]+):")


def listed(store: Store, where: str, page: int, *, order: str = "", key: str = "?item") -> Listing[str]:
    """List the IRIs that `where` binds to ?item: one page of them, sorted by `key`, and their number.

    `order` binds further variables for `key`. More than COUNTED entries are not sorted, but listed as the
    engine finds them, and only the first COUNTED are counted and can be reached.
    """
    every = f"SELECT DISTINCT ?item WHERE {{ {where} FILTER(isIRI(?item)) }}"
    inner = f"{every} LIMIT {COUNTED + 1}"
    total = count(store, inner)
    start = (page - 1) * PAGE
    more = total > COUNTED
    if more:
        text = f"{every} LIMIT {PAGE} OFFSET {start}"
    else:
        key, keys = _named_keys(key)
        text = f"""SELECT ?item {keys} WHERE {{ {{ {every} }} {order} }}
        GROUP BY ?item ORDER BY {key} ?item LIMIT {PAGE} OFFSET {start}"""
    items = [plain(row["item"]) for row in select(store, text)] if start < min(total, COUNTED) else []
    return Listing(items, min(total, COUNTED), start, more, standalone(text))


def replaced(found: Listing[str], items: Sequence[T]) -> Listing[T]:
    """Put descriptions in the place of the IRIs on a page of a list."""
    return Listing(items, found.total, found.start, found.more, found.query)


def _named_keys(key: str) -> tuple[str, str]:
    """Bind the aggregates of a sort key to variables: not every engine sorts by an aggregate itself."""
    found = list(dict.fromkeys(re.findall(r"(?:MIN|MAX)\(\?\w+\)", key)))
    for number, aggregate in enumerate(found):
        key = key.replace(aggregate, f"?key{number}")
    return key, " ".join(f"({aggregate} AS ?key{number})" for number, aggregate in enumerate(found))


def route_pattern(event: str) -> str:
    """Write the pattern for the routes of an event and its parts: ?event, ?role, ?place, and ?n for order.

    Each role has an alternative: Virtuoso loses rows of a path that is joined with a list of predicates.
    """
    return " UNION ".join(
        f"{{ ?event dg:subEventOf* {event} ; dg:{role} ?place BIND(dg:{role} AS ?role) BIND({n} AS ?n) }}"
        for n, role in enumerate(ROUTE, 1)
    )


def count(store: Store, query: str) -> int:
    """Count the solutions of a query."""
    text = f"SELECT (COUNT(*) AS ?n) WHERE {{ {{ {query} }} }}"
    return sum(int(plain(row["n"])) for row in select(store, text))


def select(store: Store, text: str) -> list[Row]:
    """Read all the solutions of a query that uses our prefixes."""
    return list(store.query(PROLOGUE + text).rows())


def iris_in(found: Iterable[Row], *columns: str) -> list[str]:
    """Collect the IRIs of some columns."""
    return [
        term.value for row in found for column in columns if isinstance(term := row.get(column), NamedNode)
    ]


def value_of(row: Row, column: str, names: Mapping[str, Name]) -> Value:
    """Build the value in a column; a text longer than TEXT_LIMIT is cut, with its whole length beside it."""
    found = row[column]
    if isinstance(found, NamedNode):
        name = names.get(found.value)
        return Value(name.label if name else found.value, name=name)
    text = found.value if isinstance(found, Literal) else str(found)
    cut = len(text) > TEXT_LIMIT
    shown = text[:TEXT_LIMIT] if cut else text
    if isinstance(found, Literal):
        datatype = None if found.datatype.value.endswith(("#string", "#langString")) else found.datatype.value
        return Value(shown, None, found.language, datatype, len(text) if cut else None)
    return Value(shown, length=len(text) if cut else None)


def standalone(text: str) -> str:
    """Write a query for use elsewhere: with the prefixes that it uses, and with our IRIs shortened."""
    short = re.sub(r"<([^<>\s]+)>", lambda found: _short(found[1]) or found[0], text)
    lines = [line.strip() for line in short.strip().splitlines()]
    found = set(_PREFIXED.findall(short))
    used = [prefix for prefix in PREFIXES if prefix in found]
    return "".join(f"PREFIX {prefix}: <{PREFIXES[prefix]}>\n" for prefix in used) + "\n".join(lines)


def _short(iri: str) -> str:
    for prefix, namespace in PREFIXES.items():
        # A local name with a slash needs an escape: id:country/usa stays whole.
        if prefix != "id" and iri.startswith(namespace) and re.fullmatch(r"\w+", iri[len(namespace) :]):
            return f"{prefix}:{iri[len(namespace) :]}"
    return ""
