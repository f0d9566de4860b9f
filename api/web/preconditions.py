"""Conditional requests (RFC 9110 section 13), by entity tags of a state of the store and a format."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from flask import Response, request

from api.web.state import state
from kg.errors import PreconditionFailedError

_MEND = "Read it again, repeat your change, and send the new ETag."


def conditional(what: str, form: str, make: Callable[[], Response]) -> Response:
    """Return the response that `make` builds of something in a format, or 304 for a client that has it.

    A store that has no versions has no tags.
    """
    version = _state_of(what)
    if not version:
        return make()
    tag = f"{version}.{form}"
    known = "If-None-Match" in request.headers and request.if_none_match.contains_weak(tag)
    response = Response(status=304) if known else make()
    response.set_etag(tag)
    response.headers["Cache-Control"] = "no-cache"
    return response


def check_write(what: str, exists: bool) -> None:
    """Check If-Match and If-None-Match before something is written.

    A tag of any of the formats stands for the state. Raises PreconditionFailedError.
    """
    version = _state_of(what)
    wanted, unwanted = request.if_match, request.if_none_match
    given = [name for name in ("If-Match", "If-None-Match") if name in request.headers]
    if given and not version and not (wanted.star_tag or unwanted.star_tag):
        raise PreconditionFailedError(
            f"this store has no versions, so {given[0]} cannot be checked",
            mend="Use If-Match: * or If-None-Match: *, or leave the condition out.",
        )
    # Only strong tags can guard a write (section 13.1.1).
    if "If-Match" in request.headers and not (
        exists and (wanted.star_tag or _names(version, wanted.as_set(include_weak=False)))
    ):
        changed = "it has changed since it was read" if exists else "it does not exist"
        raise PreconditionFailedError(f"If-Match does not hold: {changed}", mend=_MEND)
    if "If-None-Match" in request.headers and (
        exists and (unwanted.star_tag or _names(version, unwanted.as_set(include_weak=True)))
    ):
        raise PreconditionFailedError("If-None-Match does not hold: it exists already", mend=_MEND)


def _state_of(what: str) -> str:
    """Return the state of something, new after any change of the store; empty if that has no versions."""
    version = state().store.version
    return hashlib.sha256(f"{version}\n{what}".encode()).hexdigest()[:24] if version else ""


def _names(version: str, tags: set[str]) -> bool:
    return any(tag.rpartition(".")[0] == version for tag in tags)
