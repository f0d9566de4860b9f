"""Errors as answers: one table of statuses, one shape (RFC 9457), as JSON or as a page."""

from __future__ import annotations

import json
import logging
import re
from dataclasses import asdict, dataclass
from typing import Final

from flask import Flask, Response, current_app, make_response, render_template, request
from werkzeug.exceptions import (
    HTTPException,
    MethodNotAllowed,
    NotFound,
    RequestEntityTooLarge,
)
from werkzeug.http import HTTP_STATUS_CODES

from api.web.exchange import note_outcome
from api.web.negotiation import wants_html
from kg import errors
from kg.terms import BASE

_BEARER: Final = 'Bearer realm="diplograph"'
_BASIC: Final = 'Basic realm="diplograph", charset="UTF-8"'
_log = logging.getLogger(__name__)

# The nearest class of an error's ancestry decides.
STATUS: Final[dict[type[errors.DiplographError], int]] = {
    errors.DiplographError: 500,
    errors.RequestError: 400,
    errors.QueryRefusedError: 403,
    errors.UnknownNameError: 404,
    errors.NotAcceptableError: 406,
    errors.ConflictError: 409,
    errors.PreconditionFailedError: 412,
    errors.AddressTooLongError: 414,
    errors.OutsideGraphError: 422,
    errors.ProtectedGraphError: 403,
    errors.CancelledError: 409,
    errors.TooLargeError: 413,
    errors.UnsupportedFormatError: 415,
    errors.ValidationFailedError: 422,
    errors.UnreadableRowsError: 422,
    errors.SignInRequiredError: 401,
    errors.WrongTokenError: 403,
    errors.ReadOnlyError: 403,
    errors.QueryStoppedError: 503,
    errors.StoreBusyError: 503,
    errors.BusyError: 503,
    errors.ToolMissingError: 503,
    errors.ToolFailedError: 503,
    errors.DiskFullError: 507,
}


@dataclass(frozen=True)
class Problem:
    """An error as clients get it: the members of RFC 9457, and the place of the error and how to mend it."""

    type: str
    title: str
    status: int
    detail: str
    where: str | None = None
    mend: str | None = None
    line: int | None = None
    column: int | None = None
    findings: tuple[str, ...] = ()
    meant: tuple[tuple[str, str], ...] = ()

    @property
    def kind(self) -> str:
        """Last part of the type, such as `query-stopped`."""
        return self.type.rpartition("/")[2]

    def members(self) -> dict[str, object]:
        """Return the members that have a value (RFC 9457 section 3)."""
        found: dict[str, object] = {
            name: value for name, value in asdict(self).items() if value not in (None, ())
        }
        if self.meant:
            found["meant"] = [{"label": label, "iri": iri} for label, iri in self.meant]
        return found


def status_of(error: errors.DiplographError) -> int:
    """Return the HTTP status of one of our errors."""
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def problem_of(error: errors.DiplographError) -> Problem:
    """Describe one of our errors."""
    return Problem(
        type=_type(error.kind),
        title=error.title,
        status=status_of(error),
        detail=error.detail,
        where=error.where,
        mend=error.mend,
        line=error.line,
        column=error.column,
        findings=error.findings,
        meant=error.meant,
    )


def problem_parts(
    problem: Problem, error: errors.DiplographError | None = None
) -> tuple[dict[str, str], bytes]:
    """Write a problem as application/problem+json: headers and body."""
    body = json.dumps(problem.members()).encode()
    headers = {"Content-Type": "application/problem+json", "Cache-Control": "no-store"}
    if problem.status == 401:
        headers["WWW-Authenticate"] = f"{_BEARER}, {_BASIC}"
    if isinstance(error, (errors.BusyError, errors.StoreBusyError)):
        headers["Retry-After"] = "2"
    return headers, body


def send_problem(problem: Problem, error: errors.DiplographError | None = None) -> Response:
    """Answer with a problem: a page for browsers, application/problem+json for other clients."""
    note_outcome(problem.kind)
    headers, body = problem_parts(problem, error)
    if not wants_html():
        return Response(body, problem.status, headers=headers)
    page = render_template("error.html", problem=problem)
    if "WWW-Authenticate" in headers:
        headers["WWW-Authenticate"] = _BEARER  # The page leads to the sign-in; Basic would open a dialog.
    return make_response(page, problem.status, headers | {"Content-Type": "text/html; charset=utf-8"})


def log_error(error: errors.DiplographError) -> None:
    """Log an error that is the server's fault."""
    if status_of(error) >= 500:
        _log.error("%s: %s", type(error).__name__, error)


def register(app: Flask) -> None:
    """Make every error of the application a problem."""
    app.register_error_handler(errors.DiplographError, _ours)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unexpected)


def _ours(error: errors.DiplographError) -> Response:
    log_error(error)
    return send_problem(problem_of(error), error)


def _http(error: HTTPException) -> Response:
    status = error.code or 500
    if error.response is not None or status < 400:
        return make_response(error.get_response())
    title = HTTP_STATUS_CODES.get(status, "Error")
    detail, mend = error.description or title, None
    if isinstance(error, RequestEntityTooLarge):
        title = errors.TooLargeError.title
        detail, mend = _over_limit()
    elif isinstance(error, NotFound):
        detail = f"There is nothing at {request.path}"
        mend = "Look for it by name on the search page, or start from the home page."
    elif isinstance(error, MethodNotAllowed):
        allowed = ", ".join(sorted(set(error.valid_methods or ()) - {"OPTIONS"}))
        detail = f"{request.path} does not take {request.method}"
        mend = f"It takes {allowed}."
    response = send_problem(Problem(_type(title), title, status, detail, mend=mend))
    for name, value in error.get_headers(request.environ):
        if name.lower() != "content-type":
            response.headers[name] = value
    return response


def _over_limit() -> tuple[str, str]:
    whole, form = request.max_content_length, request.max_form_memory_size
    length = request.content_length
    if whole is not None and whole < current_app.config["MAX_CONTENT_LENGTH"]:
        return f"a body of this kind may have {whole:,} bytes at most", "Split it into several requests."
    if whole is not None and (length is None or length > whole or form is None):
        return (
            f"the body may have {whole:,} bytes at most",
            "Send less, or have the server started with a larger DIPLOGRAPH_MAX_UPLOAD.",
        )
    return (
        f"the fields of a form may have {form:,} bytes at most",
        "Send it as the body itself with its own media type, or upload it as a file.",
    )


def _unexpected(error: Exception) -> Response:
    if errors.is_disk_full(error):
        return _ours(errors.DiskFullError(f"a disk is full: {error}", mend="Free space on it."))
    _log.error("%s %s failed", request.method, request.path, exc_info=error)
    return send_problem(
        Problem(
            _type("Unexpected"),
            "Something went wrong inside the server",
            500,
            "The request failed for an unexpected reason; none of it was stored",
            mend="The server's log has the details; try again, or report it with the time of the request.",
        )
    )


def _type(name: str) -> str:
    words = re.findall(r"[A-Z]*[a-z0-9]+|[A-Z]+", name)
    return f"{BASE}problem/{'-'.join(words).lower()}"
