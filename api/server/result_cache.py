"""Repeated queries, answered before the application is asked.

A result is named by query, dataset, format and version of the store.
"""

from __future__ import annotations

import hashlib
import io
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Final

from werkzeug.http import http_date

from api.server.straight import ASKED
from api.web.compression import (
    SMALLEST,
    Environ,
    Headers,
    Piped,
    Wsgi,
    add_vary,
    choose_coding,
    coded_tag,
    compress,
    header,
    held_tag,
    plain_tags,
    run,
)
from api.web.negotiation import best_format, prefers_html
from api.web.parameters import dataset, inference, only, read_fields
from kg.errors import DiplographError
from kg.rdf.formats import RDF_FORMATS, RESULT_FORMATS, formats_for
from kg.store import Store

_FORM: Final = "application/x-www-form-urlencoded"
_FORMS: Final = (_FORM, f"{_FORM};charset=utf-8")
_LONGEST: Final = 64 * 1024
_REMEMBERED: Final = 10_000
# One result may fill this part of the whole.
_PART: Final = 8
# What another asking may answer differently: chance, the clock, new names, other servers. Escapes hide words.
_VOLATILE: Final = re.compile(r"rand|now|uuid|bnode|service|\\u", re.IGNORECASE)
_RESULTS: Final = frozenset(
    name for form in (*RESULT_FORMATS, *RDF_FORMATS) for name in (form.media_type, *form.aliases)
)
# Where a request keeps what was seen of it.
_SEEN: Final = "diplograph.seen"
_OWN: Final = frozenset({"content-length", "server-timing", "date", "etag", "set-cookie"})


@dataclass(frozen=True)
class Entry:
    """A result as it is sent."""

    headers: tuple[tuple[str, str], ...]
    body: bytes
    cost: int = 0

    def __post_init__(self) -> None:
        size = len(self.body) + sum([len(name) + len(value) for name, value in self.headers]) + 200
        object.__setattr__(self, "cost", size)


class ResultCache:
    """Entries by key, the least recently used dropped first; `limit` bounds their bytes."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._entries: OrderedDict[object, Entry] = OrderedDict()
        self.size = 0
        self.hits = 0
        self.misses = 0

    @property
    def largest(self) -> int:
        """Tell how many bytes one result may have."""
        return self._limit // _PART

    def get(self, key: object) -> Entry | None:
        """Find an entry."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is not None:
                self._entries.move_to_end(key)
            return entry

    def put(self, key: object, entry: Entry) -> None:
        """Keep an entry, unless it is too large."""
        if entry.cost > self.largest:
            return
        with self._lock:
            old = self._entries.pop(key, None)
            self.size += entry.cost - (old.cost if old else 0)
            self._entries[key] = entry
            while self.size > self._limit:
                self.size -= self._entries.popitem(last=False)[1].cost

    def count(self, *, hit: bool) -> None:
        """Note whether a query was answered from here."""
        with self._lock:
            self.hits += hit
            self.misses += not hit


@dataclass(frozen=True)
class _Asked:
    """A query with its dataset and whether inference counts, by fingerprint; the type sent, if known."""

    query: str
    media_type: str


@dataclass
class Seen:
    """What is known of a request before it is answered: its entry, or the uncoded one that gives it.

    `good` tells that the client's own copy is.
    """

    name: bytes
    version: str
    asked: _Asked
    coding: str
    tag: str = ""
    entry: Entry | None = None
    plain: Entry | None = None
    good: bool = False


class CacheDoor:
    """Wraps an application: answers `/sparql` from the cache, and fills it with what is complete.

    A store without versions is never cached.
    """

    def __init__(self, app: Wsgi, store: Store, cache: ResultCache) -> None:
        self._app = app
        self._store = store
        self._cache = cache
        self._lock = threading.Lock()
        # What requests come to, by the bytes that they are made of; what kind of result a query has.
        self._known: OrderedDict[bytes, _Asked] = OrderedDict()
        self._kinds: OrderedDict[str, Any] = OrderedDict()

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        """Answer a request."""
        started = perf_counter()
        seen: Seen | None = environ.pop(_SEEN, None) or self.look(environ)
        if seen is None:
            return self._app(environ, start_response)
        entry = seen.entry or self._coded(seen)
        if entry is not None or seen.good:
            self._cache.count(hit=True)
            environ["diplograph.outcome"] = "hit"
            return _answer(environ, start_response, entry, seen.tag, seen.coding, seen.good, started)
        self._cache.count(hit=False)
        return self._ask(environ, start_response, seen.name, seen.asked, seen.version, seen.coding)

    def look(self, environ: Environ) -> Seen | None:
        """See what is known of a request, at once; None for what is not cached. The request keeps it."""
        raw = _raw(environ)
        if raw is None:
            return None
        version = self._store.version
        accept = environ.get("HTTP_ACCEPT", "")
        name = hashlib.sha256(b"%b\0%b" % (accept.encode("latin-1"), raw)).digest()
        asked = self._known.get(name) or self._read(environ, raw, accept, name)
        if asked is None or not version:
            return None
        coding = choose_coding(environ.get("HTTP_ACCEPT_ENCODING", ""))
        seen = environ[_SEEN] = Seen(name, version, asked, coding)
        if asked.media_type:
            seen.tag = _tag(version, asked)
            seen.entry = self._cache.get((version, asked, coding))
            if coding and seen.entry is None:
                seen.plain = self._cache.get((version, asked, ""))
            reads = environ["REQUEST_METHOD"] in ("GET", "HEAD")
            seen.good = reads and _matches(environ.get("HTTP_IF_NONE_MATCH", ""), seen.tag)
        return seen

    def _ask(
        self, environ: Environ, start_response: Any, name: bytes, asked: _Asked, version: str, coding: str
    ) -> Iterable[bytes]:
        status, headers, body = run(self._app, environ)
        media_type = header(headers, "Content-Type").partition(";")[0]
        keeps = not (environ.get("diplograph.uncached") or header(headers, "Set-Cookie"))
        if keeps and status.startswith("200") and media_type in _RESULTS:
            asked = _Asked(asked.query, media_type)
            self._remember(name, asked, environ.get("diplograph.kind"))
            tag = _tag(version, asked)
            reads = environ["REQUEST_METHOD"] in ("GET", "HEAD")
            if reads and _matches(environ.get("HTTP_IF_NONE_MATCH", ""), tag):
                # Another process gave the client what this one has not kept.
                getattr(body, "close", lambda: None)()
                return _answer(environ, start_response, None, tag, coding, True, perf_counter())
            coded = header(headers, "Content-Encoding")
            headers.append(("ETag", coded_tag(tag, coded)))
            headers.append(("Cache-Control", "no-cache"))
            if environ["REQUEST_METHOD"] != "HEAD":
                kept = tuple(pair for pair in headers if pair[0].lower() not in _OWN)
                body = Piped(body, self._keep(body, (version, asked, coding), kept))
        start_response(status, headers)
        return body

    def _keep(
        self, body: Iterable[bytes], key: object, headers: tuple[tuple[str, str], ...]
    ) -> Iterator[bytes]:
        """Pass a body on; what came to its end without a fault is kept."""
        pieces: list[bytes] | None = []
        size = 0
        for piece in body:
            size += len(piece)
            if pieces is not None and size <= self._cache.largest:
                pieces.append(piece)
            else:
                pieces = None
            yield piece
        if pieces is not None:
            self._cache.put(key, Entry(headers, b"".join(pieces)))

    def _coded(self, seen: Seen) -> Entry | None:
        plain, coding = seen.plain, seen.coding
        if plain is None or len(plain.body) < SMALLEST:
            return plain
        entry = Entry((*plain.headers, ("Content-Encoding", coding)), compress(plain.body, coding))
        self._cache.put((seen.version, seen.asked, coding), entry)
        return entry

    def _read(self, environ: Environ, raw: bytes, accept: str, name: bytes) -> _Asked | None:
        """Work out what a request asks for; None for what is not to be cached."""
        if prefers_html(accept):
            return None
        try:
            fields = read_fields(raw)
            text = only(fields, "query")
            reasoned = inference(fields)
        except DiplographError:
            return None
        if _VOLATILE.search(text):
            return None
        graphs = dataset(fields, "default-graph-uri", "named-graph-uri")
        if environ["REQUEST_METHOD"] == "GET" and reasoned:
            environ[ASKED] = (text, graphs)
        query = hashlib.sha256(repr((text, graphs, reasoned)).encode()).hexdigest()
        kind = self._kinds.get(query)
        if kind is None:
            return _Asked(query, "")
        offered = formats_for(kind)
        form = best_format(accept, offered) if accept else offered[0]
        if form is None:
            return None
        asked = _Asked(query, form.media_type)
        self._remember(name, asked, kind)
        return asked

    def _remember(self, name: bytes, asked: _Asked, kind: object) -> None:
        with self._lock:
            self._known[name] = asked
            self._kinds[asked.query] = kind
            for book in (self._known, self._kinds):
                if len(book) > _REMEMBERED:
                    book.popitem(last=False)


def _answer(
    environ: Environ,
    start_response: Callable[..., Any],
    entry: Entry | None,
    tag: str,
    coding: str,
    good: bool,
    started: float,
) -> Iterable[bytes]:
    headers: Headers = list(entry.headers) if entry else []
    if entry is None:
        add_vary(headers, "Accept, Accept-Encoding")
        headers.append(("Access-Control-Allow-Origin", "*"))
    if good:
        tag = held_tag(environ["HTTP_IF_NONE_MATCH"], tag, coding)
    else:
        tag = coded_tag(tag, header(headers, "Content-Encoding"))
    headers.append(("ETag", tag))
    headers.append(("Date", http_date()))
    body = entry.body if entry else b""
    headers.append(("Server-Timing", f'cache;desc="hit", total;dur={1000 * (perf_counter() - started):.2f}'))
    if good:
        headers = [(n, v) for n, v in headers if n not in ("Content-Type", "Content-Encoding")]
        start_response("304 NOT MODIFIED", headers)
        return [b""]
    headers.append(("Content-Length", str(len(body))))
    start_response("200 OK", headers)
    return [b"" if environ["REQUEST_METHOD"] == "HEAD" else body]


def _raw(environ: Environ) -> bytes | None:
    """Give the bytes that hold a query's parameters, of what may be cached; a body stays readable."""
    if environ.get("PATH_INFO") != "/sparql":
        return None
    if environ["REQUEST_METHOD"] in ("GET", "HEAD"):
        raw = str(environ.get("QUERY_STRING", "")).encode("latin-1")
        return raw if 0 < len(raw) <= _LONGEST else None
    length = environ.get("CONTENT_LENGTH") or ""
    kind = str(environ.get("CONTENT_TYPE", "")).partition(";")[0].strip().lower()
    if (
        environ["REQUEST_METHOD"] != "POST"
        or kind != _FORM
        or not length.isdecimal()
        or int(length) > _LONGEST
    ):
        return None
    body = environ["wsgi.input"].read(int(length))
    environ["wsgi.input"] = io.BytesIO(body)
    return bytes(body)


def _tag(version: str, asked: _Asked) -> str:
    # Weak: rows without an order may come in another one, with the same meaning.
    named = f"{version}\n{asked.query}\n{asked.media_type}"
    return f'W/"{hashlib.sha256(named.encode()).hexdigest()[:24]}"'


def _matches(condition: str, tag: str) -> bool:
    if not condition:
        return False
    tags = (part.strip().removeprefix("W/") for part in plain_tags(condition).split(","))
    return any(part in ("*", tag.removeprefix("W/")) for part in tags)
