"""SQL expressions with the kind of RDF term that they stand for.

SQL has no terms: a text may be an IRI, an xsd:string or a text in a language, and two numbers may be equal
without being one term. So each expression carries its kind, and expressions of different kinds meet only
where SPARQL says what happens then.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from rdflib import Literal as RdfLiteral
from rdflib import URIRef
from sqlglot import exp

from kg.table.record_table import ColumnKind, TableColumn
from kg.table.sparql_to_sql.not_routed import NotRoutedError
from kg.terms import PREFIXES

ValueKind = ColumnKind | Literal["quotient", "number", "term", "unbound"]
"""Beside the kinds of columns: a `quotient` is a decimal as an integer of 10^-18, a `number` is a decimal in
some rows and an integer in others, a `term` is the text of any term in N-Triples, and an `unbound` value is
never bound."""

XSD: Final = PREFIXES["xsd"]
DIGITS: Final = 18
"""Digits after the point of a decimal of the engine."""
NUMBERS: Final = ("integer", "decimal", "quotient", "number")
TEXTS: Final = ("string", "text")
_WHOLE: Final = re.compile(r"[+-]?\d{1,18}")
_DECIMAL: Final = re.compile(r"[+-]?\d{1,15}\.\d{1,15}")
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d")
_TIME: Final = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:Z|\+00:00)")


@dataclass(frozen=True)
class SqlValue:
    """A typed SQL expression; NULL means unbound, or the error of an expression.

    `prefix` precedes an IRI, `language` is that of a text, `scale` that of a decimal; `is_decimal` is whether
    a number is a decimal in a row. `record` marks the identifier of a record. `constant` is set for a value
    that is the same in every row.
    """

    kind: ValueKind
    node: exp.Expr
    nullable: bool = False
    prefix: str = ""
    language: str = ""
    scale: int = 0
    is_decimal: exp.Expr | None = None
    record: bool = False
    constant: URIRef | RdfLiteral | None = None

    @property
    def cells(self) -> list[exp.Expr]:
        """The expressions that hold the value: two for a number, one for another, none if it is unbound."""
        if self.kind == "unbound":
            return []
        return [self.sql] if self.is_decimal is None else [self.sql, self.is_decimal.copy()]

    def with_cells(self, cells: Sequence[exp.Expr], *, nullable: bool) -> SqlValue:
        """Return a value of the same type with other expressions."""
        flag = cells[1] if len(cells) > 1 else None
        return replace(self, node=cells[0], is_decimal=flag, nullable=nullable, constant=None)

    @property
    def sql(self) -> exp.Expr:
        """The expression, as a tree of its own."""
        return self.node.copy()

    def with_sql(self, node: exp.Expr, *, nullable: bool) -> SqlValue:
        """Return a value of the same type with another expression."""
        return replace(self, node=node, nullable=nullable, constant=None)


UNBOUND: Final = SqlValue("unbound", exp.null(), nullable=True)


def column_value(column: TableColumn, table: str) -> SqlValue:
    """Return a column of a table of records."""
    return SqlValue(
        column.kind,
        exp.column(column.name, table=table),
        not column.complete,
        column.prefix,
        column.language,
        column.scale,
    )


def boolean(node: exp.Expr, *, nullable: bool) -> SqlValue:
    """Return the value of a condition."""
    return SqlValue("boolean", node, nullable)


def text(value: str) -> exp.Expr:
    """Return a text as SQL."""
    return exp.Literal.string(value)


def cast(node: exp.Expr, kind: str) -> exp.Expr:
    """Return a conversion to an SQL type."""
    # exp.cast leaves a conversion out where only the digits of two decimals differ.
    return exp.Cast(this=node, to=exp.DataType.build(kind))


def constant(term: URIRef | RdfLiteral) -> SqlValue:
    """Return a term of a query; raises NotRoutedError for a literal that no column can hold."""
    if isinstance(term, URIRef):
        return SqlValue("iri", text(str(term)), constant=term)
    lexical, datatype = str(term), str(term.datatype or "")
    if term.language:
        return SqlValue("text", text(lexical), language=str(term.language).lower(), constant=term)
    if datatype in ("", f"{XSD}string"):
        return SqlValue("string", text(lexical), constant=term)
    node: exp.Expr | None = None
    scale = 0
    match datatype.removeprefix(XSD):
        case "integer" if _WHOLE.fullmatch(lexical):
            node = cast(exp.Literal.number(int(lexical)), "BIGINT")
        case "decimal" if _DECIMAL.fullmatch(lexical):
            scale = len(lexical.partition(".")[2])
            node = cast(text(lexical), f"DECIMAL(38, {scale})")
        case "boolean" if lexical in ("true", "false"):
            node = exp.Boolean(this=lexical == "true")
        case "date" if _DATE.fullmatch(lexical):
            node = cast(text(lexical), "DATE")
        case "dateTime" if (found := _TIME.fullmatch(lexical)) is not None:
            node = cast(text(f"{found[1]} {found[2]}"), "TIMESTAMP")
    if node is None:
        raise NotRoutedError(f"the constant {term.n3()} has no type of a column")
    kinds: dict[str, ColumnKind] = {
        "integer": "integer",
        "decimal": "decimal",
        "boolean": "boolean",
        "date": "date",
        "dateTime": "dateTime",
    }
    return SqlValue(kinds[datatype.removeprefix(XSD)], node, scale=scale, constant=term)


def whole_iri(value: SqlValue) -> exp.Expr:
    """Return an IRI with its prefix."""
    if not value.prefix:
        return value.sql
    return exp.DPipe(this=text(value.prefix), expression=value.sql)


def same_term(left: SqlValue, right: SqlValue) -> exp.Expr:
    """Return the condition that two bound values are one term (SPARQL 1.1 section 18.3, compatible mappings).

    Raises NotRoutedError where SQL cannot say so.
    """
    if left.nullable or right.nullable:
        raise NotRoutedError("a variable that may be unbound is joined")
    if {"quotient", "number"} & {left.kind, right.kind}:
        raise NotRoutedError("a computed number is joined")
    if left.kind != right.kind:
        if "term" in (left.kind, right.kind):
            return exp.EQ(this=term_text(left), expression=term_text(right))
        return exp.false()
    if left.kind == "text" and left.language != right.language:
        return exp.false()
    if left.kind == "iri":
        return same_iri(left, right)
    return exp.EQ(this=left.sql, expression=right.sql)


def same_iri(left: SqlValue, right: SqlValue) -> exp.Expr:
    """Return the condition that two IRIs are equal; NULL if one is."""
    if left.prefix == right.prefix:
        return exp.EQ(this=left.sql, expression=right.sql)
    for one, other in ((left, right), (right, left)):
        if one.constant is not None and not one.prefix:
            iri = str(one.constant)
            if not iri.startswith(other.prefix):
                # Not FALSE: an unbound value stays an error.
                return exp.NEQ(this=other.sql, expression=other.sql)
            return exp.EQ(this=other.sql, expression=text(iri.removeprefix(other.prefix)))
    return exp.EQ(this=whole_iri(left), expression=whole_iri(right))


def term_text(value: SqlValue) -> exp.Expr:
    """Return a value as the text of its term in N-Triples; raises NotRoutedError for literals."""
    if value.kind == "term":
        return value.sql
    if value.kind == "iri":
        return exp.DPipe(
            this=exp.DPipe(this=text(f"<{value.prefix}"), expression=value.sql), expression=text(">")
        )
    raise NotRoutedError(f"a {value.kind} is compared with terms of several kinds")


def unified(values: list[SqlValue]) -> list[SqlValue]:
    """Return values that are to share one column, converted to one type; raises NotRoutedError."""
    bound = [value for value in values if value.kind != "unbound"]
    if not bound:
        return values
    kinds = {value.kind for value in bound}
    if (len(kinds) > 1 and kinds <= {"integer", "decimal", "number"}) or kinds == {"number"}:
        return _numbers(values, max(value.scale for value in bound))
    if len(kinds) > 1:
        if kinds <= {"iri", "term"}:
            return [_filled(value, SqlValue("term", exp.null()), term_text) for value in values]
        raise NotRoutedError(f"values of several kinds ({', '.join(sorted(kinds))}) are in one column")
    kind = bound[0].kind
    if kind == "text" and len({value.language for value in bound}) > 1:
        raise NotRoutedError("texts of several languages are in one column")
    if kind == "iri" and len({value.prefix for value in bound}) > 1:
        return [_filled(value, SqlValue("iri", exp.null()), whole_iri) for value in values]
    if kind == "decimal":
        scale = max(value.scale for value in bound)
        target = SqlValue("decimal", exp.null(), scale=scale)
        return [_filled(value, target, lambda one: decimal(one, scale)) for value in values]
    return [_filled(value, bound[0], lambda one: one.sql) for value in values]


def decimal(value: SqlValue, scale: int) -> exp.Expr:
    """Return a decimal, integer or number with this many digits after the point."""
    if value.kind != "integer" and value.scale == scale:
        return value.sql
    return cast(value.sql, f"DECIMAL(38, {scale})")


def is_bound(node: exp.Expr) -> exp.Expr:
    """Return whether an expression has a value."""
    return exp.not_(exp.Is(this=node, expression=exp.null()))


def _numbers(values: list[SqlValue], scale: int) -> list[SqlValue]:
    """Return numbers of several types as values that say of each row which it is."""
    found = []
    for value in values:
        node = exp.null() if value.kind == "unbound" else decimal(value, scale)
        flag = value.is_decimal or exp.Boolean(this=value.kind == "decimal")
        flag = exp.case().when(is_bound(node.copy()), flag.copy())
        found.append(SqlValue("number", node, value.nullable, scale=scale, is_decimal=flag))
    return found


def _filled(value: SqlValue, target: SqlValue, convert: Callable[[SqlValue], exp.Expr]) -> SqlValue:
    if value.kind == "unbound":
        return replace(target, node=exp.null(), nullable=True, constant=None)
    record = value.record and target.kind == "iri"
    return replace(
        target, node=convert(value), nullable=value.nullable, constant=value.constant, record=record
    )
