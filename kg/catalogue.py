"""The catalogue of questions: SPARQL files with a header, and safe insertion of parameter values.

The files run in any SPARQL tool. The header consists of comment lines:

    # title: Who holds which post
    # description: What the answer shows, and what it leaves out.
    # sentence: Who held which post on {on}?
    # param: on date optional — the day asked about
    # param: event iri dg:Event required — which event
    # fixture: article

Each parameter occurs in the query as `VALUES ?on { UNDEF }`, or with a default in place of UNDEF; it may
stand in several groups, so that engines find the rows of each by it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from pyoxigraph import Literal, NamedNode

from kg.bundled import QUERIES_FOLDER
from kg.errors import DataSyntaxError, ParameterError
from kg.terms import ID, PREFIXES, term

_HEADER: Final = re.compile(r"#\s*(\w+):\s*(.*\S)\s*")
_PARAMETER_LINE: Final = re.compile(r"#\s*param:\s*(.*\S)\s*")
_PARAMETER: Final = re.compile(r"(\w+)\s+(\w+)(?:\s+(\w+:\w+))?\s+(required|optional)\s+[—-]\s+(.+)")
_PLACE: Final = re.compile(r"VALUES\s+\?(?P<name>\w+)\s*\{[^{}]*\}")


@dataclass(frozen=True)
class Parameter:
    """A parameter of a question. `of` is the class of its values as a prefixed name, for kind `iri`."""

    name: str
    kind: str
    description: str
    required: bool
    of: str | None


@dataclass(frozen=True)
class Question:
    """A question of the catalogue: `name` is that of the file, `text` its SPARQL including the header.

    `fixture` names the data of its tests: `article`, or a file of tests/fixtures. `sentence` is the question
    in words with a blank `{name}` for each parameter, or empty.
    """

    name: str
    title: str
    description: str
    parameters: tuple[Parameter, ...]
    fixture: str
    text: str
    sentence: str = ""

    def parts(self) -> list[str | Parameter]:
        """Return the sentence as words and parameters, in order."""
        blanks = {parameter.name: parameter for parameter in self.parameters}
        found = filter(None, re.split(r"(\{\w+\})", self.sentence))
        return [blanks[part[1:-1]] if part.startswith("{") else part for part in found]

    def fill(self, values: Mapping[str, str]) -> str:
        """Return the query with parameter values inserted.

        An empty value counts as missing. Raises ParameterError, which lists the parameters, for one that is
        unknown, missing or malformed.
        """
        for name in sorted(values.keys() - {parameter.name for parameter in self.parameters}):
            raise ParameterError(f"{self.name} has no parameter {name}", mend=self._allowed())
        filled: dict[str, NamedNode | Literal] = {}
        for parameter in self.parameters:
            value = values.get(parameter.name, "").strip()
            if value:
                expected, example, read = _KINDS[parameter.kind]
                try:
                    filled[parameter.name] = read(value)
                except ValueError:
                    problem = f"{parameter.name}: “{value}” is not {expected} (use {example})"
                    raise ParameterError(problem, where=self.name, mend=self._allowed()) from None
            elif parameter.required:
                raise ParameterError(f"{self.name} needs {parameter.name}", mend=self._allowed())

        def place(found: re.Match[str]) -> str:
            name = found["name"]
            return f"VALUES ?{name} {{ {filled[name]} }}" if name in filled else found[0]

        # In one pass, so that a value that looks like a parameter is not replaced.
        return _PLACE.sub(place, self.text)

    def _allowed(self) -> str:
        if not self.parameters:
            return "It has no parameters."
        listed = (
            f"{p.name} ({_KINDS[p.kind][0]}, {'required' if p.required else 'optional'})"
            for p in self.parameters
        )
        return f"Its parameters: {'; '.join(listed)}."


def read_catalogue(folder: Path = QUERIES_FOLDER) -> dict[str, Question]:
    """Read all questions of a folder, by name in alphabetical order.

    Raises DataSyntaxError, with file and line, for a header that is incomplete or does not match its query.
    """
    return {path.stem: _read_question(path) for path in sorted(folder.glob("*.rq"))}


def read_header(path: Path, needed: Collection[str], optional: Collection[str]) -> dict[str, str]:
    """Read the header of a SPARQL file by key. Raises DataSyntaxError for one that lacks a needed key."""
    found = map(_HEADER.fullmatch, path.read_text(encoding="utf-8").splitlines())
    parts = {header[1]: header[2] for header in found if header and header[1] in (*needed, *optional)}
    for key in needed:
        if key not in parts:
            raise DataSyntaxError(f"the header lacks {key}", where=path.name, mend=f"Add a line # {key}: …")
    return parts


def _read_question(path: Path) -> Question:
    text = path.read_text(encoding="utf-8")
    parameters = [
        _read_parameter(found[1], text, f"{path.name}, line {number}")
        for number, line in enumerate(text.splitlines(), start=1)
        if (found := _PARAMETER_LINE.fullmatch(line))
    ]
    parts = read_header(path, ("title", "description", "fixture"), ("sentence",))
    sentence = parts.get("sentence", "")
    if sentence and sorted(re.findall(r"\{(\w+)\}", sentence)) != sorted(p.name for p in parameters):
        problem = "the sentence does not contain each parameter once"
        mend = "Write a blank {name} for every parameter, and no other."
        raise DataSyntaxError(problem, where=path.name, mend=mend)
    return Question(name=path.stem, parameters=tuple(parameters), text=text, **parts)


def _read_parameter(line: str, text: str, where: str) -> Parameter:
    found = _PARAMETER.fullmatch(line)
    if found is None or found[2] not in _KINDS:
        mend = f"Write: name kind [class] required|optional — what it is. Kinds: {', '.join(_KINDS)}."
        raise DataSyntaxError(f"the parameter line is malformed: {line}", where=where, mend=mend)
    name, kind, of, need, description = found.groups()
    if name not in _PLACE.findall(text):
        problem = f"the query does not contain the parameter {name}"
        raise DataSyntaxError(problem, where=where, mend=f"Write VALUES ?{name} {{ UNDEF }}.")
    return Parameter(name, kind, description, need == "required", of)


def _iri(text: str) -> NamedNode:
    prefix, colon, local = text.partition(":")
    if colon and prefix in PREFIXES:
        return NamedNode(PREFIXES[prefix] + local)
    if re.fullmatch(r"[a-z][a-z-]*/[\w.~-]+", text):
        return NamedNode(ID + text)
    if text.startswith("<") and text.endswith(">"):
        text = text[1:-1]
    # RFC 3987 allows more, but without "//" a name with a mistyped prefix would be accepted as an IRI.
    if not re.match(r"[A-Za-z][A-Za-z0-9+.-]*://|urn:", text):
        raise ValueError(text)
    return NamedNode(text)


def _date(text: str) -> Literal:
    # XML Schema 1.1 part 2 section 3.3.9; fromisoformat also accepts 20180101 and 2018-W01-1.
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        raise ValueError(text)
    return Literal(date.fromisoformat(text).isoformat(), datatype=term("xsd:date"))


def _integer(text: str) -> Literal:
    if not re.fullmatch(r"[+-]?[0-9]+", text):
        raise ValueError(text)
    return Literal(int(text))


_KINDS: Final[dict[str, tuple[str, str, Callable[[str], NamedNode | Literal]]]] = {
    "iri": ("an IRI, a prefixed name or kind/slug", "country/usa", _iri),
    "date": ("a date", "2026-11-30", _date),
    "integer": ("a whole number", "10", _integer),
    "string": ("a text", "Iran", Literal),
}
