"""Numbers as the engine computes them: 64-bit integers, decimals of 18 digits, errors without a value.

SQL engines divide decimals as floating-point numbers and fail at an overflow, so divisions are done on
integers of 10^-18 (`quotient`), cut off as the engine cuts them, and an overflow is NULL.
"""

from __future__ import annotations

from typing import Final

from sqlglot import exp

from kg.table.sparql_to_sql.not_routed import NotRoutedError
from kg.table.sparql_to_sql.sql_values import DIGITS, NUMBERS, SqlValue, cast, decimal

_LARGEST: Final = 2**63 - 1
_UNITS: Final = 10**DIGITS
_COMPARISONS: Final[dict[str, type[exp.Binary]]] = {
    "=": exp.EQ,
    "!=": exp.NEQ,
    "<": exp.LT,
    ">": exp.GT,
    "<=": exp.LTE,
    ">=": exp.GTE,
}


def number(value: int) -> exp.Expr:
    """Return an integer as SQL."""
    return exp.Literal.number(value)


def wide(node: exp.Expr) -> exp.Expr:
    """Return an integer as one of 128 bits."""
    return cast(node, "HUGEINT")


def in_units(value: SqlValue) -> exp.Expr:
    """Return a number as an integer of 10^-18."""
    if value.kind == "quotient":
        return value.sql
    if value.kind == "integer":
        return exp.Mul(this=wide(value.sql), expression=wide(number(_UNITS)))
    scaled = exp.Mul(
        this=decimal(value, value.scale), expression=cast(number(10**value.scale), "DECIMAL(19, 0)")
    )
    return exp.Mul(this=wide(exp.paren(scaled)), expression=wide(number(10 ** (DIGITS - value.scale))))


def checked(node: exp.Expr) -> exp.Expr:
    """Return an integer of 128 bits as one of 64, or NULL where it does not fit."""
    fits = exp.Between(this=node, low=number(-_LARGEST - 1), high=number(_LARGEST))
    return exp.case().when(fits, cast(node.copy(), "BIGINT"))


def quotient(units: exp.Expr, divisor: exp.Expr) -> exp.Expr:
    """Return integers of 10^-18 divided by an integer, cut off; NULL for a division by zero."""
    return exp.case().when(
        exp.NEQ(this=divisor, expression=number(0)),
        exp.IntDiv(this=exp.paren(units), expression=divisor.copy()),
    )


def compare(operator: str, left: SqlValue, right: SqlValue) -> exp.Expr:
    """Return the comparison of two numbers (SPARQL 1.1 section 17.3)."""
    build = _COMPARISONS[operator]
    if "quotient" in (left.kind, right.kind):
        return build(this=in_units(left), expression=in_units(right))
    if left.kind == right.kind == "integer":
        return build(this=left.sql, expression=right.sql)
    scale = max(left.scale, right.scale)
    return build(this=decimal(left, scale), expression=decimal(right, scale))


def combine(operator: str, left: SqlValue, right: SqlValue) -> SqlValue:
    """Return the result of +, -, * or / of two numbers; raises NotRoutedError."""
    if left.kind not in NUMBERS or right.kind not in NUMBERS:
        raise NotRoutedError(f"{left.kind} {operator} {right.kind} is computed")
    if operator == "/":
        if right.kind != "integer" or left.kind == "quotient":
            raise NotRoutedError("a number is divided by a decimal")
        return SqlValue("quotient", quotient(in_units(left), wide(right.sql)), nullable=True)
    if {"quotient", "number"} & {left.kind, right.kind}:
        raise NotRoutedError("a computed number is part of a computation")
    build = {"+": exp.Add, "-": exp.Sub, "*": exp.Mul}[operator]
    if left.kind == right.kind == "integer":
        whole = exp.paren(build(this=wide(left.sql), expression=wide(right.sql)))
        return SqlValue("integer", checked(whole), nullable=True)
    if operator == "*" or left.kind != right.kind:
        raise NotRoutedError(f"a decimal {operator} a number of another kind is computed")
    scale = max(left.scale, right.scale)
    node = exp.paren(build(this=decimal(left, scale), expression=decimal(right, scale)))
    return SqlValue("decimal", node, left.nullable or right.nullable, scale=scale)


def comparison(operator: str) -> type[exp.Binary]:
    """Return the SQL of a comparison operator."""
    return _COMPARISONS[operator]
