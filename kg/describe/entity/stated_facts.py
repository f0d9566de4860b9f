"""Facts that claims state, and where speakers disagree, as two questions of the catalogue define it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Final

from kg.catalogue import read_catalogue
from kg.describe.entity.thing_facts import FACT_LIMIT
from kg.describe.listing import iris_in, select, value_of
from kg.describe.lists.event_lists import describe_figures
from kg.describe.page_model import Account, Disagreement, Figure, StatedFact, Value
from kg.search import Name, iri_text, name_all, plain, row_text, values
from kg.store import Row, Store
from kg.terms import term

_questions = cache(read_catalogue)
_SAID_BY_TWO: Final = """SELECT ?property {{
  {{ ?fact dg:subject {node} ; dg:predicate ?property . ?claim dg:states ?fact ; dg:saidBy ?me .
    ?other dg:subject {node} ; dg:predicate ?property . ?telling dg:states ?other ; dg:saidBy ?they .
    FILTER(?me != ?they) }}
  UNION {{ ?claim dg:contradicts|^dg:contradicts ?telling ; dg:about {node} . BIND("" AS ?property) }}
}} LIMIT 1"""


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


def answers_about(store: Store, iri: str) -> list[tuple[str, str, Name]]:
    """Return who says that an event took place or not, as the question `did-it-happen` answers it."""
    rows = list(store.query(_questions()["did-it-happen"].fill({"event": iri})).rows())
    names = name_all(store, iris_in(rows, "claim"))
    found = [(row_text(row, "answer"), row_text(row, "source"), names[plain(row["claim"])]) for row in rows]
    return [(answer or "", source or "", claim) for answer, source, claim in found]


def disagreements_about(store: Store, iri: str) -> list[Disagreement]:
    """Return the properties and figures of a thing for which speakers disagree, with who says what.

    The questions `contradicted-claims` and `disagreeing-figures` say which claims disagree.
    """
    # The question takes a while, so that it is asked only where two speakers say something of one property.
    pairs = []
    if select(store, _SAID_BY_TWO.format(node=iri_text(iri))):
        pairs = list(store.query(_questions()["contradicted-claims"].fill({"about": iri})).rows())
    figures = list(store.query(_questions()["disagreeing-figures"].fill({"thing": iri})).rows())
    claims = list(dict.fromkeys([*iris_in(pairs, "claim", "other"), *iris_in(figures, "claim")]))
    if not claims:
        return []
    told = _told(store, claims)
    value = term("dg:value").value
    names = name_all(store, [value, *claims, *iris_in(told.values(), "m", "who", "source")])
    accounts: dict[Name, list[Account]] = defaultdict(list)
    concerned = {
        (plain(row["propertyIri"]), claim) for row in pairs for claim in iris_in([row], "claim", "other")
    }
    for claim, facts in facts_stated(store, claims).items():
        for fact in facts:
            if fact.subject.iri == iri and (fact.property.iri, claim) in concerned:
                accounts[fact.property].append(_account(told[claim], fact.value, names))
    measured = list(dict.fromkeys(iris_in(figures, "quantity")))
    described = {figure.name.iri: figure for figure in describe_figures(store, measured)}
    counted: dict[str, list[Account]] = defaultdict(list)
    for row in figures:
        what = ", ".join(filter(None, (row_text(row, "unit"), row_text(row, "effect"))))
        said, figure = value_of(row, "value", names), described[plain(row["quantity"])]
        counted[what].append(_account(told[plain(row["claim"])], said, names, figure))
    found = [Disagreement(prop, tuple(group)) for prop, group in accounts.items()]
    return found + [Disagreement(names[value], tuple(group), what) for what, group in counted.items()]


def _told(store: Store, claims: Sequence[str]) -> dict[str, Row]:
    """Return who says each claim, in which source and how surely."""
    rows = select(
        store,
        f"""SELECT DISTINCT ?claim ?m ?who ?source WHERE {{ VALUES ?claim {{ {values(claims)} }}
          ?claim dg:modality ?m ; dg:saidBy ?who ; dg:statedIn ?source }}""",
    )
    return {plain(row["claim"]): row for row in rows}


def _account(row: Row, value: Value, names: Mapping[str, Name], figure: Figure | None = None) -> Account:
    speaker, source, modality, claim = (names[plain(row[key])] for key in ("who", "source", "m", "claim"))
    return Account(value, speaker, source, modality, claim, figure)
