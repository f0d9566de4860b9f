"""Content codings (RFC 9110 section 8.4.1): gzip and zstd, as the body streams through."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any, Final, Protocol

import zstandard
from werkzeug.datastructures import Accept
from werkzeug.http import parse_accept_header

Environ = dict[str, Any]
Headers = list[tuple[str, str]]
Wsgi = Callable[[Environ, Any], Iterable[bytes]]

SMALLEST: Final = 1024
_TEXT: Final = re.compile(r"text/|application/(?:[\w.+-]*(?:json|xml)\b|trig|n-triples|n-quads)|image/svg")
_CODED_TAG: Final = re.compile(r'-(?:gzip|zstd)"')
_CONDITIONS: Final = ("HTTP_IF_NONE_MATCH", "HTTP_IF_MATCH")


class _Coder(Protocol):
    def compress(self, data: bytes, /) -> bytes: ...

    def flush(self) -> bytes: ...


def choose_coding(header: str) -> str:
    """Choose `zstd`, `gzip` or nothing (the empty text) for an Accept-Encoding header."""
    return _choose(header) if len(header) < 500 else _choose.__wrapped__(header)


@lru_cache(maxsize=256)
def _choose(header: str) -> str:
    if not header:
        return ""
    accept = parse_accept_header(header, Accept)
    best = max(("zstd", "gzip"), key=lambda name: accept.quality(name))
    return best if accept.quality(best) > 0 and accept.quality(best) >= accept.quality("identity") else ""


def coder(coding: str) -> _Coder:
    """Make what compresses one body."""
    if coding == "zstd":
        return zstandard.ZstdCompressor(level=3).compressobj()
    return zlib.compressobj(6, zlib.DEFLATED, 16 + zlib.MAX_WBITS)


def compress(data: bytes, coding: str) -> bytes:
    """Compress a whole body."""
    made = coder(coding)
    return made.compress(data) + made.flush()


def coded_tag(tag: str, coding: str) -> str:
    """Name the coded form of a representation: `"x"` becomes `"x-gzip"`."""
    return f'{tag[:-1]}-{coding}"' if coding and tag.endswith('"') else tag


def held_tag(held: str, tag: str, coding: str) -> str:
    """Give the tag in the form that the client holds, to tell it that its copy is good."""
    coded = coded_tag(tag, coding)
    return coded if coded.removeprefix("W/") in held else tag


def plain_tags(header: str) -> str:
    """Take the coding off every tag of an If-Match or If-None-Match."""
    return _CODED_TAG.sub('"', header)


class Compressor:
    """Wraps an application. A body that breaks off stays broken: its coded form is never finished."""

    def __init__(self, app: Wsgi) -> None:
        self._app = app

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        """Answer a request."""
        coding = choose_coding(environ.get("HTTP_ACCEPT_ENCODING", ""))
        held = environ.get("HTTP_IF_NONE_MATCH", "")
        for name in _CONDITIONS:
            if name in environ:
                environ[name] = plain_tags(environ[name])
        status, headers, body = run(self._app, environ)
        if _is_text(headers):
            add_vary(headers, "Accept-Encoding")
        if status.startswith("304"):
            _change_tag(headers, lambda tag: held_tag(held, tag, coding))
        elif coding and _is_text(headers) and _worth_it(environ, status, headers):
            headers[:] = [pair for pair in headers if pair[0].lower() != "content-length"]
            headers.append(("Content-Encoding", coding))
            _change_tag(headers, lambda tag: coded_tag(tag, coding))
            body = Piped(body, _pieces(body, coding))
        start_response(status, headers)
        return body


class Piped:
    """An iteration over what another made, which is closed with it."""

    def __init__(self, source: Iterable[bytes], pieces: Iterator[bytes]) -> None:
        self._source = source
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        """Give the pieces."""
        return self._pieces

    def close(self) -> None:
        """Close both."""
        for part in (self._pieces, self._source):
            close = getattr(part, "close", None)
            if close is not None:
                close()


def run(app: Wsgi, environ: Environ) -> tuple[str, Headers, Iterable[bytes]]:
    """Call an application that answers before it gives its body, as Flask does."""
    said: list[Any] = []

    def start(status: str, headers: Headers, exc_info: Any = None) -> Callable[[bytes], object]:
        said[:] = [status, list(headers)]
        return lambda data: None

    body = app(environ, start)
    return said[0], said[1], body


def add_vary(headers: Headers, name: str) -> str:
    """Add a name to Vary; gives the new value."""
    old = ", ".join(value for key, value in headers if key.lower() == "vary")
    value = old if name.lower() in old.lower() else f"{old}, {name}" if old else name
    headers[:] = [*(pair for pair in headers if pair[0].lower() != "vary"), ("Vary", value)]
    return value


def header(headers: Headers, name: str) -> str:
    """Give a header's value, empty when it is absent."""
    wanted = name.lower()
    for key, value in headers:
        if key.lower() == wanted:
            return value
    return ""


def _change_tag(headers: Headers, change: Callable[[str], str]) -> None:
    headers[:] = [(name, change(value) if name.lower() == "etag" else value) for name, value in headers]


def _is_text(headers: Headers) -> bool:
    return bool(_TEXT.match(header(headers, "Content-Type")))


def _worth_it(environ: Environ, status: str, headers: Headers) -> bool:
    length = header(headers, "Content-Length")
    # A page of a session repeats what the address says beside a secret; its length must not tell of it.
    secret = "HTTP_COOKIE" in environ and header(headers, "Content-Type").startswith("text/html")
    return (
        status.startswith("200")
        and environ["REQUEST_METHOD"] != "HEAD"
        and not header(headers, "Content-Encoding")
        and not (length and int(length) < SMALLEST)
        and not secret
        # What must not wait in a buffer of a proxy must not wait in the coder's.
        and header(headers, "X-Accel-Buffering") != "no"
    )


def _pieces(body: Iterable[bytes], coding: str) -> Iterator[bytes]:
    made = coder(coding)
    for piece in body:
        if coded := made.compress(piece):
            yield coded
    yield made.flush()
