"""Superclasses and subclasses in the graph, and the same for properties."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from kg.search.naming import PROLOGUE, plain, values
from kg.store import Store
from kg.store.per_version import per_version
from kg.terms import ONTOLOGY, PREFIXES


@per_version
def superiors(store: Store, relation: str = "rdfs:subClassOf") -> dict[str, frozenset[str]]:
    """Map each class to all the classes above it; with rdfs:subPropertyOf, each property to those above it.

    A class counts as above itself only where equivalent classes are declared as subclasses of each other.
    """
    text = f"SELECT DISTINCT ?s ?o WHERE {{ ?s {relation} ?o FILTER(isIRI(?s) && isIRI(?o) && ?s != ?o) }}"
    direct: dict[str, set[str]] = defaultdict(set)
    for row in store.query(PROLOGUE + text).rows():
        direct[plain(row["s"])].add(plain(row["o"]))
    return {term: frozenset(_reach(direct, term)) for term in direct}


def inferiors(store: Store, top: str, relation: str = "rdfs:subClassOf") -> list[str]:
    """List a class and all its subclasses, in alphabetical order; `relation` as for `superiors`."""
    above = superiors(store, relation)
    return sorted({top, *(term for term, found in above.items() if top in found)})


def most_specific(store: Store, classes: Iterable[str]) -> list[str]:
    """Keep the classes without a subclass among the others; those of the ontology come first."""
    above, found = superiors(store), set(classes)
    # Equivalent classes are subclasses of each other, and neither hides the other.
    hidden = {up for cls in found for up in above.get(cls, ()) if cls not in above.get(up, ())}
    ours = (ONTOLOGY, PREFIXES["org"])
    return sorted(found - hidden, key=lambda cls: (not cls.startswith(ours), cls))


def types_of(store: Store, iris: Iterable[str]) -> dict[str, list[str]]:
    """Return the most specific classes of each thing."""
    types: dict[str, list[str]] = {}
    block = f"VALUES ?s {{ {values(dict.fromkeys(iris))} }}"
    text = f"SELECT DISTINCT ?s ?type WHERE {{ {block} ?s a ?type FILTER(isIRI(?type)) }}"
    for row in store.query(PROLOGUE + text).rows():
        types.setdefault(plain(row["s"]), []).append(plain(row["type"]))
    return {iri: most_specific(store, found) for iri, found in types.items()}


def _reach(direct: dict[str, set[str]], term: str) -> set[str]:
    found: set[str] = set()
    waiting = [term]
    while waiting:
        new = direct.get(waiting.pop(), set()) - found
        found |= new
        waiting += new
    return found
