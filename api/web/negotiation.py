"""Content negotiation: the Accept header against the formats on offer (RFC 9110 section 12)."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import chain
from time import perf_counter

from flask import Response, g, request
from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_accept_header

from kg.errors import DiplographError, NotAcceptableError, StoreFailedError, UnknownNameError
from kg.rdf.formats import GRAPH_FORMATS, RDF_FORMATS, RESULT_FORMATS, Format, formats_for
from kg.store import Answer

HTML = "text/html"
_SHORT = 32 * 1024
# Headers of clients are short and repeat; longer ones are not kept.
_LONG = 500
# Formats for programs; a client that prefers HTML to all of them is a browser.
_MACHINE = (
    "application/problem+json",
    *(name for form in (*RESULT_FORMATS, *RDF_FORMATS) for name in (form.media_type, *form.aliases)),
)


def wants_html() -> bool:
    """Return whether the client prefers a page to any format for programs."""
    return prefers_html(request.environ.get("HTTP_ACCEPT", ""))


def prefers_html(header: str) -> bool:
    """Return whether an Accept header prefers a page to any format for programs."""
    return _prefers_html(header) if len(header) < _LONG else _prefers_html.__wrapped__(header)


@lru_cache(maxsize=1024)
def _prefers_html(header: str) -> bool:
    return parse_accept_header(header, MIMEAccept).best_match([*_MACHINE, HTML]) == HTML


def choose_format(offered: Sequence[Format]) -> Format:
    """Choose by the request's Accept; without one, or on `*/*`, the first that is offered.

    A client that asks by an alias (application/json) gets the format under that name. Raises
    NotAcceptableError that lists what is offered.
    """
    if "Accept" not in request.headers:
        return offered[0]
    form = best_format(request.headers["Accept"], tuple(offered))
    if form is None:
        raise not_acceptable(request.headers["Accept"], offered)
    return form


def graph_format(name: str) -> Format:
    """Return the format of a graph with a file extension; raises UnknownNameError."""
    for form in GRAPH_FORMATS:
        if name == form.name:
            return form
    raise UnknownNameError(
        f"data are not available as .{name[:40]}",
        mend=f"Use one of the extensions: {', '.join(form.name for form in GRAPH_FORMATS)}.",
    )


def not_acceptable(accept: str, offered: Sequence[Format]) -> NotAcceptableError:
    """Build the error for an Accept header that names no format on offer."""
    offer = ", ".join(form.media_type for form in offered)
    return NotAcceptableError(
        f"no format in Accept: {accept} can be produced here", mend=f"Ask for one of: {offer}."
    )


def best_format(header: str, offered: tuple[Format, ...]) -> Format | None:
    """Choose the format that an Accept header prefers; None if it accepts none of them."""
    choose = _best_format if len(header) < _LONG else _best_format.__wrapped__
    return choose(header, offered)


@lru_cache(maxsize=1024)
def _best_format(header: str, offered: tuple[Format, ...]) -> Format | None:
    accept = parse_accept_header(header, MIMEAccept)
    # A wildcard stands for the main name of a format; an alias is used if the client names it.
    asked = {value.lower() for value, _ in accept}
    names: dict[str, Format] = {}
    for form in offered:
        for name in (form.media_type, *asked.intersection(form.aliases)):
            if accept.quality(name) > 0:
                names.setdefault(name, form)
    best = accept.best_match(list(names))
    return replace(names[best], media_type=best) if best else None


def send_answer(answer: Answer, *, form: Format | None = None) -> Response:
    """Send a result in the format that the client accepts, or in the one that is given.

    Raises NotAcceptableError, StoreFailedError, before the first byte if possible.
    """
    chosen = form or choose_format(formats_for(answer.kind))
    started = perf_counter()
    first, second, pieces = _begin(answer, chosen)
    g.timings = {**g.get("timings", {}), "write": perf_counter() - started}
    if second == b"":
        response = Response(first, content_type=chosen.content_type)
    else:
        response = Response(chain(filter(None, (first, second)), pieces), content_type=chosen.content_type)
    response.call_on_close(pieces.close)
    response.vary.add("Accept")
    return response


def _begin(answer: Answer, form: Format) -> tuple[bytes, bytes | None, Generator[bytes, None, None]]:
    """Start to write a result: the first piece, the second (empty after the end, None unasked), the rest.

    Raises NotAcceptableError, StoreFailedError.
    """
    pieces = (piece for piece in answer.serialize(form))
    try:
        first = next(pieces, b"")
        # A short piece is usually the last one; a complete result is sent with its length.
        return first, next(pieces, b"") if len(first) < _SHORT else None, pieces
    except StoreFailedError as error:
        raise explain_unwritable(error, form) from None


def explain_unwritable(error: DiplographError, form: Format) -> DiplographError:
    """Return the error for a result that its format cannot hold, or the error itself."""
    if "does not support RDF 1.2" not in error.detail:
        return error
    return NotAcceptableError(
        f"the result holds triple terms (RDF 1.2), which {form.media_type} cannot express",
        mend="Ask for text/turtle or application/n-triples.",
    )
