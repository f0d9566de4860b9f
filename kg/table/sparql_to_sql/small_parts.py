"""Patterns about other things than records, answered by the engine and joined as relations.

The default graph is a set of triples (SPARQL 1.1 sections 8 and 18.2.2), but the engine counts a triple once
for each graph that holds it (its issue 1919). Here it is a set: all variables of a pattern are asked for,
those of paths included, with DISTINCT.
"""

from __future__ import annotations

import os.path
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, cast

from pyoxigraph import Literal, NamedNode
from rdflib import Literal as RdfLiteral
from rdflib import URIRef, Variable
from rdflib.paths import MulPath, NegatedPath
from sqlglot import exp

from kg.errors import RequestError
from kg.store.interface import Row, Term
from kg.table.sparql_to_sql.not_routed import NotRoutedError
from kg.table.sparql_to_sql.paths import HIDDEN, Pattern, n3, variable_name
from kg.table.sparql_to_sql.scope import variables_of
from kg.table.sparql_to_sql.sql_values import XSD, SqlValue
from kg.terms import PREFIXES

LARGEST: Final = 50_000
"""Solutions of a pattern that are joined at most."""
_PUSHED: Final = 5_000
_WHOLE: Final = re.compile(r"-?\d{1,18}")
# Properties that nearly everything has.
_COMMON: Final = {PREFIXES["rdfs"] + "label", PREFIXES["rdf"] + "type", PREFIXES["skos"] + "prefLabel"}
_FUNCTIONS: Final = {"STR", "LANG", "LCASE", "UCASE", "isIRI", "isLiteral"}
_SEARCHES: Final = {"STRSTARTS", "STRENDS", "CONTAINS", "LANGMATCHES"}

Ask = Callable[[str], Iterable[Row]]


@dataclass(frozen=True)
class Relation:
    """Rows to be joined: for each column its SQL type and its cells."""

    name: str
    columns: tuple[tuple[str, str, list[Any]], ...]


@dataclass(frozen=True)
class Restriction:
    """The values that a variable can have, as IRIs; patterns are asked for these alone."""

    name: str
    iris: Sequence[str]


def connected(patterns: Iterable[Pattern]) -> list[list[Pattern]]:
    """Return patterns in groups that share variables."""
    groups: list[tuple[list[Pattern], set[str]]] = []
    for pattern in patterns:
        names = variables([pattern])
        touching = [group for group in groups if group[1] & names]
        groups = [group for group in groups if not group[1] & names]
        members = [member for group in touching for member in group[0]]
        groups.append(([*members, pattern], names.union(*(group[1] for group in touching))))
    return [group[0] for group in groups]


def variables(patterns: Iterable[Pattern]) -> set[str]:
    """Return the names of the variables of patterns."""
    return {name for one in patterns for node in (one.subject, one.object) if (name := variable_name(node))}


def is_wide(patterns: Iterable[Pattern]) -> bool:
    """Return whether patterns match far more than what is asked for, unless a variable is restricted."""
    return any(isinstance(one.predicate, MulPath) or str(one.predicate) in _COMMON for one in patterns)


def restriction(name: str, values: list[str]) -> Restriction | None:
    """Return a restriction to some IRIs, or None if there are too many."""
    return Restriction(name, values) if len(values) <= _PUSHED else None


def written(
    patterns: Sequence[Pattern],
    constants: Mapping[str, URIRef | RdfLiteral],
    filters: Iterable[str],
    restricted: Restriction | None,
) -> tuple[str, list[str]]:
    """Return the query for patterns, and their variables in its order; raises NotRoutedError.

    The variables of paths have the same names in the queries of like patterns, so that these are asked once.
    """
    hidden: dict[str, str] = {}

    def term(node: Any) -> str:
        name = variable_name(node) or ""
        if name.startswith(HIDDEN):
            return "?" + hidden.setdefault(name, f"{HIDDEN}{len(hidden)}")
        known = constants.get(name)
        return n3(node if known is None else known)

    parts = []
    for pattern in patterns:
        if isinstance(pattern.predicate, NegatedPath):
            raise NotRoutedError("a path excludes properties")
        parts.append(f"{term(pattern.subject)} {n3(pattern.predicate)} {term(pattern.object)} .")
    names = sorted(variables(patterns) - set(constants), key=lambda name: hidden.get(name, name))
    shown = " ".join(f"?{hidden.get(name, name)}" for name in names) or "(1 AS ?one)"
    values = ""
    if restricted:
        values = f"VALUES ?{restricted.name} {{ {' '.join(f'<{iri}>' for iri in restricted.iris)} }}"
    body = f"{values} {' '.join(parts)} {' '.join(f'FILTER({text})' for text in filters)}"
    return f"SELECT DISTINCT {shown} {{ {body} }} LIMIT {LARGEST + 1}", names


class Solved:
    """The solutions of patterns that `ask` gave for one query of a user, as relations that are made once."""

    def __init__(self, ask: Ask) -> None:
        self.relations: list[Relation] = []
        self._ask = ask
        self._rows: dict[str, list[tuple[Term, ...]]] = {}
        self._known: dict[tuple[str, tuple[str | None, ...]], tuple[Relation, list[SqlValue]]] = {}

    def rows(self, text: str) -> list[tuple[Term, ...]]:
        """Return the solutions of a query; raises NotRoutedError for too many."""
        found = self._rows.get(text)
        if found is None:
            try:
                found = self._rows[text] = [tuple(solution.values()) for solution in self._ask(text)]
            except RequestError as error:
                raise NotRoutedError(f"a pattern about other things cannot be asked: {error}") from None
        if len(found) > LARGEST:
            raise NotRoutedError(f"a pattern about other things has more than {LARGEST:,} solutions")
        return found

    def relation(
        self, text: str, names: Sequence[str], prefixes: Mapping[str, str], name: str
    ) -> tuple[Relation, dict[str, SqlValue]]:
        """Return the solutions of a query as a relation, and its columns by the names of variables.

        The relation is called `name` if it is new; the values do not name it. `prefixes` are those of the
        columns that it is joined with.
        """
        key = (text, tuple(prefixes.get(one) for one in names))
        if key not in self._known:
            relation, values = _typed(name, self.rows(text), key[1])
            self._known[key] = (relation, values)
            if names:
                self.relations.append(relation)
        relation, values = self._known[key]
        return relation, dict(zip(names, values, strict=True))


def _typed(
    name: str, rows: list[tuple[Term, ...]], prefixes: Sequence[str | None]
) -> tuple[Relation, list[SqlValue]]:
    """Return solutions as a relation with typed columns, and its columns as values.

    A row whose IRI begins otherwise than the column that it is joined with is left out.
    """
    for index, prefix in enumerate(prefixes):
        if prefix is not None:
            rows = [row for row in rows if _begins(row[index], prefix)]
    columns, values = [], []
    for index, prefix in enumerate(prefixes):
        value, kind, cells = _column([row[index] for row in rows], prefix)
        columns.append((f"x{index}", kind, cells))
        values.append(value.with_sql(exp.column(f"x{index}"), nullable=False))
    return Relation(name, tuple(columns)), values


def _is_date(text: str) -> bool:
    """Return whether a text is a day that SQL has, without a time zone."""
    try:
        return len(text) == 10 and bool(date.fromisoformat(text))
    except ValueError:
        return False


def _begins(term: Term, prefix: str) -> bool:
    return isinstance(term, NamedNode) and term.value.startswith(prefix)


def _column(terms: list[Term], prefix: str | None) -> tuple[SqlValue, str, list[Any]]:
    none = exp.null()
    if all(isinstance(term, NamedNode) for term in terms):
        iris = [cast("NamedNode", term).value for term in terms]
        common = os.path.commonprefix(iris) if prefix is None else prefix  # noqa: RUF071 - by characters
        return SqlValue("iri", none, prefix=common), "VARCHAR", [iri[len(common) :] for iri in iris]
    if all(isinstance(term, Literal) for term in terms):
        literals = cast("list[Literal]", terms)
        kinds = {(one.datatype.value, one.language) for one in literals}
        texts = [one.value for one in literals]
        if len(kinds) == 1:
            ((datatype, language),) = kinds
            if language:
                return SqlValue("text", none, language=language), "VARCHAR", texts
            match datatype.removeprefix(XSD):
                case "string":
                    return SqlValue("string", none), "VARCHAR", texts
                case "integer" if all(map(_WHOLE.fullmatch, texts)):
                    return SqlValue("integer", none), "BIGINT", [int(one) for one in texts]
                case "date" if all(map(_is_date, texts)):
                    return SqlValue("date", none), "DATE", texts
    return SqlValue("term", none), "VARCHAR", [str(term) for term in terms]


def filter_text(node: Any, names: set[str]) -> str | None:
    """Return a filter over these variables alone as SPARQL; None for one that stays in SQL."""
    return None if not (found := variables_of(node)) or found - names else _text(node)


def _text(node: Any) -> str | None:
    if isinstance(node, (Variable, URIRef, RdfLiteral)):
        return node.n3()
    name = str(getattr(node, "name", ""))
    function = name.removeprefix("Builtin_")
    if name == "RelationalExpression":
        others = node.other if isinstance(node.other, list) else [node.other]
        texts = [_text(part) for part in others]
        right = ", ".join(filter(None, texts))
        if node.op in ("IN", "NOT IN"):
            right = f"({right})"
        return _joined([_text(node.expr), right if None not in texts else None], f" {node.op} ")
    if name in ("ConditionalAndExpression", "ConditionalOrExpression"):
        operator = " && " if name == "ConditionalAndExpression" else " || "
        return _joined([_text(part) for part in (node.expr, *node.other)], operator)
    if name == "UnaryNot":
        inner = _text(node.expr)
        return None if inner is None else f"(!{inner})"
    if function in _FUNCTIONS:
        inner = _text(node.arg)
        return None if inner is None else f"{function}({inner})"
    if function in _SEARCHES:
        inner = _joined([_text(node.arg1), _text(node.arg2)], ", ")
        return None if inner is None else f"{function}{inner}"
    return None


def _joined(parts: list[str | None], operator: str) -> str | None:
    whole = [part for part in parts if part is not None]
    return f"({operator.join(whole)})" if len(whole) == len(parts) else None
