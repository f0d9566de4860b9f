"""Requests as they come in: heads within limits, bodies on disk when they are large (RFC 9112)."""

from __future__ import annotations

import io
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import IO, Any, Final
from urllib.parse import unquote_to_bytes
from wsgiref.util import FileWrapper

import httptools

Environ = dict[str, Any]

_HEAD: Final = 256 * 1024
_IN_MEMORY: Final = 512 * 1024
_BLOCK: Final = 256 * 1024
# What a proxy says, and what a program that runs others would take for its own (httpoxy).
_FORWARDED: Final = (b"x-forwarded-", b"forwarded", b"proxy")


class BadRequestError(Exception):
    """What came is no request that can be answered; `status` is how its client is told."""

    def __init__(self, status: str) -> None:
        super().__init__(status)
        self.status = status


@dataclass(frozen=True)
class Trust:
    """Where this server answers, and the address of the one proxy that is believed (or an empty text)."""

    host: str
    port: int
    proxy: str = ""


@dataclass
class Request:
    """One request; `size` counts the body's bytes as far as it was taken."""

    url: bytes = b""
    method: str = ""
    version: str = "1.1"
    keeps: bool = True
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: IO[bytes] = field(default_factory=io.BytesIO)
    size: int = 0
    length: int | None = None
    has_body: bool = False

    def environ(self, peer: tuple[str, int], trust: Trust) -> Environ:
        """Write it as WSGI has it (PEP 3333). Raises BadRequestError."""
        path, _, query = self._target().partition(b"?")
        if b"%" in path:
            path = unquote_to_bytes(path)
        environ: Environ = {
            "REQUEST_METHOD": self.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": path.decode("latin-1"),
            "QUERY_STRING": query.decode("latin-1"),
            "SERVER_NAME": trust.host,
            "SERVER_PORT": str(trust.port),
            "SERVER_PROTOCOL": f"HTTP/{self.version}",
            "REMOTE_ADDR": peer[0],
            "REMOTE_PORT": str(peer[1]),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": self.body,
            "wsgi.input_terminated": True,
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
            "wsgi.file_wrapper": _whole_blocks,
        }
        hosts = 0
        for name, value in self.headers:
            variable = _variable(name)
            if not variable:
                continue
            hosts += variable == "HTTP_HOST"
            text = value.decode("latin-1")
            if variable in environ:
                text = environ[variable] + ("; " if variable == "HTTP_COOKIE" else ", ") + text
            environ[variable] = text
        if hosts > 1 or (not hosts and self.version == "1.1"):
            raise BadRequestError("400 Bad Request")  # RFC 9112 section 3.2
        if self.has_body:
            # What came in chunks has a length by now; what is over the limit shows it, and was not taken.
            environ["CONTENT_LENGTH"] = str(self.size if self.length is None else self.length)
        if trust.proxy and peer[0] == trust.proxy:
            self._believe(environ)
        return environ

    def _target(self) -> bytes:
        if self.url.startswith(b"/"):
            return self.url.partition(b"#")[0]
        if self.url == b"*":
            return b"/*" if self.method != "OPTIONS" else b"/"
        try:
            parsed = httptools.parse_url(self.url)
        except httptools.HttpParserInvalidURLError:
            raise BadRequestError("400 Bad Request") from None
        return (parsed.path or b"/") + (b"?" + parsed.query if parsed.query else b"")

    def _believe(self, environ: Environ) -> None:
        """Take scheme and client from the proxy that stands in front."""
        said = {name.lower(): value.decode("latin-1").strip() for name, value in self.headers}
        scheme = said.get(b"x-forwarded-proto", "").lower()
        if scheme in ("http", "https"):
            environ["wsgi.url_scheme"] = scheme
        # The last one is what the proxy itself saw; what stands before it anybody may have written.
        client = said.get(b"x-forwarded-for", "").rpartition(",")[2].strip()
        if client:
            environ["REMOTE_ADDR"] = client.strip('"')


class RequestReader:
    """Takes what comes on one connection, and gives every request that is whole to `complete`.

    A body of more than `limit` bytes is not taken: the request is given with the length that it has. `go_on`
    is called when the client waits to hear that its body is welcome (RFC 9110 section 10.1.1).
    """

    def __init__(self, limit: int, complete: Callable[[Request], None], go_on: Callable[[], None]) -> None:
        self._limit = limit
        self._complete = complete
        self._go_on = go_on
        self._parser = httptools.HttpRequestParser(self)
        self._request: Request | None = None
        self._in_head = False
        self._head = 0
        # A head to be read once more, without the offer of another protocol that would hide its body.
        self._again = b""
        self._unknown = False
        self.refused = False

    @property
    def begun(self) -> bool:
        """Tell whether a part of a request has come."""
        return self._request is not None

    @property
    def in_head(self) -> bool:
        """Tell whether its head is not whole yet."""
        return self._in_head

    @property
    def size(self) -> int:
        """Count the bytes of its body so far."""
        return self._request.size if self._request else 0

    def feed(self, data: bytes) -> None:
        """Take what came. Raises BadRequestError."""
        while data and not self.refused:
            if self._in_head:
                self._head += len(data)
            try:
                self._parser.feed_data(data)
                data = b""
            except httptools.HttpParserUpgrade as upgrade:
                # An offer of another protocol, which may be passed over (RFC 9110 section 7.8).
                data = self._again + data[upgrade.args[0] :]
                self._again = b""
                self._parser = httptools.HttpRequestParser(self)
            except httptools.HttpParserError:
                raise BadRequestError("400 Bad Request") from None
            if self._unknown:
                raise BadRequestError("501 Not Implemented")
            if self._in_head and self._head > _HEAD:
                raise BadRequestError("431 Request Header Fields Too Large")

    def on_message_begin(self) -> None:
        """Note that a request begins."""
        if self.refused:
            return
        self._request = Request()
        self._in_head = True
        self._head = 0

    def on_url(self, url: bytes) -> None:
        """Take a part of its address."""
        if self._request is not None:
            self._request.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take one of its headers."""
        if self._request is not None:
            self._request.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Note that the head is whole; the body follows, or nothing."""
        request = self._request
        self._in_head = False
        if request is None:
            return
        request.method = self._parser.get_method().decode("ascii")
        request.version = self._parser.get_http_version()
        request.keeps = self._parser.should_keep_alive()
        expects = False
        for name, value in request.headers:
            low = name.lower()
            if low == b"content-length":
                request.length, request.has_body = int(value), True
            elif low == b"transfer-encoding":
                request.has_body = True
                if value.lower() != b"chunked":  # RFC 9112 section 6.1
                    self._unknown, self._request = True, None
                    return
            elif low == b"expect":
                expects = value.lower() == b"100-continue"
        if request.has_body and self._parser.should_upgrade():
            lines = [b"%b: %b" % pair for pair in request.headers if pair[0].lower() != b"upgrade"]
            start = b"%b %b HTTP/%b" % (self._parser.get_method(), request.url, request.version.encode())
            self._again = b"\r\n".join((start, *lines, b"", b""))
            return
        if request.has_body:
            request.body = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - closed with the request
        if request.length is not None and request.length > self._limit:
            self._refuse(request)
        elif expects and request.has_body and request.version == "1.1":
            self._go_on()

    def on_body(self, body: bytes) -> None:
        """Take a part of its body."""
        request = self._request
        if request is None:
            return
        request.size += len(body)
        if request.size > self._limit:
            self._refuse(request)
        else:
            request.body.write(body)

    def on_message_complete(self) -> None:
        """Give the request on."""
        request, self._request = self._request, None
        if request is not None and not self._again:
            request.body.seek(0)
            self._complete(request)

    def close(self) -> None:
        """Let go of what came in part."""
        if self._request is not None:
            self._request.body.close()
        self._request = None

    def _refuse(self, request: Request) -> None:
        # The application says so, by the length; what is left of the body nobody reads.
        self.refused = True
        self._request = None
        request.keeps = False
        if request.length is None:
            request.length = request.size
        request.body.seek(0)
        request.body.truncate()
        self._complete(request)


@lru_cache(maxsize=1024)
def _variable(name: bytes) -> str:
    """Name the variable of a header; empty for one that is left out."""
    low = name.lower()
    # An underscore would pass for a hyphen; the transfer's own headers were dealt with.
    if b"_" in low or low.startswith(_FORWARDED) or low in (b"transfer-encoding", b"content-length"):
        return ""
    if low == b"content-type":
        return "CONTENT_TYPE"
    return "HTTP_" + low.decode("latin-1").upper().replace("-", "_")


def _whole_blocks(file: Any, size: int = 0) -> FileWrapper:
    return FileWrapper(file, _BLOCK)
