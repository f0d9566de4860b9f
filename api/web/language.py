"""The reader's language: `lang` in the address, else Accept-Language (RFC 9110 section 12.5.4)."""

from __future__ import annotations

import re
from typing import Final

from flask import Flask, Response, request

from kg.languages import speak

_TAG: Final = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,3}")
_MOST: Final = 6


def register(app: Flask) -> None:
    """Attach to the application."""
    app.before_request(_listen)
    app.after_request(_vary)


def asked_languages() -> list[str]:
    """Return the languages of the request, the preferred one first."""
    tags = [request.args.get("lang", ""), *request.accept_languages.values()]
    return [tag for tag in tags if _TAG.fullmatch(tag)][:_MOST]


def _listen() -> None:
    speak(asked_languages())


def _vary(response: Response) -> Response:
    if response.mimetype == "text/html":
        response.vary.add("Accept-Language")
    return response
