"""Aggregates of groups (SPARQL 1.1 section 18.5.1).

An error or an unbound value makes every aggregate but COUNT and SAMPLE of its group an error, while SQL skips
NULL; so each aggregate is checked against the number of rows.
"""

from __future__ import annotations

from typing import Final

from sqlglot import exp

from kg.table.sparql_to_sql import arithmetic
from kg.table.sparql_to_sql.arithmetic import checked, number, wide
from kg.table.sparql_to_sql.not_routed import NotRoutedError
from kg.table.sparql_to_sql.sql_values import SqlValue, cast

_ORDERED: Final = ("string", "text", "integer", "decimal", "date", "dateTime", "iri")


def count_rows() -> SqlValue:
    """Return COUNT(*)."""
    return SqlValue("integer", exp.Count(this=exp.Star()))


def aggregate(name: str, value: SqlValue, *, distinct: bool, grouped: bool) -> SqlValue:
    """Return an aggregate of a column; `grouped` is False if all rows are one group, which may be empty.

    Raises NotRoutedError for one that SQL would answer otherwise.
    """
    if name == "Count":
        if value.kind == "unbound":
            return SqlValue("integer", exp.Count(this=exp.null()))
        if distinct and value.kind == "number":
            raise NotRoutedError("numbers of several types are counted once each")
        counted = exp.Distinct(expressions=[value.sql]) if distinct else value.sql
        return SqlValue("integer", exp.Count(this=counted))
    if value.kind in ("unbound", "term", "boolean", "quotient"):
        raise NotRoutedError(f"{name.upper()} of a {value.kind} is computed")
    if name in ("Min", "Max") and value.kind in _ORDERED:
        build = exp.Min if name == "Min" else exp.Max
        return _whole(value, value.with_sql(build(this=value.sql), nullable=value.nullable or not grouped))
    if name not in ("Sum", "Avg") or value.kind not in ("integer", "decimal", "number") or distinct:
        raise NotRoutedError(f"{name.upper()} of a {value.kind} is computed")
    if not grouped and (name == "Avg" or value.kind != "integer"):
        raise NotRoutedError(f"{name.upper()} over what may be nothing is an integer")
    if value.kind == "integer":
        total: exp.Expr = exp.Sum(this=wide(value.sql))
        if name == "Sum":
            # The sum of nothing is 0, and NULL in SQL.
            return _whole(
                value, SqlValue("integer", checked(exp.func("coalesce", total, number(0))), nullable=True)
            )
        # A total that the engine cannot hold has no mean.
        units: exp.Expr = exp.Mul(this=wide(checked(total)), expression=wide(number(10**18)))
    else:
        total = exp.Sum(this=value.sql)
        if name == "Sum":
            wider = cast(total, f"DECIMAL(38, {value.scale})")
            # A sum is a decimal if one of its numbers is.
            flag = exp.LogicalOr(this=value.is_decimal.copy()) if value.is_decimal is not None else None
            result = SqlValue(value.kind, wider, value.nullable, scale=value.scale, is_decimal=flag)
            return _whole(value, result)
        units = arithmetic.in_units(SqlValue("decimal", total, scale=value.scale))
    average = arithmetic.quotient(units, exp.Count(this=value.sql))
    return _whole(value, SqlValue("quotient", average, nullable=True))


def _whole(source: SqlValue, result: SqlValue) -> SqlValue:
    """Return an aggregate that has no value where a row of the group has none."""
    if not source.nullable:
        return result
    whole = exp.EQ(this=exp.Count(this=exp.Star()), expression=exp.Count(this=source.sql))
    cells = [exp.case().when(whole.copy(), cell) for cell in result.cells]
    return result.with_cells(cells, nullable=True)
