"""Headers that every response bears."""

from __future__ import annotations

from typing import Final

from flask import Flask, Response, request

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

_READING: Final = ("sparql.query", "reconcile.service")


def register(app: Flask) -> None:
    """Attach to the application."""
    app.after_request(_complete)


def _complete(response: Response) -> Response:
    # The small page that reconciliation clients frame brings its own.
    response.headers.setdefault("Content-Security-Policy", POLICY)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    # Reading needs no credentials, so every origin may read; a query by POST reads, too.
    if request.method in ("GET", "HEAD") or request.endpoint in _READING:
        response.headers["Access-Control-Allow-Origin"] = "*"
    return response
