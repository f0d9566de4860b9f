"""Answers as they go out: heads, chunks, and how the end of one is told (RFC 9112 sections 6 and 7)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from time import time
from typing import Any, Final
from wsgiref.handlers import format_date_time

Buffers = tuple[bytes, ...]

# What is looked after here, or is the connection's own matter.
_OWN: Final = frozenset({"content-length", "date", "connection", "transfer-encoding"})
_LAST: Final = b"0\r\n\r\n"


class BrokenReplyError(Exception):
    """An answer that ended before its length, or goes beyond it."""


class Reply:
    """What is sent for one request: by chunks, or by its length where that is known."""

    def __init__(self, method: str, version: str, keeps: bool) -> None:
        self._method = method
        self._old = version != "1.1"
        self.keeps = keeps
        self._status = ""
        self._headers: list[tuple[str, str]] = []
        self._begun = False
        self._chunked = False
        self._bodiless = False
        self._left: int | None = None

    def start(
        self, status: str, headers: list[tuple[str, str]], exc_info: Any = None
    ) -> Callable[[bytes], object]:
        """Take status and headers, as `start_response` of WSGI."""
        if exc_info and self._begun:
            raise exc_info[1].with_traceback(exc_info[2])
        self._status, self._headers = status, headers
        return _write_nothing

    def whole(self, body: bytes) -> bytes:
        """Write an answer that is here to its end."""
        head = self._head(len(body))
        if self._bodiless:
            return head
        if self._left is not None and self._left != len(body):
            raise BrokenReplyError(f"{len(body)} bytes of a body that has {self._left}")
        return head + body

    def piece(self, piece: bytes) -> Buffers:
        """Write a piece of the body, after the head when it is the first."""
        before = b"" if self._begun else self._head(None)
        if self._bodiless:
            return (before,) if before else ()
        if self._left is not None:
            self._left -= len(piece)
            if self._left < 0:
                raise BrokenReplyError("a body is longer than it says")
        if self._chunked:
            return (b"%b%x\r\n" % (before, len(piece)), piece, b"\r\n")
        return (before, piece) if before else (piece,)

    def end(self) -> Buffers:
        """Write what comes after the last piece. Raises BrokenReplyError when there should be more."""
        before = b"" if self._begun else self._head(0)
        if self._left and not self._bodiless:
            raise BrokenReplyError(f"{self._left} bytes of a body are missing")
        last = before + (_LAST if self._chunked else b"")
        return (last,) if last else ()

    def _head(self, size: int | None) -> bytes:
        """Write the head; `size` is the body's, where it is known."""
        if not self._status:
            raise BrokenReplyError("the application gave no status")
        self._begun = True
        lines = [f"HTTP/1.1 {self._status}"]
        dated = False
        length: str | None = None
        for name, value in self._headers:
            low = name.lower()
            if low in _OWN:
                if low == "content-length":
                    length = value
                elif low == "date":
                    dated = True
                else:
                    continue
            lines.append(f"{name}: {value}")
        if not dated:
            lines.append(f"Date: {_date(int(time()))}")
        self._bodiless = self._method == "HEAD" or self._status[:3] in ("204", "304")
        if length is not None:
            self._left = int(length)
        elif size is not None and self._status[:3] not in ("204", "304"):
            if self._method != "HEAD":
                lines.append(f"Content-Length: {size}")
        elif not self._bodiless and not self._old:
            self._chunked = True
            lines.append("Transfer-Encoding: chunked")
        elif not self._bodiless:
            self.keeps = False  # Its end is the connection's.
        if not self.keeps:
            lines.append("Connection: close")
        elif self._old:
            lines.append("Connection: keep-alive")
        head = "\r\n".join(lines)
        if head.count("\n") != len(lines) - 1 or head.count("\r") != len(lines) - 1:
            raise BrokenReplyError("a header holds a line end")
        return (head + "\r\n\r\n").encode("latin-1")


def refusal(status: str) -> bytes:
    """Write the answer to what is no request."""
    title = status.partition(" ")[2]
    text = f'{{"type": "about:blank", "title": "{title}", "status": {status[:3]}}}\n'
    return (
        f"HTTP/1.1 {status}\r\nContent-Type: application/problem+json\r\nContent-Length: {len(text)}\r\n"
        f"Date: {_date(int(time()))}\r\nConnection: close\r\n\r\n{text}"
    ).encode("latin-1")


_dates: dict[int, str] = {}


def _date(now: int) -> str:
    date = _dates.get(now)
    if date is None:
        _dates.clear()
        date = _dates[now] = format_date_time(now)
    return date


def _write_nothing(data: bytes) -> object:
    raise NotImplementedError("pieces are given, and not written")


def join(body: Iterable[bytes]) -> bytes:
    """Take a body that nobody has to wait for, and close it."""
    try:
        return b"".join(body)
    finally:
        close = getattr(body, "close", None)
        if close is not None:
            close()
