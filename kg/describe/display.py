"""How pages show properties, as the ontology says: order, inverse labels, columns of lists."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pyoxigraph import Literal

from kg.describe.listing import select
from kg.languages import preference
from kg.search import Name, plain
from kg.store import Row, Store
from kg.store.per_version import per_version
from kg.terms import PREFIXES

LABEL: Final = PREFIXES["rdfs"] + "label"
"""The column that holds the things of a list themselves."""
_SAID: Final = ("sh:order", "dg:inverseLabel", "dg:listedWith", "dg:groupedBy", "owl:inverseOf")


@dataclass(frozen=True)
class Display:
    """What the ontology says of the properties, by their IRIs.

    `columns` are the properties whose values stand beside the things that have a property, in order;
    `groups` is the one by whose values these things are grouped. `inverses` maps a property to its inverse,
    and a symmetric one to itself.
    """

    orders: Mapping[str, float]
    headings: Mapping[str, str]
    columns: Mapping[str, tuple[str, ...]]
    groups: Mapping[str, str]
    inverses: Mapping[str, str]

    def position(self, prop: Name) -> tuple[float, str]:
        """Return the sort key of a property: its order, if it has one, then its label."""
        return self.orders.get(prop.iri, float("inf")), prop.label

    def heading(self, prop: Name) -> str:
        """Return the heading of the things that have a property, on the page of its value."""
        return self.headings.get(prop.iri, f"linked by “{prop.label}”")


@per_version
def display_of(store: Store) -> Display:
    """Read how the properties of the ontology are shown, in the reader's language."""
    parts = (f"{{ ?p {said} ?o BIND({said} AS ?how) }}" for said in _SAID)
    symmetric = "{ ?p a owl:SymmetricProperty BIND(?p AS ?o) BIND(owl:inverseOf AS ?how) }"
    said: dict[str, list[Row]] = defaultdict(list)
    for row in select(store, f"SELECT DISTINCT ?p ?how ?o WHERE {{ {' UNION '.join((*parts, symmetric))} }}"):
        said[plain(row["how"])].append(row)
    orders = {plain(row["p"]): float(plain(row["o"])) for row in said[PREFIXES["sh"] + "order"]}
    headings: dict[str, Literal] = {}
    for row in said[PREFIXES["dg"] + "inverseLabel"]:
        label = row["o"]
        if isinstance(label, Literal) and _better(label, headings.get(plain(row["p"]))):
            headings[plain(row["p"])] = label
    columns: dict[str, list[str]] = defaultdict(list)
    for row in said[PREFIXES["dg"] + "listedWith"]:
        columns[plain(row["p"])].append(plain(row["o"]))
    inverses: dict[str, str] = {}
    for row in said[PREFIXES["owl"] + "inverseOf"]:
        one, other = plain(row["p"]), plain(row["o"])
        # Mappings and hierarchies of concepts are listed from the side that states them.
        if not one.startswith(PREFIXES["skos"]):
            inverses |= {one: other, other: one}
    return Display(
        orders,
        {prop: label.value for prop, label in headings.items()},
        {
            prop: tuple(sorted(found, key=lambda p: (p != LABEL, orders.get(p, float("inf")), p)))
            for prop, found in columns.items()
        },
        {plain(row["p"]): plain(row["o"]) for row in said[PREFIXES["dg"] + "groupedBy"]},
        inverses,
    )


def _better(label: Literal, known: Literal | None) -> bool:
    return known is None or preference(label.language) < preference(known.language)
