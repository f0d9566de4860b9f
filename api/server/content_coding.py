"""Content codings zstd and gzip (RFC 9110 section 8.4.1), and entity tags to match."""

from __future__ import annotations

import re
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette_compress import CompressMiddleware, add_compress_type

from kg.rdf.formats import RDF_FORMATS, RESULT_FORMATS

_CODED: Final = re.compile(rb'-(?:gzip|zstd)"')
_CONDITIONS: Final = (b"if-match", b"if-none-match")

for _form in (*RESULT_FORMATS, *RDF_FORMATS):
    for _name in (_form.media_type, *_form.aliases):
        add_compress_type(_name)


class ContentCoding:
    """ASGI middleware: compresses texts, and gives each coding of a strong entity tag a tag of its own.

    A body that breaks off stays broken: its coded form is never finished. Answers to requests with a cookie
    are left alone, since the length of a compressed page tells something of the secrets in it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._coded = CompressMiddleware(app, minimum_size=1024, brotli=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        headers: list[tuple[bytes, bytes]] = scope["headers"]
        held = b", ".join(value for name, value in headers if name == b"if-none-match")
        if held or any(name == b"if-match" for name, _ in headers):
            plain = [
                (name, _CODED.sub(b'"', value) if name in _CONDITIONS else value) for name, value in headers
            ]
            scope = {**scope, "headers": plain}

        async def tagged(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": _tag(message["status"], message["headers"], held)}
            await send(message)

        app = self._app if any(name == b"cookie" for name, _ in headers) else self._coded
        await app(scope, receive, tagged)


def _tag(status: int, headers: list[tuple[bytes, bytes]], held: bytes) -> list[tuple[bytes, bytes]]:
    found = dict(headers)
    tag, coding = found.get(b"etag", b""), found.get(b"content-encoding", b"")
    if not tag.startswith(b'"'):
        return headers
    # A client whose copy is good is told so under the tag that it holds.
    codings = (coding,) if coding else (b"zstd", b"gzip") if status == 304 else ()
    for name in codings:
        coded = b'%b-%b"' % (tag[:-1], name)
        if status != 304 or coded in held:
            return [(name, coded if name == b"etag" else value) for name, value in headers]
    return headers
