"""Loading files: a preview first, then the commit; a load can be undone."""

from __future__ import annotations

import io
import shutil
import tempfile
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, Final, get_args

from flask import Blueprint, jsonify, redirect, render_template, request, send_file
from flask.typing import ResponseReturnValue
from werkzeug.utils import secure_filename

from api.loading.load_jobs import Job, Request, open_for_undo
from api.pages.page_parameters import whole_number
from api.web.auth import writes
from api.web.negotiation import wants_html
from api.web.state import state
from api.web.urls import at, path_of
from kg import load as loading
from kg.errors import ParameterError, UnknownNameError
from kg.load import Action, LoadFolder, LoadRequest, LoadState, Preview
from kg.load.model import Records
from kg.provenance import Load
from kg.rdf.formats import RDF_FORMATS
from kg.readers.detect import FORMATS, bundled_readers
from kg.readers.event_table import write_template
from kg.readers.periods import DateOrder
from kg.terms import compact, term

blueprint = Blueprint("loads", __name__)

_FORM: Final = "multipart/form-data"
_CHUNK: Final = 1024 * 1024
_REFRESH: Final = 2
_HEADERS: Final = {"Cache-Control": "no-store"}


@blueprint.get("/load")
def form() -> ResponseReturnValue:
    """Show the form for a file."""
    return render_template("load.html", formats=RDF_FORMATS, tables=(*FORMATS, *bundled_readers()))


@blueprint.get("/load/template.<any(csv, tsv, xlsx):ending>")
def template(ending: str) -> ResponseReturnValue:
    """Send an empty table of events for `/load`, with a line about each column."""
    name = f"events.{ending}"
    with tempfile.TemporaryDirectory() as folder:
        write_template(Path(folder) / name)
        content = (Path(folder) / name).read_bytes()
    return send_file(io.BytesIO(content), as_attachment=True, download_name=name)


@blueprint.post("/load")
@writes
def preview() -> ResponseReturnValue:
    """Preview a load of the form's `file`, or of the body.

    Parameters: `source`, `format`, `name`, `base`, `max_errors`, `missing` (repeated, or words separated by
    spaces), `date_order` (dmy or mdy), `records` (both or quads), and `mapping`, the text of an RML mapping.
    Status 201 with the preview, or 202 while the file is still being read.
    """
    name, media_type = _named()
    max_errors = whole_number(_option("max_errors") or "0", "max_errors", 0, 999_999_999)
    here = state()
    here.loads.tidy()
    folder, _ = here.loads.new(name, started_by=_option("by") or "")
    try:
        with closing(_requested(folder, "preview")) as asked:
            path = _receive(folder, name)
            own = None
            if mapping := _option("mapping"):
                own = folder.path / "mapping.rml.ttl"
                own.write_text(mapping, encoding="utf-8")
            reading = LoadRequest(
                path,
                name,
                _option("format"),
                _option("source"),
                _option("base"),
                max_errors,
                mapping=own,
                media_type=media_type,
                missing=_words("missing"),
                date_order=_one_of("date_order", get_args(DateOrder)),
                records=_one_of("records", get_args(Records)) or "both",
            )
            done = asked.begin(partial(here.carry_out, Job("preview", folder.id, reading)))
    except BaseException:
        folder.remove()
        raise
    place = at(f"/loads/{folder.id}")
    if wants_html():
        return redirect(place, 303)
    return jsonify(_members(folder.read())), 201 if done else 202, {"Location": place}


@blueprint.post("/loads/<load_id>/commit")
@writes
def commit(load_id: str) -> ResponseReturnValue:
    """Store a previewed load, without the IRIs in `skip`; 202 while it is being stored."""
    folder = state().loads.open(load_id)
    skip = set(request.values.getlist("skip"))
    # A form sends the boxes that are ticked; those that it listed and did not send are left out.
    skip |= set(request.form.getlist("listed")) - set(request.form.getlist("keep"))
    return _carry_out(folder, Job("store", folder.id, skip=sorted(skip)))


@blueprint.post("/loads/<load_id>/undo")
@writes
def undo(load_id: str) -> ResponseReturnValue:
    """Undo a load; 202 while it is being undone, or waits until it is stored."""
    folder = open_for_undo(state().store, state().loads, load_id)
    return _carry_out(folder, Job("undo", folder.id, started_by=_option("by") or ""))


@blueprint.post("/loads/<load_id>/cancel")
@writes
def cancel(load_id: str) -> ResponseReturnValue:
    """Cancel a load in progress, or discard a preview."""
    folder = state().loads.open(load_id)
    said = _shown(folder)
    if said.step in ("ready", "unchanged", "failed", "cancelled"):
        folder.remove()
        if wants_html():
            return redirect(at("/loads"), 303)
        return jsonify({"id": load_id, "state": "cancelled"})
    if not said.ended:
        folder.cancel()
    return _answer(folder)


@blueprint.get("/loads")
def history() -> ResponseReturnValue:
    """List the loads, newest first, and separately those that are not stored yet."""
    here = state()
    loads = loading.read_loads(here.store)
    open_ones = [
        said
        for folder, _ in reversed(here.loads.all())
        if (said := loading.settle(here.store, here.loads, folder)).step not in ("stored", "undone")
    ]
    if wants_html():
        return render_template("loads.html", loads=loads, open_ones=open_ones)
    waiting = [{"id": said.id, "state": said.step, "file": said.file_name} for said in open_ones]
    return jsonify({"loads": [load.summary() for load in loads], "open": waiting})


@blueprint.get("/loads/<load_id>")
def one(load_id: str) -> ResponseReturnValue:
    """Show the progress of a load, its preview, or its result."""
    here = state()
    try:
        folder = here.loads.open(load_id)
        said = _shown(folder)
    except UnknownNameError:
        return _stored(loading.read_load(here.store, load_id), None)
    if said.step in ("stored", "undone"):
        return _stored(loading.read_load(here.store, load_id), said)
    if not wants_html():
        return jsonify(_members(said)), _HEADERS
    if not said.ended:
        page = render_template("load-progress.html", said=said, refresh=_REFRESH)
        return page, {**_HEADERS, "Refresh": str(_REFRESH)}
    if said.preview is None:
        return render_template("load-failed.html", said=said), _HEADERS
    plan = said.plan()
    return (
        render_template(
            "load-preview.html",
            plan=plan,
            said=said,
            graph=compact(plan.graph),
            fates=_fates(plan),
        ),
        _HEADERS,
    )


def _shown(folder: LoadFolder) -> LoadState:
    return loading.settle(state().store, state().loads, folder)


def _requested(folder: LoadFolder, do: Action) -> Request:
    return Request(state().store, state().loads, folder, do)


def _carry_out(folder: LoadFolder, job: Job) -> ResponseReturnValue:
    """Start a job and answer once it is done, or after a short time."""
    with closing(_requested(folder, job.do)) as asked:
        asked.begin(partial(state().carry_out, job))
    return _answer(folder)


def _fates(plan: Preview) -> list[tuple[str, int]]:
    fates = ("new", "changed", "unchanged", "gone")
    events = [count for count in plan.counts if count.type in _COUNTED]
    return [(fate, sum(getattr(count, fate) for count in events)) for fate in fates]


_COUNTED: Final = {term(f"dg:{name}").value for name in ("Event", "Claim", "CodingRecord")}


def _stored(load: Load, said: LoadState | None) -> ResponseReturnValue:
    members = {
        **load.summary(),
        "state": said.step if said else "stored",
        "unchanged": False,
        "skipped": said.skipped if said else [],
        "kept": said.kept if said else [],
        "notes": said.notes if said else [],
        "links": _links(said) if said else {"self": at(f"/loads/{load.id}")},
    }
    if said and said.problem is not None:
        members["problem"] = said.problem
    if not wants_html():
        return jsonify(members)
    return render_template(
        "load-done.html",
        load=load,
        said=said,
        graph=compact(load.graph),
        look=path_of(load.graph),
    )


def _answer(folder: LoadFolder) -> ResponseReturnValue:
    place = at(f"/loads/{folder.id}")
    if wants_html():
        return redirect(place, 303)
    said = _shown(folder)
    if said.step in ("stored", "undone"):
        return _stored(loading.read_load(state().store, folder.id), said)
    members = _members(said)
    if said.step == "unchanged":
        members = {"unchanged": True, "graph": said.plan().graph, "load": None}
    return jsonify(members), 200 if said.ended else 202, {"Location": place}


def _members(said: LoadState) -> dict[str, Any]:
    members: dict[str, Any] = {"id": said.id, "state": said.step, "file": said.file_name}
    if said.preview is not None:
        members |= said.plan().summary()
    if said.problem is not None:
        members["problem"] = said.problem
    if not said.ended:
        members["progress"] = {
            "phase": said.phase,
            "done": said.done,
            "total": said.total,
            "per_second": round(said.per_second),
            "seconds_left": said.seconds_left,
        }
    return {**members, "links": _links(said)}


def _links(said: LoadState) -> dict[str, str]:
    here = at(f"/loads/{said.id}")
    links = {"self": here}
    if said.can_be_stored:
        links["commit"] = f"{here}/commit"
    if said.step == "stored":
        links["undo"] = f"{here}/undo"
    if said.can_be_cancelled or said.can_be_stored:
        links["cancel"] = f"{here}/cancel"
    return links


def _named() -> tuple[str, str]:
    """Return the name and the media type of the file that is sent."""
    if request.mimetype == _FORM:
        file = request.files.get("file")
        if file is None or not file.filename:
            raise ParameterError("no file was chosen", mend="Choose a file in the field `file`.")
        return file.filename, file.mimetype
    name = request.args.get("name", "")
    if not name and not _option("source"):
        raise ParameterError(
            "the body has neither a file name nor a source",
            mend="Add ?source=NAME (or ?name=FILE.ttl) to the address.",
        )
    return name or "body", request.mimetype


def _receive(folder: LoadFolder, name: str) -> Path:
    """Write the body to a file of the load, in pieces."""
    path = folder.source / (secure_filename(Path(name).name)[-100:] or "data")
    if request.mimetype == _FORM:
        request.files["file"].save(path, buffer_size=_CHUNK)
        return path
    with path.open("wb") as file:
        shutil.copyfileobj(request.stream, file, _CHUNK)
    return path


def _words(name: str) -> tuple[str, ...]:
    """Return the words of a parameter that may be repeated, or hold several words."""
    given = [*request.args.getlist(name), *(request.form.getlist(name) if request.mimetype == _FORM else ())]
    return tuple(word for text in given for word in text.split())


def _one_of(name: str, values: tuple[str, ...]) -> Any:
    """Return a parameter that has one of some values, None without it."""
    given = _option(name)
    if given is None or given in values:
        return given
    raise ParameterError(f'{name} "{given}" is not known', mend=f"Use {' or '.join(values)}.")


def _option(name: str) -> str | None:
    given = request.args.get(name) or (request.form.get(name) if request.mimetype == _FORM else None)
    return given.strip() or None if given else None
