"""SPARQL expressions as SQL (SPARQL 1.1 section 17).

The error of an expression is NULL, so that the tables of AND, OR and NOT of section 17.2 are those of SQL.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from rdflib import Literal, URIRef, Variable
from rdflib.plugins.sparql.parserutils import CompValue
from sqlglot import exp

from kg.table.sparql_to_sql import arithmetic
from kg.table.sparql_to_sql.arithmetic import comparison
from kg.table.sparql_to_sql.not_routed import NotRoutedError
from kg.table.sparql_to_sql.sql_values import (
    NUMBERS,
    TEXTS,
    UNBOUND,
    SqlValue,
    boolean,
    cast,
    constant,
    same_iri,
    term_text,
    text,
    unified,
    whole_iri,
)

Columns = Mapping[str, SqlValue]
Exists = Callable[[CompValue], exp.Expr]
_NULL_TRUTH: Final = boolean(cast(exp.null(), "BOOLEAN"), nullable=True)
_PARTS: Final = {"Builtin_YEAR": "year", "Builtin_MONTH": "month", "Builtin_DAY": "day"}
_SEARCHES: Final = {
    "Builtin_CONTAINS": "contains",
    "Builtin_STRSTARTS": "starts_with",
    "Builtin_STRENDS": "ends_with",
}


class Expressions:
    """Translates expressions over columns; `exists` translates EXISTS of a pattern."""

    def __init__(self, columns: Columns, exists: Exists) -> None:
        self._columns = columns
        self._exists = exists

    def value(self, node: Any) -> SqlValue:
        """Return the value of an expression; raises NotRoutedError where SQL would answer otherwise."""
        if isinstance(node, Variable):
            return self._columns.get(str(node), UNBOUND)
        if isinstance(node, (URIRef, Literal)):
            return constant(node)
        if not isinstance(node, CompValue):
            raise NotRoutedError("an expression has a term of another kind")
        match node.name:
            case "RelationalExpression":
                return self._relation(node)
            case "ConditionalAndExpression" | "ConditionalOrExpression":
                parts = [self.truth(part) for part in (node.expr, *node.other)]
                join = exp.and_ if node.name == "ConditionalAndExpression" else exp.or_
                return boolean(exp.paren(join(*parts)), nullable=True)
            case "UnaryNot":
                return boolean(exp.paren(exp.not_(exp.paren(self.truth(node.expr)))), nullable=True)
            case "UnaryMinus":
                return self._negative(node)
            case "AdditiveExpression" | "MultiplicativeExpression":
                value = self.value(node.expr)
                for operator, other in zip(node.op, node.other, strict=True):
                    value = arithmetic.combine(operator, value, self.value(other))
                return value
            case "Builtin_EXISTS" | "Builtin_NOTEXISTS":
                found = exp.paren(self._exists(node.graph))
                return boolean(found if node.name == "Builtin_EXISTS" else exp.not_(found), nullable=False)
            case "Builtin_IF":
                return self._if(node)
            case "Builtin_COALESCE":
                return self._coalesce([self.value(part) for part in node.arg])
            case _:
                return self._function(node)

    def truth(self, node: Any) -> exp.Expr:
        """Return the effective boolean value of an expression (SPARQL 1.1 section 17.2.2)."""
        value = self.value(node)
        if value.kind == "boolean":
            return value.sql
        if value.kind == "string":
            return exp.NEQ(this=value.sql, expression=text(""))
        if value.kind in NUMBERS:
            return exp.NEQ(this=value.sql, expression=arithmetic.number(0))
        raise NotRoutedError(f"a {value.kind} is taken as a condition")

    def _relation(self, node: CompValue) -> SqlValue:
        left = self.value(node.expr)
        if node.op not in ("IN", "NOT IN"):
            return self._compare(node.op, left, self.value(node.other))
        parts = [self._compare("=", left, self.value(other)) for other in node.other]
        if not parts:
            raise NotRoutedError("IN has no values")
        found = exp.paren(exp.or_(*(part.sql for part in parts)))
        nullable = any(part.nullable for part in parts)
        return boolean(found if node.op == "IN" else exp.paren(exp.not_(found)), nullable=nullable)

    def _compare(self, operator: str, left: SqlValue, right: SqlValue) -> SqlValue:
        if "unbound" in (left.kind, right.kind):
            return _NULL_TRUTH
        kinds = {left.kind, right.kind}
        nullable = left.nullable or right.nullable
        if kinds <= set(NUMBERS):
            return boolean(exp.paren(arithmetic.compare(operator, left, right)), nullable=nullable)
        same = operator in ("=", "!=")
        if (len(kinds) == 1 and left.kind in ("string", "date", "dateTime")) or (
            kinds == {"boolean"} and same
        ):
            node: exp.Expr = comparison(operator)(this=left.sql, expression=right.sql)
        elif kinds == {"iri"} and same:
            node = same_iri(left, right)
            node = node if operator == "=" else exp.not_(exp.paren(node))
        elif kinds == {"iri", "term"} and same:
            node = comparison(operator)(this=term_text(left), expression=term_text(right))
        else:
            raise NotRoutedError(f"{left.kind} {operator} {right.kind} is compared")
        return boolean(exp.paren(node), nullable=nullable)

    def _negative(self, node: CompValue) -> SqlValue:
        value = self.value(node.expr)
        if value.kind == "integer":
            return arithmetic.combine("-", constant(Literal(0)), value)
        if value.kind != "decimal":
            raise NotRoutedError(f"a {value.kind} is negated")
        return value.with_sql(exp.paren(exp.Neg(this=exp.paren(value.sql))), nullable=value.nullable)

    def _if(self, node: CompValue) -> SqlValue:
        condition = self.truth(node.arg1)
        then, other = unified([self.value(node.arg2), self.value(node.arg3)])
        if then.kind == "unbound":
            return UNBOUND
        # An error of the condition is an error of IF; NULL is neither true nor false.
        against = exp.not_(exp.paren(condition))
        chosen = [
            exp.case().when(condition.copy(), one).when(against.copy(), two)
            for one, two in zip(then.cells, other.cells, strict=True)
        ]
        return then.with_cells(chosen, nullable=True)

    @staticmethod
    def _coalesce(parts: list[SqlValue]) -> SqlValue:
        bound = [part for part in parts if part.kind != "unbound"]
        if not bound:
            return UNBOUND
        bound = unified(bound)
        cells = [exp.func("coalesce", *parts) for parts in zip(*(part.cells for part in bound), strict=True)]
        return bound[0].with_cells(cells, nullable=all(part.nullable for part in bound))

    def _function(self, node: CompValue) -> SqlValue:
        name = node.name
        if name in _SEARCHES:
            return self._search(node)
        if name not in {"Builtin_SUBSTR", *_PARTS, *_SIMPLE}:
            raise NotRoutedError(f"the function {name.removeprefix('Builtin_')} is called")
        if name == "Builtin_BOUND":
            value = self.value(node.arg)
            bound = exp.not_(exp.Is(this=value.sql, expression=exp.null()))
            return boolean(exp.false() if value.kind == "unbound" else bound, nullable=False)
        if name == "Builtin_STR" and getattr(node.arg, "name", "") == "Builtin_COALESCE":
            return self._coalesce([_str(self.value(part)) for part in node.arg.arg])
        value = self.value(node.arg)
        if value.kind == "unbound":
            return UNBOUND
        if name == "Builtin_SUBSTR":
            return _substring(value, node)
        if name in _PARTS:
            if value.kind not in ("date", "dateTime"):
                raise NotRoutedError(f"{_PARTS[name]} of a {value.kind} is computed")
            return SqlValue("integer", cast(exp.func(_PARTS[name], value.sql), "BIGINT"), value.nullable)
        return _SIMPLE[name](value)

    def _search(self, node: CompValue) -> SqlValue:
        whole, part = self.value(node.arg1), self.value(node.arg2)
        if whole.kind not in TEXTS or part.kind != "string" or part.constant is None:
            raise NotRoutedError("a text is searched for a computed one")
        found = exp.Anonymous(this=_SEARCHES[node.name], expressions=[whole.sql, part.sql])
        return boolean(found, nullable=whole.nullable)


def _str(value: SqlValue) -> SqlValue:
    """STR: section 17.4.2.5."""
    if value.kind == "unbound":
        return value
    if value.kind == "iri":
        return SqlValue("string", whole_iri(value), value.nullable)
    if value.kind in TEXTS:
        return SqlValue("string", value.sql, value.nullable)
    if value.kind in ("date", "integer"):
        return SqlValue("string", cast(value.sql, "VARCHAR"), value.nullable)
    raise NotRoutedError(f"STR of a {value.kind} is computed")


def _lang(value: SqlValue) -> SqlValue:
    """LANG: section 17.4.2.6."""
    if value.kind not in TEXTS:
        raise NotRoutedError(f"LANG of a {value.kind} is computed")
    bound = exp.not_(exp.Is(this=value.sql, expression=exp.null()))
    return SqlValue("string", exp.case().when(bound, text(value.language)), value.nullable)


def _length(value: SqlValue) -> SqlValue:
    """STRLEN: section 17.4.3.2, in characters."""
    if value.kind not in TEXTS:
        raise NotRoutedError(f"STRLEN of a {value.kind} is computed")
    return SqlValue("integer", cast(exp.func("length", value.sql), "BIGINT"), value.nullable)


def _is_iri(value: SqlValue) -> SqlValue:
    """isIRI: section 17.4.2.1."""
    if value.kind == "term":
        raise NotRoutedError("isIRI of terms of several kinds is computed")
    bound = exp.not_(exp.Is(this=value.sql, expression=exp.null()))
    known = exp.Boolean(this=value.kind == "iri")
    return boolean(exp.case().when(bound, known), nullable=value.nullable)


_SIMPLE: Final[dict[str, Callable[[SqlValue], SqlValue]]] = {
    "Builtin_BOUND": _is_iri,
    "Builtin_STR": _str,
    "Builtin_LANG": _lang,
    "Builtin_STRLEN": _length,
    "Builtin_isIRI": _is_iri,
    "Builtin_isURI": _is_iri,
}


def _substring(value: SqlValue, node: CompValue) -> SqlValue:
    """SUBSTR: section 17.4.3.3, with constant positions."""
    positions = [node.start, *([node["length"]] if "length" in node else [])]
    if value.kind not in TEXTS or not all(isinstance(place, Literal) for place in positions):
        raise NotRoutedError("a part of a text at a computed place is taken")
    try:
        places = [int(place) for place in positions]
    except ValueError:
        raise NotRoutedError("SUBSTR is called with other things than numbers") from None
    if places[0] < 1 or min(places) < 0 or any("." in str(place) for place in positions):
        raise NotRoutedError("SUBSTR is called with places outside of a text")
    node_sql = exp.Anonymous(
        this="substr",
        expressions=[value.sql, *map(arithmetic.number, places)],
    )
    return value.with_sql(node_sql, nullable=value.nullable)
