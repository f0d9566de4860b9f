"""Queries of programs, answered in the event loop without a thread: from the cache or from the store."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Final

from starlette.types import Send

from api.server.concurrency_limit import QueryLimit
from api.server.result_cache import Result, ResultCache
from api.web.exchange import note_outcome
from api.web.headers import OPEN, SECURE, encode, timing
from api.web.negotiation import explain_unwritable, not_acceptable
from api.web.problem_details import log_error, problem_of, problem_parts
from api.web.query_request import QueryRequest
from kg.errors import DiplographError
from kg.rdf.formats import Format, formats_for
from kg.reasoning import AssertedStore
from kg.store.isolated.answers import AsyncAnswer
from kg.store.isolated.store import IsolatedStore

_COMMON: Final = encode([("Vary", "Accept"), *SECURE, *OPEN])
_PIECE: Final = 64 * 1024


@dataclass
class _Kept:
    """Pieces of a result that is still coming, as long as they fit into the cache."""

    pieces: list[bytes] | None
    room: int

    def add(self, piece: bytes) -> None:
        self.room -= len(piece)
        if self.pieces is not None:
            self.pieces.append(piece)
        if self.room < 0:
            self.pieces = None


class PlainQueries:
    """Answers queries from the store, or from `asserted` without inference, within the limit on queries."""

    def __init__(
        self, store: IsolatedStore[Any], asserted: AssertedStore, cache: ResultCache, limit: QueryLimit
    ) -> None:
        self._store = store
        self._asserted = asserted
        self._cache = cache
        self._limit = limit

    def tag(self, query: QueryRequest) -> str:
        """Return the entity tag of a query's result now; see `QueryRequest.etag`."""
        return query.etag(self._store.version)

    async def answer_at_once(self, query: QueryRequest, tag: str, send: Send) -> bool:
        """Answer a query whose result the cache or the client has; return whether that was so."""
        started = perf_counter()
        if query.holds(tag):
            note_outcome("hit")
            await _send_head(send, 304, [("ETag", tag), ("Cache-Control", "no-cache")])
            await send({"type": "http.response.body", "body": b""})
            return True
        result = self._cache.get(tag) if tag else None
        if result is None:
            return False
        note_outcome("hit")
        spent = f'cache;desc="hit", total;dur={1000 * (perf_counter() - started):.2f}'
        await _send_result(send, query, result, tag, spent)
        return True

    async def answer(self, query: QueryRequest, tag: str, send: Send) -> None:
        """Answer a query from the store; errors before the first byte become problem details."""
        started = perf_counter()
        try:
            self._limit.enter()
        except DiplographError as error:
            await _send_problem(send, error)
            return
        try:
            await self._ask(query, tag, started, send)
        finally:
            self._limit.leave()

    async def _ask(self, query: QueryRequest, tag: str, started: float, send: Send) -> None:
        answer: AsyncAnswer | None = None
        try:
            try:
                forms = {kind: form.name for kind, form in query.formats.items()}
                dataset = query.dataset
                if not query.inference:
                    dataset = await asyncio.to_thread(self._asserted.dataset_for, query.text, dataset)
                answer = await self._store.ask(query.text, dataset, forms)
                queried = perf_counter()
                form = query.formats.get(answer.kind)
                if form is None:
                    raise not_acceptable(query.accept, formats_for(answer.kind))
                first = await _first(answer, form)
            except DiplographError as error:
                await _send_problem(send, error)
                return
            now = perf_counter()
            spent = timing(query=queried - started, write=now - queried, total=now - started)
            if answer.whole is not None:
                result = Result(form.content_type, first)
                if tag:
                    self._cache.put(tag, result)
                await _send_result(send, query, result, tag, spent)
                return
            await self._stream(answer, first, form, query, tag, spent, send)
        finally:
            if answer is not None:
                answer.close()

    async def _stream(
        self,
        answer: AsyncAnswer,
        piece: bytes,
        form: Format,
        query: QueryRequest,
        tag: str,
        spent: str,
        send: Send,
    ) -> None:
        kept = _Kept([] if tag else None, self._cache.largest)
        await _send_head(send, 200, [("Content-Type", form.content_type), *_validators(tag, spent)])
        while piece and query.method != "HEAD":
            kept.add(piece)
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            piece = await answer.piece()
        await send({"type": "http.response.body", "body": b""})
        if kept.pieces is not None and query.method != "HEAD":
            self._cache.put(tag, Result(form.content_type, b"".join(kept.pieces)))


async def _first(answer: AsyncAnswer, form: Format) -> bytes:
    try:
        return await answer.piece() if answer.whole is None else answer.whole
    except DiplographError as error:
        raise explain_unwritable(error, form) from None


def _validators(tag: str, spent: str) -> list[tuple[str, str]]:
    kept = [("ETag", tag), ("Cache-Control", "no-cache")] if tag else []
    return [("Server-Timing", spent), *kept]


async def _send_head(send: Send, status: int, headers: list[tuple[str, str]]) -> None:
    await send({"type": "http.response.start", "status": status, "headers": encode(headers) + _COMMON})


async def _send_result(send: Send, query: QueryRequest, result: Result, tag: str, spent: str) -> None:
    described = [("Content-Type", result.content_type), ("Content-Length", str(len(result.body)))]
    await _send_head(send, 200, described + _validators(tag, spent))
    body = b"" if query.method == "HEAD" else result.body
    # Compressing takes time: in pieces, other requests get their turn.
    for at in range(0, len(body) - _PIECE, _PIECE):
        await send({"type": "http.response.body", "body": body[at : at + _PIECE], "more_body": True})
        await asyncio.sleep(0)
    rest = (max(0, len(body) - 1) // _PIECE) * _PIECE
    await send({"type": "http.response.body", "body": body[rest:]})


async def _send_problem(send: Send, error: DiplographError) -> None:
    log_error(error)
    problem = problem_of(error)
    note_outcome(problem.kind)
    headers, body = problem_parts(problem, error)
    await _send_head(send, problem.status, [pair for pair in headers if pair[0] != "Vary"])
    await send({"type": "http.response.body", "body": body})
