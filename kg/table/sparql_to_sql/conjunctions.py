"""Blocks: conjunctions of relations and conditions, whose union is the solutions of a graph pattern."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count

from sqlglot import exp

from kg.table.sparql_to_sql.not_routed import NotRoutedError
from kg.table.sparql_to_sql.sql_values import UNBOUND, SqlValue, same_term, unified


class NewNames:
    """Makes the names of relations and columns of one query; no name of the query is used in SQL."""

    def __init__(self) -> None:
        self._numbers: Iterator[int] = count()

    def new(self, letter: str) -> str:
        """Return a new name."""
        return f"{letter}{next(self._numbers)}"


@dataclass(frozen=True)
class _Joined:
    relation: exp.Expr
    on: tuple[exp.Expr, ...]
    left: bool


@dataclass
class Conjunction:
    """One conjunction.

    `columns` are the variables that it binds, `records` the aliases of the records by their variable or IRI.
    `filtered` are the identities of filters that are part of it already. A `dead` block has no solutions.
    """

    columns: dict[str, SqlValue] = field(default_factory=dict)
    records: dict[str, str] = field(default_factory=dict)
    conditions: list[exp.Expr] = field(default_factory=list)
    filtered: set[int] = field(default_factory=set)
    dead: bool = False
    joined: list[_Joined] = field(default_factory=list)

    def copy(self) -> Conjunction:
        """Return a block that can grow by itself."""
        return Conjunction(
            dict(self.columns),
            dict(self.records),
            list(self.conditions),
            set(self.filtered),
            self.dead,
            list(self.joined),
        )

    def add(self, relation: exp.Expr, on: Sequence[exp.Expr] = (), *, left: bool = False) -> None:
        """Join a relation, which has its alias."""
        self.joined.append(_Joined(relation, tuple(on), left))

    def bind(self, name: str, value: SqlValue) -> None:
        """Bind a variable to a value where it is bound; a variable that has a value must have the same."""
        known = self.columns.get(name)
        if value.nullable:
            self.conditions.append(exp.not_(exp.Is(this=value.sql, expression=exp.null())))
            value = replace(value, nullable=False)
        if known is None:
            self.columns[name] = value
        else:
            self.conditions.append(same_term(value, known))

    def join(self, relation: exp.Expr, columns: Mapping[str, SqlValue], *, left: bool = False) -> None:
        """Join a relation by the variables that both have; raises NotRoutedError if one may be unbound."""
        on = []
        for name, value in columns.items():
            known = self.columns.get(name)
            if known is not None and known.kind == "unbound":
                raise NotRoutedError(f"?{name} is never bound before")
            if known is not None:
                on.append(same_term(known, value))
            else:
                self.columns[name] = replace(value, nullable=True, constant=None) if left else value
        self.add(relation, on, left=left)

    def select(self, cells: Sequence[exp.Expr]) -> exp.Select:
        """Return the query for some expressions over the block."""
        query = exp.select(*cells, copy=False)
        conditions = list(self.conditions)
        for number, part in enumerate(self.joined):
            if number == 0 and not part.left:
                query = query.from_(part.relation.copy(), copy=False)
                conditions += part.on
            else:
                if number == 0:
                    query = query.from_(exp.select("1").subquery("one"), copy=False)
                on = exp.and_(*part.on) if part.on else exp.true()
                query = query.join(
                    part.relation.copy(), on=on, join_type="left" if part.left else "inner", copy=False
                )
        if self.dead:
            conditions.append(exp.false())
        if conditions:
            query = query.where(*conditions, copy=False)
        return query


def union(
    blocks: Sequence[Conjunction], names: Sequence[str], cell_names: Sequence[str]
) -> tuple[exp.Query, dict[str, SqlValue]]:
    """Return the union of blocks as a query with a column for each variable, and the columns' values.

    Columns that are never bound are left out. The values name no relation yet; see `placed`.
    """
    alive = [block for block in blocks if not block.dead] or [blocks[0]]
    rows: list[list[exp.Expr]] = [[] for _ in alive]
    columns: dict[str, SqlValue] = {}
    for name, cell_name in zip(names, cell_names, strict=True):
        values = unified([block.columns.get(name, UNBOUND) for block in alive])
        if all(value.kind == "unbound" for value in values):
            columns[name] = UNBOUND
            continue
        for row, value in zip(rows, values, strict=True):
            row += shown(value, cell_name)
        columns[name] = replace(
            named(values[0], cell_name),
            nullable=any(value.nullable for value in values),
            record=all(value.record for value in values),
            constant=values[0].constant if len(values) == 1 else None,
        )
    whole: exp.Query | None = None
    for block, row in zip(alive, rows, strict=True):
        part = block.select(row or [exp.Literal.number(1).as_("one")])
        whole = part if whole is None else exp.union(whole, part, distinct=False, copy=False)
    assert whole is not None  # noqa: S101
    return whole, columns


def shown(value: SqlValue, name: str) -> list[exp.Expr]:
    """Return a value as columns of a query; the second is whether a number is a decimal."""
    return [cell.as_(f"{name}{end}") for cell, end in zip(value.cells, ("", "d"), strict=False)]


def named(value: SqlValue, name: str) -> SqlValue:
    """Return a value that `shown` made columns of."""
    if value.kind == "unbound":
        return value
    cells = [exp.column(f"{name}{end}") for _, end in zip(value.cells, ("", "d"), strict=False)]
    return value.with_cells(cells, nullable=value.nullable)


def placed(value: SqlValue, table: str) -> SqlValue:
    """Return a value of `named` as columns of a relation."""
    if value.kind == "unbound":
        return value
    cells = [exp.column(cell.name, table=table) for cell in value.cells]
    return value.with_cells(cells, nullable=value.nullable)
