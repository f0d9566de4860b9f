"""Every request as it passes: counted, logged without secrets, and whole for clients of HTTP/1.0."""

from __future__ import annotations

import json
import logging
import re
import tempfile
from collections.abc import Iterable, Iterator
from time import perf_counter
from typing import Any, Final
from urllib.parse import parse_qsl

from api.server.metrics import Metrics
from api.web.compression import Environ, Headers, Piped, Wsgi, header, run
from api.web.errors import problem_of, status_of
from kg.errors import DiplographError, StoreFailedError

_log = logging.getLogger("diplograph.requests")

_SHOWN: Final = 300
# No status of the standard: nobody is there to read one. Proxies write it into their logs.
_GONE: Final = "499"
_PIECE: Final = 64 * 1024
_SPOOL: Final = 8 * 1024**2
# Kept: words that people query by. Hidden: what no word looks like, and what names itself a secret.
_SECRET: Final = re.compile(r"(?i)pass(?:word|wd|phrase)|secret|token|api.?key|bearer|credential")
_RANDOM: Final = re.compile(r"(?=[^\s]*[0-9])(?=[^\s]*[A-Za-z])[A-Za-z0-9+/=_.-]{20,}")
_LITERAL: Final = re.compile(
    r'"""(?:[^"\\]|\\.|"(?!""))*"""|' + r"'''(?:[^'\\]|\\.|'(?!''))*'''|"
    r'"(?:[^"\\\n]|\\.)*"|' + r"'(?:[^'\\\n]|\\.)*'",
    re.DOTALL,
)
_USERINFO: Final = re.compile(r"://[^/\s<>@]*@")
_HIDDEN: Final = "…"


class Traffic:
    """Wraps an application."""

    def __init__(self, app: Wsgi, metrics: Metrics, *, log: bool) -> None:
        self._app = app
        self._metrics = metrics
        self._logs = log

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        """Answer a request."""
        started = perf_counter()
        status, headers, body = run(self._app, environ)
        if environ.get("SERVER_PROTOCOL") == "HTTP/1.0" and not header(headers, "Content-Length"):
            status, headers, body = _spooled(status, headers, body)
        start_response(status, headers)
        return Piped(body, self._watched(body, environ, status, started))

    def abandoned(self, environ: Environ, seconds: float) -> None:
        """Note a request whose client went away before the application was asked."""
        self._note(environ, _GONE, "abandoned", 0, seconds)

    def _watched(
        self, body: Iterable[bytes], environ: Environ, status: str, started: float
    ) -> Iterator[bytes]:
        outcome = "abandoned"
        size = 0
        try:
            for piece in body:
                size += len(piece)
                yield piece
            outcome = "complete"
        except Exception:
            outcome = "broken"
            raise
        finally:
            self._note(environ, status, outcome, size, perf_counter() - started)

    def _note(self, environ: Environ, status: str, outcome: str, size: int, seconds: float) -> None:
        method, path, code = environ["REQUEST_METHOD"], environ.get("PATH_INFO", ""), status[:3]
        self._metrics.count_request(method if method in _METHODS else "other", code)
        asked = environ.get("QUERY_STRING") or method == "POST"
        if path.startswith("/sparql") and method != "OPTIONS" and asked:
            if outcome == "complete":
                outcome = environ.get("diplograph.problem") or environ.get("diplograph.outcome") or outcome
            self._metrics.count_query(outcome, seconds)
        if method == "POST" and re.fullmatch(r"/loads/[^/]+/(?:commit|undo)", path):
            self._metrics.loads.labels("committed" if int(code) < 400 else "failed").inc()
        if self._logs:
            address = path + shown_parameters(environ.get("QUERY_STRING", ""))
            _log.info(
                "%s %s %s %s %d bytes %.1f ms %s",
                environ.get("REMOTE_ADDR", "-"), method, json.dumps(address, ensure_ascii=False),
                code, size, seconds * 1000, outcome,
            )  # fmt: skip


_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"})


def shown_parameters(query_string: str) -> str:
    """Write the parameters of an address for the log: shortened, and without what looks like a secret."""
    pairs = parse_qsl(query_string, keep_blank_values=True, errors="replace")
    if not pairs:
        return ""
    shown = ((name, _HIDDEN if _SECRET.search(name) else shown_text(value)) for name, value in pairs)
    return "?" + "&".join(f"{name}={value}" for name, value in shown)


def shown_text(text: str) -> str:
    """Shorten a text for the log and hide what looks like a secret in it."""
    text = _USERINFO.sub("://…@", text)
    text = _LITERAL.sub(
        lambda found: f'"{_HIDDEN}"' if _SECRET.search(found[0]) or _RANDOM.search(found[0]) else found[0],
        text,
    )
    if _SECRET.search(text):
        # A word beside a literal gives it away as well.
        text = _LITERAL.sub(f'"{_HIDDEN}"', text)
    text = " ".join(_RANDOM.sub(_hide_plain, text).split())
    return text if len(text) <= _SHOWN else text[:_SHOWN] + _HIDDEN


def _hide_plain(found: re.Match[str]) -> str:
    # Addresses and names of things are long, too, and are made of words.
    return found[0] if "/" in found[0] or "-" in found[0] else _HIDDEN


def _spooled(status: str, headers: Headers, body: Iterable[bytes]) -> tuple[str, Headers, Iterable[bytes]]:
    """Take a body whole before its first byte is sent, with its length.

    A client of HTTP/1.0 has no other way to tell a whole answer from a broken one (RFC 9112 section 6.3).
    """
    spool = tempfile.SpooledTemporaryFile(max_size=_SPOOL)  # noqa: SIM115 - closed with the body
    try:
        try:
            for piece in body:
                spool.write(piece)
        finally:
            close = getattr(body, "close", None)
            if close is not None:
                close()
    except Exception as error:
        spool.close()
        known = error if isinstance(error, DiplographError) else StoreFailedError("the answer broke off")
        text = json.dumps(problem_of(known).members()).encode()
        return (
            f"{status_of(known)} Problem",
            [("Content-Type", "application/problem+json"), ("Content-Length", str(len(text)))],
            [text],
        )
    length = spool.tell()
    spool.seek(0)
    return status, [*headers, ("Content-Length", str(length))], Piped(_Closing(spool), _read(spool))


class _Closing:
    def __init__(self, spool: Any) -> None:
        self._spool = spool

    def __iter__(self) -> Iterator[bytes]:
        return iter(())

    def close(self) -> None:
        self._spool.close()


def _read(spool: Any) -> Iterator[bytes]:
    while piece := spool.read(_PIECE):
        yield piece
