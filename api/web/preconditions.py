"""Conditional requests (RFC 9110 section 13)."""

from __future__ import annotations

from flask import Response, request

from kg.errors import PreconditionFailedError

_MEND = "Read it again, repeat your change, and send the new ETag."


def etag(state: str, form: str) -> str:
    """Build an entity tag from the state that a representation shows and its format."""
    return f"{state}.{form}"


def check_write(state: str, exists: bool) -> None:
    """Check If-Match and If-None-Match before a write; `state` is empty if the store has no versions.

    A tag of any of the formats stands for the state. Raises PreconditionFailedError.
    """
    wanted, unwanted = request.if_match, request.if_none_match
    given = [name for name in ("If-Match", "If-None-Match") if name in request.headers]
    if given and not state and not (wanted.star_tag or unwanted.star_tag):
        raise PreconditionFailedError(
            f"this store has no versions, so {given[0]} cannot be checked",
            mend="Use If-Match: * or If-None-Match: *, or leave the condition out.",
        )
    # Only strong tags can guard a write (section 13.1.1).
    if "If-Match" in request.headers and not (
        exists and (wanted.star_tag or _names(state, wanted.as_set(include_weak=False)))
    ):
        what = "it has changed since it was read" if exists else "it does not exist"
        raise PreconditionFailedError(f"If-Match does not hold: {what}", mend=_MEND)
    if "If-None-Match" in request.headers and (
        exists and (unwanted.star_tag or _names(state, unwanted.as_set(include_weak=True)))
    ):
        raise PreconditionFailedError("If-None-Match does not hold: it exists already", mend=_MEND)


def is_known(tag: str) -> bool:
    """Return whether the client of a reading request has this representation."""
    return "If-None-Match" in request.headers and request.if_none_match.contains_weak(tag)


def not_modified(tag: str) -> Response:
    """Build the answer for a client whose copy is good."""
    response = Response(status=304)
    response.set_etag(tag)
    response.vary.add("Accept")
    return response


def _names(state: str, tags: set[str]) -> bool:
    return any(tag.rpartition(".")[0] == state for tag in tags)
