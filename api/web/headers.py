"""Headers of every response, and what every request is checked for: its address and its content coding."""

from __future__ import annotations

from typing import Final

from flask import Flask, Response, request

from kg.errors import AddressTooLongError, UnsupportedFormatError

POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "style-src 'self'",
        "img-src 'self' data:",
        "script-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
# Doors of standards that programs of other origins speak. A write bears the token in a header of its own;
# the session's cookie never travels with such a request.
_PUBLIC: Final = frozenset({"sparql", "graphs", "void"})
_SENT: Final = "Accept, Authorization, Content-Type, If-Match, If-None-Match"
_SHOWN: Final = "Accept-Post, Allow, Dropped-Values, ETag, Location, Retry-After, Server-Timing"
_READING: Final = ("reconcile.service",)
_READS: Final = ("GET", "HEAD")
ADDRESS_LIMIT: Final = 64 * 1024
"""Bytes that path and query of an address may have together."""
SECURE: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
OPEN: Final = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": _SHOWN}


def register(app: Flask) -> None:
    """Attach to the application."""
    app.before_request(_check_length)
    app.before_request(_check_coding)
    app.after_request(_complete)


def _check_coding() -> None:
    coding = request.headers.get("Content-Encoding", "identity")
    if coding.lower() != "identity":
        raise UnsupportedFormatError(
            f"the body is sent with Content-Encoding: {coding}",
            mend="Send it as it is; a load takes compressed files (.gz, .zst, .zip).",
        )


def _check_length() -> None:
    length = len(request.query_string) + len(request.path)
    if length > ADDRESS_LIMIT:
        raise AddressTooLongError(
            f"the address has {length:,} bytes and may have {ADDRESS_LIMIT:,}",
            mend="Send a query by POST, as the body or as a field of a form.",
        )


def _complete(response: Response) -> Response:
    # Reading needs no credentials, so every origin may read. The small page that reconciliation clients frame
    # brings a policy of its own.
    public = request.blueprint in _PUBLIC or request.endpoint in _READING
    method = request.method
    if method == "OPTIONS":
        method = request.headers.get("Access-Control-Request-Method", method)
    open_to_all = public or method in _READS
    for name, value in (SECURE | OPEN if open_to_all else SECURE).items():
        response.headers.setdefault(name, value)
    if open_to_all and request.method == "OPTIONS":
        allowed = response.headers.get("Allow", "")
        response.headers["Access-Control-Allow-Methods"] = allowed if public else ", ".join(_READS)
        response.headers["Access-Control-Allow-Headers"] = _SENT
        response.headers["Access-Control-Max-Age"] = "86400"
    return response
