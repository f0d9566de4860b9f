"""The SPARQL 1.1 Graph Store HTTP Protocol.

Indirect (`/graphs?graph=IRI`, `/graphs?default`) and direct (`/graph/SLUG`).
"""

from __future__ import annotations

import re
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlencode

from flask import Blueprint, Response, redirect, request
from flask.typing import ResponseReturnValue

from api.doors import entities
from api.doors.editor import EXAMPLES
from api.web import urls as links
from api.web.auth import writes
from api.web.negotiation import choose_format, send_answer, wants_html
from api.web.preconditions import check_write, conditional
from api.web.query_limit import limited
from api.web.sparql_request import decode, read_fields
from api.web.state import state
from kg.errors import ParameterError, UnsupportedFormatError
from kg.graph_store import WRITING, StoredGraph, read_dataset
from kg.rdf.formats import DATASET_FORMATS, GRAPH_FORMATS, RDF_FORMATS, Format, rdf_format
from kg.rdf.ntriples_files import Written, write_ntriples
from kg.sparql.protection import refuse_own
from kg.terms import GRAPH

blueprint = Blueprint("graphs", __name__)

_MULTIPART: Final = "multipart/form-data"
_PATCH: Final = "application/sparql-update"
_METHODS: Final = ["GET", "HEAD", "PUT", "POST", "DELETE", "PATCH"]
# Dot segments (RFC 3986 section 5.2.4) in a name of ours: clients remove them from its address.
_DOTS: Final = re.compile(rf"{re.escape(GRAPH)}(?:.*/)?(?:\.|%2e){{1,2}}(?:/|$)", re.IGNORECASE)
_ACCEPTED: Final = ", ".join(form.media_type for form in RDF_FORMATS)


@blueprint.route("/graphs", methods=_METHODS)
@limited
def indirect() -> ResponseReturnValue:
    """Read or change the graph that `graph` or `default` names (section 4.2); without one, the store itself.

    The store is read as a whole (TriG or N-Quads), and a POST to it makes a new graph (section 5.5).
    """
    fields = read_fields(request.query_string)
    named, default = fields.get("graph", []), "default" in fields
    if len(named) + default > 1 or fields.get("default", [""]) != [""]:
        raise ParameterError(
            "the address names more than one graph", mend="Write either graph=IRI, once, or default."
        )
    if named and request.method in ("GET", "HEAD") and wants_html():
        return redirect(links.path_of(named[0]), 303)
    if named:
        # The address of a graph of ours stands for the graph, also as the path that `Location` has.
        start, ours, rest = named[0].partition(links.at("/graph/"))
        mine = ours and start in ("", request.host_url.rstrip("/"))
        return _handle(StoredGraph(state().store, GRAPH + unquote(rest) if mine else named[0]))
    if default:
        return _handle(StoredGraph(state().store, None))
    if request.method == "POST":
        return _create()
    if request.method in ("GET", "HEAD"):
        return _whole()
    raise ParameterError(
        f"{request.method} needs a graph", mend="Name it: ?graph=IRI, or ?default for the unnamed graph."
    )


@blueprint.route("/graph/<path:slug>", methods=_METHODS)
@limited
def direct(slug: str) -> ResponseReturnValue:
    """Read or change the graph at this address (section 4.1); browsers get its page."""
    if request.method in ("GET", "HEAD") and wants_html():
        return entities.graph(slug)
    return _handle(StoredGraph(state().store, GRAPH + slug))


def _handle(graph: StoredGraph) -> ResponseReturnValue:
    if request.method in ("GET", "HEAD"):
        return _read(graph)
    response = _change(graph)
    response.headers["Accept-Post"] = _ACCEPTED
    return response


def _read(graph: StoredGraph) -> Response:
    if not graph.exists():
        raise graph.unknown()
    form = choose_format(GRAPH_FORMATS)
    return conditional(graph.iri or "", form.name, lambda: send_answer(graph.read(), form=form))


@writes
def _change(graph: StoredGraph) -> Response:
    refuse_own(graph.iri or "")
    if graph.iri and _DOTS.search(graph.iri):
        raise ParameterError(
            f"the name <{graph.iri}> has “.” or “..” between slashes, which addresses leave out",
            mend="Use another word there.",
        )
    if request.method == "DELETE":
        return _guarded(graph, graph.delete)
    if request.method == "PATCH":
        return _patch(graph)
    with _body(graph.iri or request.base_url) as (path, written):
        if request.method == "PUT":
            return _counted(_guarded(graph, lambda: graph.put(path, written)), written)
        return _counted(_guarded(graph, lambda: graph.merge(path, written)), written)


def _counted(response: Response, written: Written) -> Response:
    """Add the number of values that JSON-LD drops (JSON-LD 1.1 API section 8.2), if there are any."""
    if written.lost:
        response.headers["Dropped-Values"] = str(written.lost)
    return response


def _patch(graph: StoredGraph) -> Response:
    if request.mimetype != _PATCH:
        raise UnsupportedFormatError(
            f"a patch is sent as {request.mimetype or 'no media type'}", mend=f"Send an update as {_PATCH}."
        )
    update = decode(request.get_data())
    return _guarded(graph, lambda: graph.patch(update))


def _guarded(graph: StoredGraph, work: Callable[[], None]) -> Response:
    """Carry out a change whose conditions hold: 201 if it created the graph, else 204."""
    with WRITING:
        state().store.settle()
        existed = graph.exists()
        check_write(graph.iri or "", existed)
        with state().writing():
            work()
    return Response(status=204 if existed or request.method == "PATCH" else 201)


@writes
def _create() -> Response:
    graph = StoredGraph(state().store, f"{GRAPH}g-{secrets.token_hex(8)}")
    with _body(str(graph.iri)) as (path, written), state().writing():
        graph.merge(path, written)
    place = links.at("/graph/") + str(graph.iri).removeprefix(GRAPH)
    return _counted(Response(status=201, headers={"Location": place}), written)


def _whole() -> ResponseReturnValue:
    if wants_html():
        return redirect(links.at("/sparql?") + urlencode({"query": EXAMPLES[2][1]}), 303)
    form = choose_format(DATASET_FORMATS)

    def send() -> Response:
        pieces = read_dataset(state().store, form)
        return Response(chain([next(pieces, b"")], pieces), content_type=form.content_type)

    return conditional("dataset", form.name, send)


@contextmanager
def _body(base: str) -> Iterator[tuple[Path, Written]]:
    """Put the body, or every part of a multipart one, into one file of N-Triples.

    Raises UnsupportedFormatError, DataSyntaxError.
    """
    with tempfile.TemporaryDirectory(prefix="diplograph-") as folder:
        target = Path(folder) / "body.nt"
        target.touch()
        parts: list[Written] = []
        for number, (name, form, save) in enumerate(_parts()):
            source = Path(folder) / f"part-{number}"
            save(source)
            parts.append(write_ntriples(source, form, target, base=base, name=name))
            source.unlink()
        yield (
            target,
            Written(
                sum(part.triples for part in parts),
                any(part.blank_nodes for part in parts),
                any(part.triple_terms for part in parts),
                sum(part.lost for part in parts),
            ),
        )


def _parts() -> Iterator[tuple[str, Format, Callable[[Path], object]]]:
    if request.mimetype != _MULTIPART:
        if not request.mimetype:
            raise UnsupportedFormatError(
                "the body has no media type", mend=f"Send Content-Type, one of: {_ACCEPTED}."
            )
        yield "body", rdf_format(request.mimetype), _save_body
        return
    files = [file for name in request.files for file in request.files.getlist(name)]
    if not files:
        raise ParameterError(
            "no file came with the form", mend="Send each part as a file with its media type."
        )
    for file in files:
        ending = Path(file.filename or "").suffix
        plain = file.mimetype in ("", "application/octet-stream", "text/plain")
        yield file.filename or "part", rdf_format(ending if plain else file.mimetype), file.save


def _save_body(target: Path) -> None:
    with target.open("wb") as out:
        shutil.copyfileobj(request.stream, out)
