"""Asking the questions: their columns, and rows as plain values."""

from __future__ import annotations

import re
from pathlib import Path

import pyoxigraph

from kg.catalogue import read_catalogue
from kg.terms import ID

FIXTURES = Path(__file__).parents[1] / "fixtures"
CATALOGUE = read_catalogue()


Rows = list[tuple[object, ...]]


# The names and first columns that readers of the answers rely on.
COLUMNS = {
    "deportations": "event label count comparator affected origin transit destination",
    "attribution-chain": "claim step source kind",
    "planned-not-confirmed": "claim label modality source",
    "led-to": "cause causeLabel effect effectLabel",
    "hostile-acts": "event label actor orderedBy recipient target",
    "quantities": "value comparator unit asOf deadline modality source",
    "statements-by": "claim label speaker post",
    "posts": "person personLabel post organization from to",
    "undisclosed": "claim about source",
    "metonyms": "mention agent method",
    "dyad": "event label type cooperation date source",
    "anonymous-only": "claim label lastStep",
    "coding-records": "record code goldstein event",
    "monthly-balance": "month cooperative conflictual mean",
    "who-held-post-on": "person post organization",
    "head-of-mission": "person personLabel post mission from to certainty",
    "mission-status-on": "mission missionLabel status from to",
    "missions-closed": "mission missionLabel day before after closed",
    "find-country": "country label list value language",
    "members-in-events": "event label member memberLabel date",
    "events-by-type": "event label kind kindLabel date",
    "contested-names": "country label name language user userLabel from to",
    "events-before": "earlier earlierLabel event eventLabel reason",
    "known-by": "event label claim modality source issued",
    "neighbours": "event label country neighbour neighbourLabel date",
    "asserted-on": "graph label statements load loaded changedSince",
    "contradicted-claims": "claim label source other otherLabel otherSource",
    "denied": "event label denied asserted",
    "disagreeing-figures": "thing label value comparator unit speaker source",
    "figure-over-time": "date value comparator unit modality source",
    "modality-by-source": "source label modality claims",
    "most-cited": "speaker label kind claims sources",
    "one-source-events": "event label source date",
    "one-voice": "event label speaker sources",
    "superseded-claims": "claim label by byLabel source",
    "confirmed-claims": "claim label source other otherLabel otherSource thing property value",
    "asylum-denied": "group label amount status source",
    "criticism": "speaker speakerLabel towards towardsLabel stance",
    "order-of-events": "earlier earlierLabel later laterLabel reason",
    "did-it-happen": "event label answer source status",
    "talks-about": "event label topic topicLabel",
    "reasons": "event label reason reasonLabel source",
    "offices": "person personLabel post postLabel organization",
    "took-part": "event label participant",
    "vague-figures": "quantity label amount trend unit of",
    "agreements": "agreement label signatory signed inForce depositary from",
    "votes": "resolution label member vote body day",
    "notes": "note label from to topic day",
    "sanctions": "sanction label sanctioned by from to legalBase",
    "relations-between": "relation one other status level from to",
    "recognitions": "recognition recognized by from to",
    "visits": "event label host guest level series round day",
    "mediations": "event label mediator party topic onBehalfOf",
    "demands": "demand label by of answer answerLabel kind",
    "prisoner-exchanges": "event label by released inExchangeFor otherSide",
    "appointments": "person personLabel post appointedBy appointed presentedTo presented",
}


NEGOTIATIONS = "negotiations between the United States and Iran"
DEPORTATION = "deportation of Iranian nationals from the United States to Iran"


STRIKES = "military strikes on Iranian nuclear sites"


def ask(store: pyoxigraph.Store, name: str, columns: str = "", **values: str) -> Rows:
    """Rows of a question; IRIs of ours without their base, numbers as numbers."""
    solutions = store.query(CATALOGUE[name].fill(values), use_default_graph_as_union=True)
    assert isinstance(solutions, pyoxigraph.QuerySolutions)
    wanted = (columns or COLUMNS[name]).split()
    return [tuple(plain(solution[column]) for column in wanted) for solution in solutions]


def plain(term: object) -> object:
    if isinstance(term, pyoxigraph.Literal) and re.search("integer|decimal", term.datatype.value):
        return float(term.value)
    if isinstance(term, pyoxigraph.Literal):
        return term.value
    return term.value.removeprefix(ID) if isinstance(term, pyoxigraph.NamedNode) else None
