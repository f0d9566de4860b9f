"""SPARQL text as tokens, with their places (SPARQL 1.1 section 19)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

LETTER: Final = r"\w\u00b7\u200c\u200d\u2070-\u218f\u2c00-\u2fef\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd"
_ESCAPE: Final = r"\\u[0-9A-Fa-f]{4}|\\U[0-9A-Fa-f]{8}"
ESCAPED: Final = re.compile(_ESCAPE)
"""A code point escape (section 19.2)."""
# Characters that a prefix may have. Where a colon is looked for in vain, so many are read again and again.
_PREFIX: Final = 500
# The terminals of section 19.8, slightly wider where the grammar refuses the text in any case: a string that
# is not closed goes to the end, so that each character is read a few times at most.
TOKEN: Final = re.compile(
    rf"""
      (?P<space>(?:[ \t\r\n]|\#[^\r\n]*)+)
    | (?P<iri><(?:[^\x00-\x20<>"{{}}|^`\\]|{_ESCAPE})*>)
    | (?P<string>\"\"\"(?:[^"\\]|\\.|\"\"?(?!\"))*\"\"\" | '''(?:[^'\\]|\\.|''?(?!'))*'''
        | "(?:[^"\\\r\n]|\\.)*" | '(?:[^'\\\r\n]|\\.)*' | ["'].*)
    | (?P<blank>_:[{LETTER}](?:[{LETTER}.-]*[{LETTER}-])?)
    | (?P<variable>[?$][{LETTER}]+)
    | (?P<language>@[A-Za-z]+(?:-[A-Za-z0-9]+)*)
    | (?P<number>(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
    | (?P<name>(?>[{LETTER}](?:[{LETTER}.-]{{0,{_PREFIX}}}[{LETTER}-])?)?:
        (?:(?:[{LETTER}:-]|%[0-9A-Fa-f]{{2}}|\\[_~.\-!$&'()*+,;=/?\#@%])
         |\.+(?=[{LETTER}:%\\-]))*)
    | (?P<word>[{LETTER}]+)
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True)
class Token:
    """One token: its kind (a group of `TOKEN`), its text and its place in the whole."""

    kind: str
    text: str
    start: int
    end: int

    @property
    def word(self) -> str:
        """A keyword or punctuation mark in lower case, else empty."""
        return self.text.lower() if self.kind in ("word", "other") else ""

    @property
    def prefix(self) -> str:
        """The prefix of a prefixed name in lower case, else empty."""
        return self.text.partition(":")[0].lower() if self.kind == "name" else ""

    @property
    def nesting(self) -> int:
        """1 for an opening brace, -1 for a closing one, else 0."""
        return {"{": 1, "}": -1}.get(self.text, 0) if self.kind == "other" else 0


END: Final = Token("end", "", -1, -1)


def read_tokens(text: str) -> Iterator[Token]:
    """Yield the tokens of a text; white space and comments are skipped."""
    position = 0
    while (token := token_at(text, position)) is not END:
        yield token
        position = token.end


def token_at(text: str, position: int) -> Token:
    """Return the first token at or after a position, `END` if there is none."""
    while match := TOKEN.match(text, position):
        position = match.end()
        if match.lastgroup != "space":
            return Token(match.lastgroup or "other", match.group(), match.start(), position)
    return END


def place(text: str, position: int) -> tuple[int, int]:
    """Return line and column (from 1, in code points) of a position in a text."""
    lines = re.split(r"\r\n|\r|\n", text[:position])
    return len(lines), len(lines[-1]) + 1


def unescape(text: str) -> tuple[str, list[int]]:
    """Replace code point escapes (section 19.2); also return the original position of each character."""
    plain: list[str] = []
    origin: list[int] = []
    copied = 0
    for match in [*ESCAPED.finditer(text), None]:
        start = match.start() if match else len(text)
        plain.extend(text[copied:start])
        origin.extend(range(copied, start))
        if match:
            code = int(match.group()[2:], 16)
            plain.append(chr(code) if code < 0x110000 else "\ufffd")
            origin.append(start)
            copied = match.end()
    return "".join(plain), [*origin, len(text)]
