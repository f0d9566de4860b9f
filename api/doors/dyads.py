"""Two actors side by side."""

from __future__ import annotations

import re
from datetime import date
from typing import Final
from urllib.parse import urlencode

from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue

from api.pages.page_parameters import day, meant, page_number
from api.web.state import state
from api.web.urls import at
from kg.describe.lists.dyad_summary import Filters, dyad_of
from kg.search import resolve_all
from kg.terms import ID

blueprint = Blueprint("dyads", __name__)

_LAST_PAGE: Final = 200
_PAGE: Final = 50


@blueprint.get("/dyad")
def form() -> ResponseReturnValue:
    """Show the form for two actors, or the events between them."""
    first, second = (request.args.get(name, "").strip() for name in ("a", "b"))
    if not (first and second):
        return render_template("dyad.html", a=None, b=None, found=None, first=first, second=second)
    one, other = resolve_all(state().store, [first, second])
    if all(re.fullmatch(re.escape(ID) + "country/[a-z]{3}", iri) for iri in (one, other)):
        rest = [(name, value) for name, value in request.args.items() if name not in ("a", "b")]
        path = at("/dyad/") + "/".join(iri.rpartition("/")[2] for iri in (one, other))
        return redirect(path + ("?" + urlencode(rest) if rest else ""), 303)
    return _side_by_side(one, other)


@blueprint.get("/dyad/<a>/<b>")
@blueprint.get("/dyad/<kind_a>/<a>/<kind_b>/<b>")
def things(a: str, b: str, kind_a: str = "", kind_b: str = "") -> ResponseReturnValue:
    """Show two countries by their ISO 3166-1 codes, or two actors of any kind, side by side."""
    names = [f"{kind_a}/{a}", f"{kind_b}/{b}"] if kind_a else [a, b]
    return _side_by_side(*resolve_all(state().store, names))


def _side_by_side(first: str, second: str) -> str:
    number = page_number(_LAST_PAGE)
    given = {name: request.args.get(name, "").strip() for name in ("type", "modality", "from", "to")}
    concepts = meant({name: [given[name]] for name in ("type", "modality") if given[name]})
    filters = Filters(
        kind=concepts.get("type", [""])[0],
        modality=concepts.get("modality", [""])[0],
        since=_iso(day(given["from"], "from")),
        until=_iso(day(given["to"], "to", last=True)),
    )
    found = state().store.run(dyad_of, first, second, page=number, filters=filters)
    pair = urlencode({"a": first.removeprefix(ID), "b": second.removeprefix(ID)})
    kept = {name: value for name, value in request.args.items() if name != "page"}
    most = max(found.passages.total, found.records.total)
    return render_template(
        "dyad.html",
        a=found.first,
        b=found.second,
        found=found,
        given={"type": filters.kind, "modality": filters.modality, "from": given["from"], "to": given["to"]},
        question=at("/queries/dyad?") + pair,
        records_question=at("/queries/coding-records?") + pair,
        address=at(request.path) + "?" + (urlencode(kept) + "&" if kept else ""),
        page=number,
        pages=max(1, -(-most // _PAGE)),
        first=found.first.label,
        second=found.second.label,
        highest=max([max(b.cooperative, b.conflictual) for b in found.balance or ()], default=0),
    )


def _iso(day: date | None) -> str:
    return day.isoformat() if day else ""
