"""Error responses of servers, as errors of our tree."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from kg import errors

if TYPE_CHECKING:
    import httpx

PROBLEM = "application/problem+json"
_SHOWN = 300
_BY_STATUS: dict[int, type[errors.DiplographError]] = {
    401: errors.SignInRequiredError,
    403: errors.WrongTokenError,
    413: errors.TooLargeError,
    415: errors.UnsupportedFormatError,
    429: errors.BusyError,
}


def unreachable(url: str, error: Exception) -> errors.StoreFailedError:
    """Build the error for a server without a complete answer."""
    return errors.StoreFailedError(
        f"there was no complete answer: {error or type(error).__name__}",
        where=url,
        mend="Check that the server runs, and try again.",
    )


def problem_error(response: httpx.Response) -> errors.DiplographError:
    """Build the error that a response describes by problem details (RFC 9457) or by its status.

    The body of the response must have been read.
    """
    members = _members(response)
    status = response.status_code
    text = "" if members else _plain(response)
    answer = f"the server answered {status} {response.reason_phrase}".rstrip() + (f": {text}" if text else "")
    detail = str(members.get("detail") or answer)
    where = str(members["where"]) if "where" in members else None
    mend = str(members["mend"]) if "mend" in members else None
    kind = str(members.get("type", "")).rpartition("/")[2]
    other = errors.RequestError if 400 <= status < 500 else errors.StoreFailedError
    made = errors.ERRORS_BY_KIND.get(kind) or _BY_STATUS.get(status, other)
    if mend is None and made in (errors.SignInRequiredError, errors.WrongTokenError):
        mend = "Set DIPLOGRAPH_STORE_LOGIN to name:password, or to the token, of the store."
    line, column, findings = (members.get(name) for name in ("line", "column", "findings"))
    return made(
        detail,
        where=where or (None if members else str(response.url)),
        mend=mend,
        line=line if isinstance(line, int) else None,
        column=column if isinstance(column, int) else None,
        findings=tuple(map(str, findings)) if isinstance(findings, list) else (),
    )


def _members(response: httpx.Response) -> dict[str, Any]:
    if not response.headers.get("Content-Type", "").startswith(PROBLEM):
        return {}
    try:
        members = response.json()
    except (json.JSONDecodeError, UnicodeDecodeError):
        return {}
    return members if isinstance(members, dict) else {}


def _plain(response: httpx.Response) -> str:
    """Return the first paragraph of a plain text; an HTML page has no message in one line."""
    if not response.headers.get("Content-Type", "").startswith("text/plain"):
        return ""
    return " ".join(response.text.partition("\n\n")[0].split())[:_SHOWN]
