"""Conditional requests (RFC 9110 section 13) on things whose state has a name."""

from __future__ import annotations

from flask import Response, request

from kg.errors import PreconditionFailedError

_MEND = "Read it again, decide anew, and send the ETag of what you read."


def etag(state: str, form: str) -> str:
    """Name a representation: the state it shows and the format it is in."""
    return f"{state}.{form}"


def check_write(state: str, exists: bool) -> None:
    """Check If-Match and If-None-Match before a write; `state` is empty where nobody can name it.

    A tag of any of the formats stands for the state. Raises PreconditionFailedError.
    """
    wanted, unwanted = request.if_match, request.if_none_match
    given = [name for name in ("If-Match", "If-None-Match") if name in request.headers]
    if given and not state and not (wanted.star_tag or unwanted.star_tag):
        raise PreconditionFailedError(
            f"this store's states have no names, so {given[0]} cannot be checked",
            mend="Use If-Match: * or If-None-Match: *, or leave the condition out.",
        )
    # Only strong tags can guard a write (section 13.1.1).
    if "If-Match" in request.headers and not (
        exists and (wanted.star_tag or _names(state, wanted.as_set(include_weak=False)))
    ):
        what = "it has changed since it was read" if exists else "there is nothing of that name"
        raise PreconditionFailedError(f"If-Match does not hold: {what}", mend=_MEND)
    if "If-None-Match" in request.headers and (
        exists and (unwanted.star_tag or _names(state, unwanted.as_set(include_weak=True)))
    ):
        raise PreconditionFailedError("If-None-Match does not hold: it is there already", mend=_MEND)


def is_known(tag: str) -> bool:
    """Tell whether the client of a reading request holds this representation already."""
    return "If-None-Match" in request.headers and request.if_none_match.contains_weak(tag)


def not_modified(tag: str) -> Response:
    """Answer that the client's copy is good."""
    response = Response(status=304)
    response.set_etag(tag)
    response.vary.add("Accept")
    return response


def _names(state: str, tags: set[str]) -> bool:
    return any(tag.rpartition(".")[0] == state for tag in tags)
