"""Every request as it passes: timed, counted, logged without secrets, and ended visibly when it fails."""

from __future__ import annotations

import json
import logging
import re
from asyncio import CancelledError
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.web.exchange import CURRENT, Exchange
from api.web.problem_details import problem_of, problem_parts
from kg.errors import DiplographError, StoreFailedError

if TYPE_CHECKING:
    from api.server.metrics import Metrics

_log = logging.getLogger("diplograph.requests")
_faults = logging.getLogger(__name__)

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"})
_SHOWN: Final = 300
# Not a status of the standard: the client left before there was one. Proxies log it so.
_GONE: Final = 499
# Kept: words that people query by. Hidden: text that looks random, and text that names itself a secret.
_SECRET: Final = re.compile(r"(?i)pass(?:word|wd|phrase)|secret|token|api.?key|bearer|credential")
_RANDOM: Final = re.compile(r"[A-Za-z0-9+/=_.-]{20,}")
# A literal that is not closed ends with its line, or with the text: each character is read once.
_LITERAL: Final = re.compile(
    r'"""(?:[^"\\]|\\.|"(?!""))*(?:"""|\Z)|' + r"'''(?:[^'\\]|\\.|'(?!''))*(?:'''|\Z)|"
    r'"(?:[^"\\\n]|\\.)*(?:"|$|\\\Z)|' + r"'(?:[^'\\\n]|\\.)*(?:'|$|\\\Z)",
    re.DOTALL | re.MULTILINE,
)
_CONTROL: Final = re.compile(r"[\x7f-\x9f\u2028\u2029]")
_USERINFO: Final = re.compile(r"://[^/\s<>@]*@")
_HIDDEN: Final = "…"


class RequestLog:
    """ASGI middleware around all others."""

    def __init__(self, app: ASGIApp, metrics: Metrics, *, log: bool) -> None:
        self._app = app
        self._metrics = metrics
        self._logs = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request. One that fails in mid-answer is left unfinished; the server breaks it off."""
        exchange = Exchange()
        CURRENT.set(exchange)

        async def noted(message: Message) -> None:
            if message["type"] == "http.response.start":
                exchange.status = message["status"]
                timing = (b"server-timing", exchange.timing().encode())
                message = {**message, "headers": [*message["headers"], timing]}
            else:
                exchange.size += len(message.get("body", b""))
                exchange.complete = not message.get("more_body", False)
            await send(message)

        try:
            await self._app(scope, receive, noted)
        except CancelledError:
            exchange.outcome = "broken"
            raise
        except Exception as error:
            failed = _fail(error, exchange)
            if failed is not None:
                await failed(scope, receive, noted)
        finally:
            self._note(scope, exchange)

    def _note(self, scope: Scope, exchange: Exchange) -> None:
        method, path = scope["method"], scope["path"]
        status, seconds = exchange.status or _GONE, exchange.seconds()
        outcome = exchange.outcome or ("complete" if exchange.complete else "abandoned")
        self._metrics.requests.labels(method if method in _METHODS else "other", status).inc()
        query_string = scope["query_string"].decode("latin-1")
        if path.startswith("/sparql") and method != "OPTIONS" and (query_string or method == "POST"):
            self._metrics.queries.labels(outcome).inc()
            self._metrics.seconds.observe(seconds)
        if method == "POST" and re.fullmatch(r"/loads/[^/]+/(?:commit|undo)", path):
            self._metrics.loads.labels("committed" if status < 400 else "failed").inc()
        if self._logs:
            address = shown_address(path, query_string)
            client = (scope.get("client") or ("-",))[0]
            _log.info(
                "%s %s %s %s %d bytes %.1f ms %s",
                client, method, address, status, exchange.size, seconds * 1000, outcome,
            )  # fmt: skip


def _fail(error: Exception, exchange: Exchange) -> Response | None:
    """Return the answer to a request that failed before its answer began."""
    if not isinstance(error, (DiplographError, TimeoutError)):
        _faults.error("an answer broke off", exc_info=error)
    if exchange.status:
        exchange.outcome = "broken"
        return None
    known = error if isinstance(error, DiplographError) else StoreFailedError("the answer broke off")
    problem = problem_of(known)
    exchange.outcome = problem.kind
    headers, body = problem_parts(problem, known)
    return Response(body, problem.status, headers)


def shown_address(path: str, query_string: str) -> str:
    """Write an address for the log as a JSON string without any control character."""
    text = json.dumps(path + shown_parameters(query_string), ensure_ascii=False)
    return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def shown_parameters(query_string: str) -> str:
    """Write the parameters of an address for the log, shortened and without text that looks like a secret."""
    pairs = parse_qsl(query_string, keep_blank_values=True, errors="replace")
    if not pairs:
        return ""
    shown = ((name, _HIDDEN if _SECRET.search(name) else shown_text(value)) for name, value in pairs)
    return "?" + "&".join(f"{name}={value}" for name, value in shown)


def shown_text(text: str) -> str:
    """Shorten a text for the log and hide the parts of it that look like secrets."""
    text = _USERINFO.sub("://…@", text)
    text = _LITERAL.sub(
        lambda found: f'"{_HIDDEN}"' if _SECRET.search(found[0]) or _has_random(found[0]) else found[0],
        text,
    )
    if _SECRET.search(text):
        # A word beside a literal gives it away as well.
        text = _LITERAL.sub(f'"{_HIDDEN}"', text)
    text = " ".join(_RANDOM.sub(_hide_plain, text).split())
    return text if len(text) <= _SHOWN else text[:_SHOWN] + _HIDDEN


def _has_random(text: str) -> bool:
    return any(map(_is_random, _RANDOM.findall(text)))


def _is_random(word: str) -> bool:
    return re.search("[0-9]", word) is not None and re.search("[A-Za-z]", word) is not None


def _hide_plain(found: re.Match[str]) -> str:
    # Addresses and names of things are long, too, and are made of words.
    kept = "/" in found[0] or "-" in found[0] or not _is_random(found[0])
    return found[0] if kept else _HIDDEN
