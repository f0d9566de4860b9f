"""Search by name, and suggestions during typing."""

from __future__ import annotations

from collections import defaultdict
from typing import Final

from flask import Blueprint, jsonify, render_template, request
from flask.typing import ResponseReturnValue

from api.web.negotiation import wants_html
from api.web.state import state
from api.web.urls import path_of
from kg.errors import ParameterError
from kg.search import Hit, search, suggest
from kg.terms import GRAPH, ID, term

blueprint = Blueprint("search", __name__)

_HITS: Final = 60
_SUGGESTED: Final = 8


@blueprint.get("/search")
def results() -> ResponseReturnValue:
    """Find things by name: a page by kind of thing, or JSON."""
    text = request.args.get("q", "")
    kinds = [kind for kind in request.args.getlist("kind") if kind][:20]
    hits = search(state().store, text, _HITS, kinds)
    if not wants_html():
        return jsonify({"query": text, "results": [_members(hit) for hit in hits]})
    groups: dict[str, list[Hit]] = defaultdict(list)
    for hit in hits:
        groups[hit.kind].append(hit)
    return render_template("search.html", query_text=text, hits=hits, groups=groups, kinds=kinds, limit=_HITS)


@blueprint.get("/suggest")
def suggestions() -> ResponseReturnValue:
    """Suggest things whose names begin with `q`, as JSON; with `of`, a class, only its members."""
    of = request.args.get("of", "")
    try:
        cls = term(of).value if of else None
    except (KeyError, ValueError):
        raise ParameterError(
            f"“{of[:80]}” is not a class", mend="Use a prefixed name, as of=dg:Agent."
        ) from None
    hits = suggest(state().store, request.args.get("q", ""), _SUGGESTED, of=cls)
    response = jsonify({"results": [_members(hit) for hit in hits]})
    response.cache_control.max_age = 10
    return response


def _members(hit: Hit) -> dict[str, str]:
    return {
        "iri": hit.iri,
        "value": value_of(hit.iri),
        "label": hit.label,
        "matched": hit.matched,
        "kind": hit.kind,
        "type": hit.type_label or hit.kind.replace("-", " "),
        "page": path_of(hit.iri),
    }


def value_of(iri: str) -> str:
    """Write an IRI as a value of form fields: `country/irn`, `graph/x`, else in full."""
    if iri.startswith(GRAPH):
        return "graph/" + iri.removeprefix(GRAPH)
    return iri.removeprefix(ID)


_PLURALS: Final = {
    "country": "Countries",
    "agency": "Agencies",
    "policy": "Policies",
    "quantity": "Figures",
    "person": "People",
    "unnamed-source": "Unnamed sources",
    "other": "Others",
    "modality": "Modalities",
}


@blueprint.app_template_filter()
def kind_words(kind: str) -> str:
    """Write a kind as the heading of a list: `event-type` as `Event types`."""
    return _PLURALS.get(kind, kind.replace("-", " ").capitalize() + "s")


blueprint.add_app_template_filter(value_of, "field_value")
