"""Queries of programs, answered in the event loop without a thread: from the cache or from the store."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Final

from cachetools import LRUCache
from starlette.datastructures import Headers
from starlette.types import Send

from api.server.metrics import Gauge
from api.web.exchange import note_engine, note_outcome, timed
from api.web.headers import OPEN, SECURE
from api.web.problem_details import log_error, problem_of, problem_parts
from api.web.query_limit import QueryLimit
from api.web.sparql_request import QueryRequest
from kg.errors import DiplographError
from kg.rdf.formats import Format, formats_for
from kg.reasoning import AssertedStore
from kg.store.isolated.answers import AsyncAnswer
from kg.store.isolated.store import IsolatedStore

_COMMON: Final = Headers({"Vary": "Accept", **SECURE, **OPEN}).raw
_PIECE: Final = 64 * 1024
# One result may fill this part of the cache.
_PART: Final = 8
_OVERHEAD: Final = 500


@dataclass(frozen=True)
class Result:
    """A complete result in one format."""

    content_type: str
    body: bytes


class PlainQueries:
    """Answers queries from the store, or from `asserted` without inference, within the limit on queries.

    Results are kept in `size` bytes by their entity tags, which name query, format and version of the data;
    those used least recently are dropped first.
    """

    def __init__(
        self, store: IsolatedStore[Any], asserted: AssertedStore, size: int, limit: QueryLimit
    ) -> None:
        self._store = store
        self._asserted = asserted
        self._limit = limit
        self._largest = size // _PART - _OVERHEAD
        self._cache: LRUCache[str, Result] = LRUCache(size, lambda result: len(result.body) + _OVERHEAD)
        self._hits = self._misses = 0

    def gauges(self) -> list[Gauge]:
        """Return the figures of the cache."""
        return [
            ("diplograph_cache_bytes", "Bytes of results kept, in this process.", self._cache.currsize),
            ("diplograph_cache_hits", "Queries answered from the cache, in this process.", self._hits),
            ("diplograph_cache_misses", "Queries not found there, in this process.", self._misses),
        ]

    def tag(self, query: QueryRequest) -> str:
        """Return the entity tag of a query's result now; see `QueryRequest.etag`."""
        return query.etag(self._store.version)

    async def answer_at_once(self, query: QueryRequest, tag: str, send: Send) -> bool:
        """Answer a query whose result the cache or the client has; return whether that was so."""
        if query.holds(tag):
            note_outcome("hit")
            await _send(send, 304, _validators(tag))
            return True
        result = self._cache.get(tag)
        if result is None:
            self._misses += bool(tag)
            return False
        self._hits += 1
        note_outcome("hit")
        await _send_result(send, query, result, tag)
        return True

    async def answer(self, query: QueryRequest, tag: str, send: Send) -> None:
        """Answer a query from the store; errors before the first byte become problem details."""
        with ExitStack() as held:
            try:
                self._limit.enter()
                held.callback(self._limit.leave)
                with timed("query"):
                    answer = await self._ask(query)
                held.callback(answer.close)
                note_engine(answer.engine)
                form = query.accepted.results.get(answer.kind)
                if form is None:
                    raise query.accepted.refuse(formats_for(answer.kind))
                with timed("write"):
                    first = await answer.piece() if answer.whole is None else answer.whole
            except DiplographError as error:
                log_error(error)
                problem = problem_of(error)
                note_outcome(problem.kind)
                headers, body = problem_parts(problem, error)
                await _send(send, problem.status, {**headers, "Content-Length": str(len(body))}, body)
                return
            if answer.whole is None:
                await self._stream(answer, first, form, query, tag, send)
                return
            result = Result(form.content_type, first)
            self._keep(tag, result)
            await _send_result(send, query, result, tag)

    async def _ask(self, query: QueryRequest) -> AsyncAnswer:
        forms = {kind: form.name for kind, form in query.accepted.results.items()}
        dataset = query.dataset
        if not query.inference:
            dataset = await asyncio.to_thread(self._asserted.dataset_for, query.text, dataset)
        return await self._store.ask(query.text, dataset, forms)

    async def _stream(
        self, answer: AsyncAnswer, first: bytes, form: Format, query: QueryRequest, tag: str, send: Send
    ) -> None:
        kept: list[bytes] = []
        piece, size = b"" if query.method == "HEAD" else first, 0
        await _send(send, 200, {"Content-Type": form.content_type, **_validators(tag)}, more=True)
        while piece:
            size += len(piece)
            if size > self._largest:
                kept.clear()
            else:
                kept.append(piece)
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            piece = await answer.piece()
        await send({"type": "http.response.body", "body": b""})
        if kept:
            self._keep(tag, Result(form.content_type, b"".join(kept)))

    def _keep(self, tag: str, result: Result) -> None:
        if tag and len(result.body) <= self._largest:
            self._cache[tag] = result


def _validators(tag: str) -> dict[str, str]:
    return {"ETag": tag, "Cache-Control": "no-cache"} if tag else {}


async def _send_result(send: Send, query: QueryRequest, result: Result, tag: str) -> None:
    body = b"" if query.method == "HEAD" else result.body
    described = {"Content-Type": result.content_type, "Content-Length": str(len(result.body))}
    # Compressing takes time: in pieces, other requests get their turn.
    await _send(send, 200, described | _validators(tag), body[:_PIECE], more=len(body) > _PIECE)
    for at in range(_PIECE, len(body), _PIECE):
        await asyncio.sleep(0)
        more = at + _PIECE < len(body)
        await send({"type": "http.response.body", "body": body[at : at + _PIECE], "more_body": more})


async def _send(
    send: Send, status: int, headers: dict[str, str], body: bytes = b"", *, more: bool = False
) -> None:
    raw = Headers(headers).raw + _COMMON
    await send({"type": "http.response.start", "status": status, "headers": raw})
    if body or not more:
        await send({"type": "http.response.body", "body": body, "more_body": more})
