"""Authentication of writes: the token in the header Authorization, or a session signed in with it."""

from __future__ import annotations

import functools
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, ParamSpec, TypeVar
from urllib.parse import urlsplit

from flask import Blueprint, Flask, current_app, make_response, redirect, render_template, request, session
from flask.sessions import SecureCookieSessionInterface
from flask.typing import ResponseReturnValue

from api.folder.data_folder import SIGNED_OUT
from api.web.exchange import note_outcome
from api.web.negotiation import wants_html
from api.web.problem_details import problem_of
from api.web.state import state
from kg.errors import ReadOnlyError, SignInRequiredError, WrongTokenError

P = ParamSpec("P")
R = TypeVar("R")

blueprint = Blueprint("access", __name__)


def register(app: Flask) -> None:
    """Attach sessions, the sign-in page and `csrf_token()` and `signed_in()` for templates."""
    token: str = app.extensions["diplograph"].settings.token
    # Derived from the token, so that a new token ends the sessions of the old one.
    key = hmac.digest(token.encode(), b"diplograph session", hashlib.sha256)
    app.secret_key = key if token else secrets.token_bytes(32)
    app.config.update(
        SESSION_COOKIE_NAME="diplograph",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Strict",
    )
    app.session_interface = _Sessions()
    app.add_template_global(csrf_token)
    app.add_template_global(signed_in)
    app.register_blueprint(blueprint)


class _Sessions(SecureCookieSessionInterface):
    def get_cookie_secure(self, app: Flask) -> bool:
        """Return whether the cookie is for https alone: where the client, or its proxy, speaks https."""
        return request.is_secure

    def get_cookie_path(self, app: Flask) -> str:
        """Return the path under which this application is served."""
        return request.script_root or "/"


def writes(view: Callable[P, R]) -> Callable[P, R]:
    """Decorate a view that needs the token.

    Raises ReadOnlyError, SignInRequiredError without any credentials, WrongTokenError with wrong ones.
    """

    @functools.wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        if state().settings.read_only:
            raise ReadOnlyError(
                "this server was started for reading only",
                mend="Have it started without --read-only (DIPLOGRAPH_READ_ONLY).",
            )
        if "Authorization" in request.headers:
            _check_authorization()
        elif signed_in():
            _check_csrf()
        else:
            raise SignInRequiredError(
                "writing needs the server's token",
                mend="Send it as 'Authorization: Bearer TOKEN', or sign in with it at /sign-in. The server "
                "shows it when it first starts and keeps it in the file 'token' of its data folder.",
            )
        return view(*args, **kwargs)

    return guarded


def knows(app: Flask, environ: dict[str, Any]) -> bool:
    """Return whether a request, whose body is not looked at, comes with the token or a session."""
    with app.request_context(environ):
        if "Authorization" not in request.headers:
            return signed_in()
        try:
            _check_authorization()
        except WrongTokenError:
            return False
        return True


def signed_in() -> bool:
    """Return whether this session was signed in with the token, and not signed out since."""
    return session.get("signed_in") is True and not _end_of_session().exists()


def _end_of_session() -> Path:
    """Return the file that exists once this session is signed out: a copy of its cookie is worth nothing."""
    name = hashlib.sha256(csrf_token().encode()).hexdigest()
    return state().settings.data / SIGNED_OUT / name


def csrf_token() -> str:
    """Return the value of a form's hidden field `csrf_token`; empty without a session."""
    found: str = session.get("csrf", "")
    return found


@blueprint.get("/sign-in")
def sign_in() -> ResponseReturnValue:
    """Show the form that takes the token."""
    return render_template("sign-in.html", next=_local(request.args.get("next", "")), problem=None)


@blueprint.post("/sign-in")
def take_token() -> ResponseReturnValue:
    """Open a session for a client that sends the token, and redirect to `next`."""
    target = _local(request.form.get("next", ""))
    if not _is_token(request.form.get("token", "")):
        error = WrongTokenError(
            "that is not this server's token",
            mend="Copy it from the server's start message or from the file 'token' of its data folder.",
        )
        if not wants_html():
            raise error
        problem = problem_of(error)
        note_outcome(problem.kind)
        return make_response(render_template("sign-in.html", next=target, problem=problem), 403)
    session.clear()
    session["signed_in"] = True
    session["csrf"] = secrets.token_urlsafe(32)
    return redirect(target, 303)


@blueprint.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    """End the session."""
    if signed_in():
        _check_csrf()
        ended = _end_of_session()
        ended.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        ended.touch()
        for other in ended.parent.iterdir():
            # Older cookies have expired.
            if other.stat().st_mtime < time.time() - current_app.permanent_session_lifetime.total_seconds():
                other.unlink(missing_ok=True)
        session.clear()
    return redirect(_local(""), 303)


def _check_authorization() -> None:
    """Check the token, sent as a bearer token or as the password of any user (RFC 7617)."""
    given = request.authorization
    basic = given is not None and given.type == "basic"
    token = given and (given.password if basic else given.token if given.type == "bearer" else None)
    # A browser adds a password that it remembers to the forms of other sites, too.
    foreign = basic and request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin")
    if foreign or not _is_token(token or ""):
        raise WrongTokenError(
            "the Authorization header does not hold this server's token",
            mend="Send 'Authorization: Bearer TOKEN' with the token from the server's data folder.",
        )


def _check_csrf() -> None:
    if not hmac.compare_digest(request.form.get("csrf_token", "").encode(), csrf_token().encode()):
        raise WrongTokenError(
            "the form does not come from a page of this session",
            mend="Open the form's page again and send it from there; programs send "
            "'Authorization: Bearer TOKEN'.",
        )


def _is_token(given: str) -> bool:
    token = state().settings.token
    return bool(token) and hmac.compare_digest(given.encode(), token.encode())


def _local(target: str) -> str:
    # Browsers read "\" as "/" and skip control characters, so that "/\host" would lead away.
    parts = urlsplit(target)
    plain = target.isprintable() and "\\" not in target and not target.startswith("//")
    home = request.script_root + "/"
    return target if plain and target.startswith(home) and not (parts.scheme or parts.netloc) else home
