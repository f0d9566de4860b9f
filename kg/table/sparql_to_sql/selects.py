"""SELECT as SQL: groups, projection, DISTINCT, order and slices (SPARQL 1.1 sections 11, 15 and 18.2.4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from rdflib import Variable
from rdflib.plugins.sparql.parserutils import CompValue
from sqlglot import exp

from kg.table.sparql_to_sql.aggregates import aggregate, count_rows
from kg.table.sparql_to_sql.conjunctions import Conjunction, named, placed, shown, union
from kg.table.sparql_to_sql.not_routed import NotRoutedError
from kg.table.sparql_to_sql.patterns import Patterns
from kg.table.sparql_to_sql.sql_values import SqlValue

_UNORDERED: Final = ("term", "boolean")


@dataclass(frozen=True)
class Compiled:
    """A query in SQL; `columns` are the variables of the SELECT in its order, with their columns."""

    query: exp.Query
    columns: dict[str, SqlValue]


class Selects:
    """Translates SELECT queries over the patterns of one query."""

    def __init__(self, patterns: Patterns) -> None:
        self._patterns = patterns
        patterns.select = self.select

    def compiled(self, algebra: CompValue) -> Compiled:
        """Return a whole query in SQL; raises NotRoutedError."""
        if algebra.name != "SelectQuery" or algebra.get("datasetClause"):
            raise NotRoutedError("the query is not a SELECT of the whole dataset")
        query, columns = self.select(algebra)
        return Compiled(query, columns)

    def select(self, node: CompValue) -> tuple[exp.Query, dict[str, SqlValue]]:
        """Return a SELECT as a query and the values of its columns."""
        limit = offset = None
        distinct = False
        order: Sequence[Any] = ()
        if node.name == "SelectQuery":
            node = node.p
        if node.name == "Slice":
            limit, offset = node.length, node.start
            node = node.p
        if node.name in ("Distinct", "Reduced"):
            distinct = node.name == "Distinct"
            node = node.p
        if node.name != "Project":
            raise NotRoutedError(f"the query has {node.name}")
        names = [str(name) for name in node.PV]
        node = node.p
        if node.name == "OrderBy":
            order, node = node.expr, node.p
        outside, self._patterns.repeats_count = self._patterns.repeats_count, not distinct
        try:
            blocks = self._solutions(node)
        finally:
            self._patterns.repeats_count = outside
        keys = self._order_keys(order, blocks)
        extra = [name for name, _ in keys if name not in names]
        if distinct and extra:
            raise NotRoutedError("DISTINCT is ordered by what is not selected")
        cells = {name: self._patterns.names.new("v") for name in dict.fromkeys([*names, *extra])}
        query, columns = union(blocks, list(cells), list(cells.values()))
        if distinct or keys or limit is not None or offset:
            query = self._sliced(query, columns, names, keys, limit, offset, distinct=distinct)
        return query, {name: columns[name] for name in names}

    def _sliced(
        self,
        query: exp.Query,
        columns: dict[str, SqlValue],
        names: Sequence[str],
        keys: Sequence[tuple[str, bool]],
        limit: int | None,
        offset: int | None,
        *,
        distinct: bool,
    ) -> exp.Query:
        alias = self._patterns.names.new("o")
        cells = [cell for name in dict.fromkeys(names) for cell in placed(columns[name], alias).cells]
        whole = exp.select(*(cells or [exp.Literal.number(1).as_("one")])).from_(query.subquery(alias))
        if distinct:
            whole = whole.distinct()
        for name, descending in keys:
            value = columns[name]
            if value.kind in _UNORDERED:
                raise NotRoutedError("the order is by terms of several kinds")
            if value.kind != "unbound":
                # Section 15.1: what is unbound comes first.
                whole = whole.order_by(
                    exp.Ordered(this=placed(value, alias).sql, desc=descending, nulls_first=not descending)
                )
        if limit is not None:
            whole = whole.limit(int(limit))
        if offset:
            whole = whole.offset(int(offset))
        return whole

    def _order_keys(self, order: Sequence[Any], blocks: list[Conjunction]) -> list[tuple[str, bool]]:
        keys = []
        for condition in order:
            descending = condition.order == "DESC"
            if isinstance(condition.expr, Variable):
                keys.append((str(condition.expr), descending))
                continue
            name = f"order {len(keys)}"
            for block in blocks:
                block.columns[name] = self._patterns.expressions(block).value(condition.expr)
            keys.append((name, descending))
        return keys

    def _solutions(self, node: CompValue) -> list[Conjunction]:
        """Return the solutions before projection, grouped where the query groups."""
        steps, inner = [], node
        while inner.name in ("Extend", "Filter"):
            steps.append(inner)
            inner = inner.p
        if inner.name != "AggregateJoin":
            return self._patterns.blocks(node, [Conjunction()])
        self._patterns.repeats_count = True
        block = self._grouped(inner)
        for step in reversed(steps):
            expressions = self._patterns.expressions(block)
            if step.name == "Filter":
                block.conditions.append(expressions.truth(step.expr))
            elif str(step.var) not in block.columns:
                block.columns[str(step.var)] = expressions.value(step.expr)
        return [block]

    def _grouped(self, node: CompValue) -> Conjunction:
        """Return the groups of a query as a block with one row for each."""
        group = node.p
        blocks = self._patterns.blocks(group.p, [Conjunction()])
        keys = [self._key(key, blocks, number) for number, key in enumerate(group.expr or [])]
        wanted = [(one, self._argument(one, blocks, number)) for number, one in enumerate(node.A)]
        cells = {
            name: self._patterns.names.new("v")
            for name in dict.fromkeys([*keys, *(n for _, n in wanted if n)])
        }
        query, columns = union(blocks, list(cells), list(cells.values()))
        inside, outside = self._patterns.names.new("g"), self._patterns.names.new("h")
        results: dict[str, SqlValue] = {}
        row: list[exp.Expr] = []

        def show(name: str, value: SqlValue) -> None:
            cell = self._patterns.names.new("v")
            row.extend(shown(value, cell))
            results[name] = placed(named(value, cell), outside)

        for key in keys:
            show(key, placed(columns[key], inside))
        for one, name in wanted:
            function = one.name.removeprefix("Aggregate_")
            if function == "Sample" and name in keys:
                results[str(one.res)] = results[str(name)]
            elif name is None:
                if function != "Count" or one.distinct:
                    raise NotRoutedError(f"{function.upper()} of whole solutions is computed")
                show(str(one.res), count_rows())
            else:
                value = placed(columns[name], inside)
                if function == "Count" and value.nullable and not isinstance(one.vars, Variable):
                    raise NotRoutedError("COUNT of an expression that may fail is computed")
                show(
                    str(one.res), aggregate(function, value, distinct=bool(one.distinct), grouped=bool(keys))
                )
        groups = exp.select(*(row or [exp.Literal.number(1).as_("one")])).from_(query.subquery(inside))
        bound = [cell for key in keys for cell in placed(columns[key], inside).cells]
        if bound:
            groups = groups.group_by(*bound)
        elif keys:
            raise NotRoutedError("the groups are by what is never bound")
        block = Conjunction(results)
        block.add(groups.subquery(outside))
        return block

    def _key(self, key: Any, blocks: list[Conjunction], number: int) -> str:
        if isinstance(key, Variable):
            return str(key)
        name = str(key.var) if isinstance(key, CompValue) and "var" in key else f"key {number}"
        for block in blocks:
            expression = key.expr if isinstance(key, CompValue) and "var" in key else key
            block.columns[name] = self._patterns.expressions(block).value(expression)
        return name

    def _argument(self, one: CompValue, blocks: list[Conjunction], number: int) -> str | None:
        """Return the name of the column that an aggregate reads; None for COUNT(*)."""
        if one.vars == "*":
            return None
        if isinstance(one.vars, Variable):
            return str(one.vars)
        name = f"argument {number}"
        for block in blocks:
            block.columns[name] = self._patterns.expressions(block).value(one.vars)
        return name
