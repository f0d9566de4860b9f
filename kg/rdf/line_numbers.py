"""Finds the lines of a file on which things occur, for many of them in one pass."""

from __future__ import annotations

import mmap
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from kg.rdf.content import Content
from kg.rdf.sorted_lines import Watch

# A full name in angle brackets or quotes, or a prefixed one (Turtle 1.1 section 6.5).
_NAME: Final = re.compile(
    rb'\n|<[^<>\s]*>|"[^"\s]*"|[A-Za-z\x80-\xff][\w.\-\x80-\xff]*:(?:[\w.\-/:%~\x80-\xff]|\\.)+|'
    rb"(?<![\w.\-\x80-\xff]):(?:[\w.\-/:%~\x80-\xff]|\\.)+"
)
_VALUE: Final = re.compile(rb"\n|(?<=[\"'>])[^\"'<>\n]+(?=[\"'<])")
_LET_GO: Final = 500_000


def find_lines(
    content: Content,
    prefixes: Mapping[str, str],
    wanted: Sequence[tuple[str, str | None]],
    watch: Watch | None = None,
) -> list[int | None]:
    """Find the lines (from 1) of things (full IRIs), each with a value in Turtle or None.

    The line is that of the value if it occurs once, else the line that begins with the thing, else the first
    with its name; None if there is none.
    """
    values = {_words(value) for _, value in wanted} - {b""}
    names = {name: iri for iri in {iri for iri, _ in wanted} for name in _names(iri, prefixes)}
    found = _first(content, names, watch)
    once = _once(content, values, watch) if values else {}
    return [once.get(_words(value)) or found.get(iri) for iri, value in wanted]


def _words(value: str | None) -> bytes:
    return value[1 : value.rindex('"')].encode() if value and value.startswith('"') else b""


def _names(iri: str, prefixes: Mapping[str, str]) -> Iterable[bytes]:
    yield from (f"<{iri}>".encode(), f'"{iri}"'.encode())
    for prefix, namespace in prefixes.items():
        if iri.startswith(namespace) and iri != namespace:
            short = f"{prefix}:{iri[len(namespace) :]}"
            yield from (short.encode(), f'"{short}"'.encode())


def _first(content: Content, names: Mapping[bytes, str], watch: Watch | None) -> dict[str, int]:
    anywhere: dict[str, int] = {}
    leading: dict[str, int] = {}
    things = set(names.values())
    line, begin = 1, 0
    with content.view() as view:
        for number, token in enumerate(_NAME.finditer(view)):
            text = token.group()
            if text == b"\n":
                line, begin = line + 1, token.end()
            else:
                iri = names.get(text) or names.get(_plain(text))
                if iri is not None and iri not in leading:
                    anywhere.setdefault(iri, line)
                    if token.start() - begin < 1000 and not view[begin : token.start()].strip():
                        leading[iri] = line
                        if len(leading) == len(things):
                            break
            _pass(number, token.end(), view, watch)
    return {**anywhere, **leading}


def _once(content: Content, values: set[bytes], watch: Watch | None) -> dict[bytes, int | None]:
    found: dict[bytes, int | None] = {}
    line = 1
    with content.view() as view:
        for number, token in enumerate(_VALUE.finditer(view)):
            text = token.group()
            if text == b"\n":
                line += 1
            elif text in values:
                found[text] = None if text in found else line
            _pass(number, token.end(), view, watch)
    return found


def _plain(name: bytes) -> bytes:
    """Remove backslashes before punctuation in a local name (section 6.4) and a final full stop."""
    if name[:1] in (b"<", b'"'):
        return name
    return re.sub(rb"\\(.)", rb"\1", name.rstrip(b"."))


def _pass(number: int, done: int, view: Any, watch: Watch | None) -> None:
    if number % _LET_GO == 0:
        if watch is not None:
            watch(done)
        if isinstance(view, mmap.mmap):
            view.madvise(mmap.MADV_DONTNEED)
