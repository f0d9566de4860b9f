"""Facts that claims state, and where claims about one thing give different values."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from kg.describe.entity.thing_facts import FACT_LIMIT
from kg.describe.listing import iris_in, select, value_of
from kg.describe.lists.event_lists import describe_figures
from kg.describe.page_model import Account, Disagreement, StatedFact
from kg.search import iri_text, name_all, plain, row_text, values
from kg.store import Row, Store
from kg.terms import ID

_DENIED = ID + "modality/denied"
# Claims with these modalities do not commit their speaker to a value.
_UNCOMMITTED = {ID + f"modality/{name}" for name in ("undisclosed", "unknown", "possible", "attribution")}


def facts_stated(store: Store, claims: Sequence[str]) -> dict[str, list[StatedFact]]:
    """Return the facts that claims state, those of one thing together."""
    rows = select(
        store,
        f"""SELECT DISTINCT ?claim ?s ?p ?o WHERE {{ VALUES ?claim {{ {values(claims)} }}
          ?claim dg:states ?fact . ?fact dg:subject ?s ; dg:predicate ?p ; dg:object ?o
        }} ORDER BY ?claim ?s ?p ?o LIMIT {FACT_LIMIT}""",
    )
    names = name_all(store, iris_in(rows, "s", "p", "o"))
    found: dict[str, list[StatedFact]] = defaultdict(list)
    for row in rows:
        fact = StatedFact(names[plain(row["s"])], names[plain(row["p"])], value_of(row, "o", names))
        found[plain(row["claim"])].append(fact)
    return found


def disagreements_about(store: Store, iri: str) -> list[Disagreement]:
    """Return the properties of a thing for which sources disagree, with who says what.

    Two sources disagree when each gives a value that the other does not, of a property that the ontology
    compares by value, or when one denies what another states; figures, when they give different numbers of
    one unit.
    """
    node = iri_text(iri)
    rows = select(
        store,
        f"""SELECT DISTINCT ?p ?o ?unit ?quantity ?claim ?m ?who ?source ?compared WHERE {{
          {{ ?fact dg:subject {node} ; dg:predicate ?p ; dg:object ?o . ?claim dg:states ?fact .
            OPTIONAL {{ ?p dg:comparedByValue ?compared }} }}
          UNION {{ ?quantity dg:quantityOf {node} ; dg:value ?o ; dg:unit ?unit .
            BIND(dg:value AS ?p) BIND(true AS ?compared)
            {{ ?claim dg:about ?quantity }} UNION {{ ?f dg:subject ?quantity . ?claim dg:states ?f }} }}
          ?claim dg:modality ?m ; dg:statedIn ?source . OPTIONAL {{ ?claim dg:saidBy ?who }}
        }} ORDER BY ?p ?unit ?o ?claim LIMIT {FACT_LIMIT}""",
    )
    grouped: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        if plain(row["m"]) not in _UNCOMMITTED:
            grouped[plain(row["p"]), row_text(row, "unit") or ""].append(row)
    kept = {key: group for key, group in grouped.items() if _disagree(group)}
    names = name_all(
        store,
        [
            *(unit for _, unit in kept if unit),
            *(i for group in kept.values() for i in iris_in(group, "p", "o", "claim", "m", "who", "source")),
        ],
    )
    measured = (quantity for group in kept.values() for quantity in iris_in(group, "quantity"))
    figures = {figure.name.iri: figure for figure in describe_figures(store, list(dict.fromkeys(measured)))}
    return [
        Disagreement(
            names[prop],
            tuple(
                Account(
                    value_of(row, "o", names),
                    names.get(row_text(row, "who") or ""),
                    names.get(plain(row["source"])),
                    names.get(plain(row["m"])),
                    names[plain(row["claim"])],
                    figures.get(row_text(row, "quantity") or ""),
                )
                for row in group
            ),
            names.get(unit),
        )
        for (prop, unit), group in kept.items()
    ]


def _disagree(group: Iterable[Row]) -> bool:
    rows = list(group)
    said: dict[str, set[str]] = defaultdict(set)
    denied: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        which = denied if plain(row["m"]) == _DENIED else said
        which[str(row["o"])].add(plain(row["source"]))
    if any(value in said for value in denied):
        return True
    if row_text(rows[0], "compared") != "true":
        return False
    sources = list(said.values())
    return any(one - other and other - one for n, one in enumerate(sources) for other in sources[n + 1 :])
