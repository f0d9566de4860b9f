"""Content negotiation (RFC 9110 section 12): the format and the language that a client prefers.

An answer that depends on Accept names it in Vary; a page names Accept-Language, too.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property, lru_cache
from itertools import chain
from time import perf_counter
from typing import Final

from flask import Flask, Response, g, request
from werkzeug.http import parse_accept_header

from kg.errors import NotAcceptableError, ParameterError, UnknownNameError
from kg.languages import speak
from kg.rdf.formats import GRAPH_FORMATS, OTHER_NAMES, RDF_FORMATS, RESULT_FORMATS, Format, Kind, formats_for
from kg.store import Answer

HTML: Final = "text/html"
_SHORT: Final = 32 * 1024
# Headers of clients are short and repeat; longer ones are not kept.
_LONG: Final = 500
_KINDS: Final[tuple[Kind, ...]] = ("solutions", "boolean", "graph")
# Formats for programs; a client that prefers HTML to all of them is a browser.
_MACHINE: Final = (
    "application/problem+json",
    *(name for form in (*RESULT_FORMATS, *RDF_FORMATS) for name in (form.media_type, *form.aliases)),
)
_TAG: Final = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,3}")
_MOST_LANGUAGES: Final = 6


@dataclass(frozen=True)
class Accepted:
    """The media types that an Accept header prefers; an empty header accepts everything."""

    header: str

    @cached_property
    def _qualities(self) -> dict[str, float]:
        # Parameters of a range, as in `text/turtle; charset=utf-8`, do not narrow what is offered here.
        found: dict[str, float] = {}
        for value, quality in parse_accept_header(self.header):
            name = value.partition(";")[0].strip().lower()
            found[name] = max(quality, found.get(name, 0))
        return found

    def _rank(self, name: str) -> tuple[float, int]:
        """Return the quality of a media type, and how exactly it is named (RFC 9110 section 12.5.1)."""
        for exactness, accepted in ((3, name), (2, name.partition("/")[0] + "/*"), (1, "*/*")):
            if accepted in self._qualities:
                return self._qualities[accepted], exactness
        return 0, 0

    @cached_property
    def html(self) -> bool:
        """Whether a page is preferred to any format for programs."""
        return self._rank(HTML) > max(map(self._rank, _MACHINE))

    @cached_property
    def results(self) -> dict[Kind, Format]:
        """Format of each kind of result; a kind that is accepted in no format has none."""
        chosen = {kind: self.best(formats_for(kind)) for kind in _KINDS}
        return {kind: form for kind, form in chosen.items() if form is not None}

    def best(self, offered: Sequence[Format]) -> Format | None:
        """Choose a format, the first on `*/*`; None if none of them is accepted.

        A client that asks by an alias (application/json) gets the format under that name.
        """
        if not self.header:
            return offered[0]
        # A wildcard stands for the main name of a format; an alias is used if the client names it.
        names: dict[str, Format] = {}
        for form in offered:
            for name in (form.media_type, *form.aliases, *form.old_names):
                if name == form.media_type or name in self._qualities:
                    names.setdefault(name, form)
        best = max(names, key=self._rank)
        return replace(names[best], media_type=best) if self._rank(best)[0] > 0 else None

    def choose(self, offered: Sequence[Format]) -> Format:
        """Choose a format; see `best`. Raises NotAcceptableError with what is offered."""
        form = self.best(offered)
        if form is None:
            raise self.refuse(offered)
        return form

    def refuse(self, offered: Sequence[Format]) -> NotAcceptableError:
        """Build the error for a header that names no format on offer."""
        offer = ", ".join(form.media_type for form in offered)
        return NotAcceptableError(
            f"no format in Accept: {self.header} can be produced here", mend=f"Ask for one of: {offer}."
        )


def read_accept(header: str) -> Accepted:
    """Read an Accept header."""
    return _read_accept(header) if len(header) < _LONG else Accepted(header)


_read_accept = lru_cache(maxsize=1024)(Accepted)


def named_format(name: str) -> Accepted:
    """Read the name, the file ending or the media type of a format, which stands in place of Accept.

    Raises ParameterError.
    """
    media_types = _media_types().get(name.lower())
    if media_types is None:
        raise ParameterError(
            f"{name[:80]!r} is not a format",
            mend=f"Use one of: {', '.join(filter(str.isalpha, _media_types()))}.",
        )
    return read_accept(", ".join(media_types))


@cache
def _media_types() -> dict[str, list[str]]:
    """Map each name to media types: `json` and `xml` name a format of results and one of graphs."""
    found = {"html": [HTML], HTML: [HTML]}
    for form in (*RESULT_FORMATS, *GRAPH_FORMATS):
        for name in {form.name, form.extension, form.media_type, *form.aliases, *form.old_names}:
            found.setdefault(name, []).append(name if "/" in name else form.media_type)
    for name, form_name in OTHER_NAMES.items():
        found.setdefault(name, []).extend(f.media_type for f in GRAPH_FORMATS if f.name == form_name)
    return {name: media_types for name, media_types in found.items() if media_types}


def register(app: Flask) -> None:
    """Attach the reader's languages and the header Vary to an application."""
    app.before_request(lambda: speak(_asked_languages()))
    app.after_request(_vary)


def _vary(response: Response) -> Response:
    page = response.mimetype == HTML
    if page or "accepted" in g:
        response.vary.add("Accept")
    if page:
        response.vary.add("Accept-Language")
    return response


def _asked_languages() -> list[str]:
    # `lang` in the address goes before Accept-Language.
    tags = [request.args.get("lang", ""), *request.accept_languages.values()]
    return [tag for tag in tags if _TAG.fullmatch(tag)][:_MOST_LANGUAGES]


def accepted() -> Accepted:
    """Return what the client of this request accepts."""
    found = g.accepted = read_accept(request.headers.get("Accept", ""))
    return found


def wants_html() -> bool:
    """Return whether the client prefers a page to any format for programs."""
    return accepted().html


def choose_format(offered: Sequence[Format]) -> Format:
    """Choose by the request's Accept; see `Accepted.choose`."""
    return accepted().choose(offered)


def graph_format(name: str) -> Format:
    """Return the format of a graph with a file extension; raises UnknownNameError."""
    for form in GRAPH_FORMATS:
        if name == form.name:
            return form
    raise UnknownNameError(
        f"data are not available as .{name[:40]}",
        mend=f"Use one of the extensions: {', '.join(form.name for form in GRAPH_FORMATS)}.",
    )


def send_answer(answer: Answer, *, form: Format | None = None, file: str = "") -> Response:
    """Send a result in the format that the client accepts, or in the one that is given.

    `file` is the name under which browsers save it. Raises NotAcceptableError, StoreFailedError, before the
    first byte if possible.
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
    if file:
        response.headers["Content-Disposition"] = f"attachment; filename={file}"
    return response


def _begin(answer: Answer, form: Format) -> tuple[bytes, bytes | None, Generator[bytes, None, None]]:
    """Start to write a result: the first piece, the second (empty after the end, None unasked), the rest.

    Raises NotAcceptableError, StoreFailedError.
    """
    pieces = (piece for piece in answer.serialize(form))
    first = next(pieces, b"")
    # A short piece is usually the last one; a complete result is sent with its length.
    return first, next(pieces, b"") if len(first) < _SHORT else None, pieces
