"""Graph patterns as blocks of SQL (SPARQL 1.1 section 18.2.2).

A pattern becomes a union of conjunctions. Each variable that stands for a record is one alias of the relation
of records, so that triples of one record need no join; what is said of other things is asked of the engine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from typing import Any, Final

from rdflib import Literal, URIRef, Variable
from rdflib.plugins.sparql.parserutils import CompValue
from rdflib.term import Node
from sqlglot import exp

from kg.table.sparql_to_sql import small_parts
from kg.table.sparql_to_sql.conjunctions import Conjunction, NewNames, placed
from kg.table.sparql_to_sql.expressions import Expressions
from kg.table.sparql_to_sql.not_routed import NotRoutedError
from kg.table.sparql_to_sql.ownership import CODING_RECORD, TYPE, Ownership
from kg.table.sparql_to_sql.paths import Pattern, arms, first_step, split, variable_name
from kg.table.sparql_to_sql.records import VIEW, Records
from kg.table.sparql_to_sql.scope import bound_variables, require_own
from kg.table.sparql_to_sql.small_parts import Ask, Relation
from kg.table.sparql_to_sql.sql_values import UNBOUND, SqlValue, column_value, constant, is_bound, same_term

_BLOCKS: Final = 64

Select = Callable[[CompValue], tuple[exp.Query, dict[str, SqlValue]]]
Distinct = Callable[[str], list[str]]


class Patterns:
    """Translates the patterns of one query.

    `ask` answers queries about other things, `distinct` returns the different cells of a column of records.
    `select` translates a sub-select; the translation of SELECT sets it.
    """

    select: Select
    repeats_count = True
    """Whether the SELECT that is being translated tells repeated solutions from single ones."""

    def __init__(self, records: Records, ownership: Ownership, ask: Ask, distinct: Distinct) -> None:
        self.names = NewNames()
        self._records = records
        self._ownership = ownership
        self._solved_parts = small_parts.Solved(ask)
        self._distinct = distinct
        self._hidden = count()
        # Filters around the pattern that is being translated; those of the parts about other things go there.
        self._around: list[list[Any]] = []

    @property
    def relations(self) -> list[Relation]:
        """The relations that the query joins with the records."""
        return self._solved_parts.relations

    def blocks(self, node: CompValue, before: list[Conjunction]) -> list[Conjunction]:
        """Return the blocks of a pattern joined to those before it; raises NotRoutedError."""
        match node.name:
            case "BGP":
                found = [
                    one for block in before for one in self._basic(split(node.triples, self._hidden), block)
                ]
            case "Join":
                left = self.blocks(node.p1, before)
                require_own(node.p2, {name for block in left for name in block.columns})
                found = self.blocks(node.p2, left)
            case "LeftJoin":
                condition = None if getattr(node.expr, "name", "") == "TrueFilter" else node.expr
                left = self.blocks(node.p1, before)
                found = [self._optional(block.copy(), node.p2, condition) for block in left]
            case "Filter":
                found = self._filtered(node, before)
            case "Extend":
                found = self.blocks(node.p, before)
                for block in found:
                    if str(node.var) in block.columns:
                        raise NotRoutedError(f"?{node.var} is bound twice")
                    block.columns[str(node.var)] = self.expressions(block).value(node.expr)
            case "Union":
                found = [
                    *self.blocks(node.p1, [block.copy() for block in before]),
                    *self.blocks(node.p2, [block.copy() for block in before]),
                ]
            case "ToMultiSet":
                found = (
                    self._values(node.p, before)
                    if node.p.name == "values"
                    else self._selected(node.p, before)
                )
            case "Project" | "Distinct" | "Slice" | "OrderBy" | "SelectQuery":
                found = self._selected(node, before)
            case _:
                raise NotRoutedError(f"the pattern has {node.name}")
        if len(found) > _BLOCKS:
            raise NotRoutedError("the pattern has too many alternatives")
        return found

    def expressions(self, block: Conjunction) -> Expressions:
        """Return the translation of expressions over a block."""
        return Expressions(block.columns, lambda pattern: self._exists(pattern, block))

    @contextmanager
    def _apart(self) -> Iterator[None]:
        """Translate a block without the filters around it."""
        around, self._around = self._around, []
        try:
            yield
        finally:
            self._around = around

    def _filtered(self, node: CompValue, before: list[Conjunction]) -> list[Conjunction]:
        whole = node.expr
        parts = (
            [whole.expr, *whole.other]
            if getattr(whole, "name", "") == "ConditionalAndExpression"
            else [whole]
        )
        self._around.append(parts)
        try:
            found = self.blocks(node.p, before)
        finally:
            self._around.pop()
        for block in found:
            expressions = self.expressions(block)
            block.conditions += [expressions.truth(part) for part in parts if id(part) not in block.filtered]
        return found

    def _selected(self, node: CompValue, before: list[Conjunction]) -> list[Conjunction]:
        found = []
        for block in before:
            with self._apart():
                query, columns = self.select(node)
            alias = self.names.new("q")
            known = {name: placed(value, alias) for name, value in columns.items() if value.kind != "unbound"}
            block.join(query.subquery(alias), known)
            found.append(block)
        return found

    def _values(self, node: CompValue, before: list[Conjunction]) -> list[Conjunction]:
        names = sorted({str(name) for row in node.res for name in row})
        rows = []
        for row in node.res:
            cells = [row.get(Variable(name)) for name in names]
            if not all(isinstance(cell, (URIRef, Literal)) for cell in cells):
                raise NotRoutedError("VALUES has UNDEF")
            rows.append([constant(cell) for cell in cells])
        found = []
        for block in before:
            for row in rows:
                one = block.copy()
                for name, value in zip(names, row, strict=True):
                    one.bind(name, value)
                found.append(one)
        if not rows:
            raise NotRoutedError("VALUES is empty")
        return found

    def _basic(self, patterns: list[Pattern], block: Conjunction) -> list[Conjunction]:
        """Return the blocks of a basic graph pattern: one, or one for each alternative about records."""
        for index, pattern in enumerate(patterns):
            ways = arms(pattern)
            if len(ways) > 1 and any(str(first_step(way)) in self._records.columns for way in ways):
                if self.repeats_count:
                    # The engine gives a solution once that several alternatives have.
                    raise NotRoutedError("solutions of an alternative about records may be repeated")
                found = []
                for way in ways:
                    chosen = split([(pattern.subject, way, pattern.object)], self._hidden)
                    others = [*patterns[:index], *chosen, *patterns[index + 1 :]]
                    found += self._basic(others, block.copy())
                return found
        block = block.copy()
        about_records = [one for one in patterns if self._is_about_a_record(one, patterns, block)]
        for pattern in about_records:
            self._of_record(pattern, block)
        self._of_others([one for one in patterns if one not in about_records], block)
        return [block]

    def _is_about_a_record(self, pattern: Pattern, patterns: list[Pattern], block: Conjunction) -> bool:
        """Return whether a triple is a column of a record."""
        predicate = pattern.predicate
        if not isinstance(predicate, URIRef):
            return False
        known = predicate == URIRef(TYPE) or str(predicate) in self._records.columns
        if str(predicate) in self._records.others and self._is_record(pattern.subject, patterns, block):
            raise NotRoutedError(f"<{predicate}> is not a column of the table")
        return known and self._is_record(pattern.subject, patterns, block)

    def _is_record(self, subject: Node, patterns: list[Pattern], block: Conjunction) -> bool:
        name = variable_name(subject)
        if name is None:
            return False
        if name in block.records:
            return True
        value = block.columns.get(name)
        if value is not None and value.record and not value.nullable:
            return True
        anchors = [*patterns, *self._required(subject)]
        return any(one.subject == subject and self._names_records(one) for one in anchors)

    def _required(self, subject: Node) -> list[Pattern]:
        """Return the triples of FILTER EXISTS around the pattern."""
        found = []
        for part in (part for parts in self._around for part in parts):
            if getattr(part, "name", "") == "Builtin_EXISTS" and (triples := _basic_triples(part.graph)):
                found += [one for one in split(triples, self._hidden) if one.subject == subject]
        return found

    def _names_records(self, pattern: Pattern) -> bool:
        """Return whether only records of the tables match a triple pattern."""
        if not isinstance(pattern.predicate, URIRef):
            return False
        if str(pattern.predicate) == TYPE:
            return str(pattern.object) == CODING_RECORD and self._ownership.has_all_records()
        return self._ownership.only_records(str(pattern.predicate))

    def _alias(self, subject: Node, block: Conjunction) -> str:
        """Return the alias of a record, which joins the block at its first use."""
        name = str(variable_name(subject))
        alias = block.records.get(name)
        if alias is None:
            alias = block.records[name] = self.names.new("r")
            key = self._records.key(alias)
            known = block.columns.get(name)
            block.add(
                exp.alias_(exp.to_table(VIEW), alias, table=True),
                [] if known is None else [same_term(known, key)],
            )
            block.columns.setdefault(name, key)
        return alias

    def _column(self, subject: Node, predicate: URIRef, block: Conjunction) -> SqlValue:
        if not self._ownership.complete(str(predicate)):
            raise NotRoutedError(f"<{predicate}> of records is also said in a graph without a table")
        column = self._records.columns[str(predicate)]
        return column_value(column, self._alias(subject, block))

    def _of_record(self, pattern: Pattern, block: Conjunction) -> None:
        """Add a triple about a record to a block."""
        predicate = pattern.predicate
        assert isinstance(predicate, URIRef)  # noqa: S101
        if str(predicate) == TYPE:
            if str(pattern.object) != CODING_RECORD:
                raise NotRoutedError("another type of records is asked for")
            if not self._ownership.has_all_records():
                raise NotRoutedError("there are coding records in graphs without a table")
            self._alias(pattern.subject, block)
            return
        value = self._column(pattern.subject, predicate, block)
        name = variable_name(pattern.object)
        if name is not None:
            block.bind(name, value)
        elif isinstance(pattern.object, (URIRef, Literal)):
            block.conditions.append(same_term(replace(value, nullable=False), constant(pattern.object)))

    def _of_others(self, patterns: list[Pattern], block: Conjunction) -> None:
        for group in small_parts.connected(patterns):
            relation, columns = self._solved(group, block)
            if relation is None:
                block.dead = True
                for name in columns:
                    block.columns.setdefault(name, UNBOUND)
            elif columns:
                block.join(relation, columns)

    def _solved(
        self, group: list[Pattern], block: Conjunction, filters: Iterable[Any] = ()
    ) -> tuple[exp.Expr | None, dict[str, SqlValue]]:
        """Return the solutions of patterns about other things; no relation if there are none."""
        names = small_parts.variables(group)
        known = {name: value for name, value in block.columns.items() if name in names}
        constants = {name: value.constant for name, value in known.items() if value.constant is not None}
        pushed = []
        # The filters of OPTIONAL are its own; those around the pattern are filters of the block.
        around = [part for parts in self._around for part in parts]
        for part in filters or around:
            written = small_parts.filter_text(part, names - set(constants))
            if written is not None:
                pushed.append(written)
                block.filtered.add(id(part))
        restricted = None
        if small_parts.is_wide(group):
            restricted = next(
                filter(None, (self._restriction(name, value) for name, value in known.items())), None
            )
            if restricted is None and not constants:
                raise NotRoutedError("a pattern about other things matches too much")
        text, found = small_parts.written(group, constants, pushed, restricted)
        if not self._solved_parts.rows(text):
            return None, dict.fromkeys(found, UNBOUND)
        prefixes = {
            name: value.prefix for name, value in known.items() if value.kind == "iri" and not value.constant
        }
        name = self.names.new("s")
        relation, columns = self._solved_parts.relation(text, found, prefixes, name)
        # The same solutions may be joined twice, so each time has a name of its own.
        table = exp.alias_(exp.to_table(relation.name), name, table=True)
        return table, {one: placed(value, name) for one, value in columns.items()}

    def _restriction(self, name: str, value: SqlValue) -> small_parts.Restriction | None:
        node = value.node
        if (
            value.kind != "iri"
            or not isinstance(node, exp.Column)
            or not node.table.startswith("r")
            or value.record
        ):
            return None
        return small_parts.restriction(name, [value.prefix + cell for cell in self._distinct(node.name)])

    def _optional(self, block: Conjunction, node: CompValue, condition: Any) -> Conjunction:
        """Return a block with an optional pattern (SPARQL 1.1 section 18.2.2.6)."""
        if node.name == "LeftJoin" and condition is None:
            return self._nested_optional(block, node)
        if node.name == "Filter" and condition is None:
            require_own(node, set(block.columns))
            return self._optional(block, node.p, node.expr)
        if node.name != "BGP":
            raise NotRoutedError(f"OPTIONAL has {node.name}")
        patterns = split(node.triples, self._hidden)
        about_records = [one for one in patterns if self._is_about_a_record(one, [], block)]
        others = [one for one in patterns if one not in about_records]
        fresh = self._optional_columns(about_records, block)
        if others:
            return self._optional_others(block, others, fresh, condition)
        needed = [is_bound(value.sql) for value in fresh.values() if value.nullable]
        if condition is not None:
            needed.append(Expressions({**block.columns, **fresh}, self._no_exists).truth(condition))
        for name, value in fresh.items():
            if needed == [is_bound(value.sql)]:
                block.columns[name] = value
            else:
                cell = exp.case().when(exp.and_(*needed), value.sql) if needed else value.sql
                block.columns[name] = value.with_sql(cell, nullable=bool(needed) or value.nullable)
        return block

    def _nested_optional(self, block: Conjunction, node: CompValue) -> Conjunction:
        """Return a block with an optional pattern that has another in it, which needs the first to match."""
        require_own(node, set(block.columns))
        condition = None if getattr(node.expr, "name", "") == "TrueFilter" else node.expr
        before = {name for name, value in block.columns.items() if value.kind != "unbound"}
        first = self._optional(block, node.p1, None)
        new = [value for name, value in first.columns.items() if name not in before]
        bound = [value for value in new if value.kind != "unbound"]
        if not bound:
            for name in bound_variables(node.p2):
                first.columns.setdefault(name, UNBOUND)
            return first
        if not all(value.nullable for value in bound):
            return self._optional(first, node.p2, condition)
        both = self._optional(first.copy(), node.p2, condition)
        if len(both.joined) != len(first.joined):
            raise NotRoutedError("OPTIONAL joins other things to what may be unbound")
        matched = is_bound(bound[0].sql)
        for name, value in both.columns.items():
            if value.kind != "unbound" and first.columns.get(name, UNBOUND).kind == "unbound":
                cells = [exp.case().when(matched.copy(), cell) for cell in value.cells]
                both.columns[name] = value.with_cells(cells, nullable=True)
        return both

    def _optional_columns(self, patterns: list[Pattern], block: Conjunction) -> dict[str, SqlValue]:
        """Return the variables that triples about records of a block bind."""
        fresh: dict[str, SqlValue] = {}
        for pattern in patterns:
            name = variable_name(pattern.object)
            if str(pattern.predicate) == TYPE:
                raise NotRoutedError("OPTIONAL has a type")
            # The record of a sub-select joins its columns: it has exactly one row.
            self._alias(pattern.subject, block)
            if name is None or name in fresh or block.columns.get(name, UNBOUND).kind != "unbound":
                raise NotRoutedError("OPTIONAL has no new variable")
            assert isinstance(pattern.predicate, URIRef)  # noqa: S101
            fresh[name] = self._column(pattern.subject, pattern.predicate, block)
        return fresh

    def _optional_others(
        self, block: Conjunction, patterns: list[Pattern], fresh: dict[str, SqlValue], condition: Any
    ) -> Conjunction:
        """Join patterns about other things, which may hang on one column of a record."""
        groups = small_parts.connected(patterns)
        if len(fresh) > 1 or len(groups) != 1:
            raise NotRoutedError("OPTIONAL has several parts")
        known = small_parts.variables(patterns) & {*block.columns, *fresh}
        joined = {name: fresh.get(name, block.columns.get(name, UNBOUND)) for name in known}
        inner = block.copy()
        inner.columns.update({name: replace(value, nullable=False) for name, value in fresh.items()})
        with self._apart():
            relation, columns = self._solved(groups[0], inner, [condition] if condition is not None else [])
        if condition is not None and id(condition) not in inner.filtered:
            raise NotRoutedError("OPTIONAL has a filter that the engine cannot take over")
        if relation is None:
            for name in {*columns, *fresh} - set(block.columns):
                block.columns[name] = UNBOUND
            return block
        if any(value.kind == "unbound" for value in joined.values()) or not known:
            raise NotRoutedError("OPTIONAL shares no bound variable with the pattern")
        if any(value.nullable for name, value in joined.items() if name not in fresh):
            raise NotRoutedError("OPTIONAL is joined by a variable that may be unbound")
        if not columns:
            raise NotRoutedError("OPTIONAL binds nothing")
        # Each column of the relation has a value where it is joined.
        there = next(iter(columns.values())).sql
        inner.join(relation, columns, left=True)
        for name, value in fresh.items():
            cell = exp.case().when(is_bound(there), value.sql)
            inner.columns[name] = value.with_sql(cell, nullable=True)
        return inner

    def _exists(self, node: CompValue, block: Conjunction) -> exp.Expr:
        """Return whether records of a block have some columns (SPARQL 1.1 section 18.6)."""
        patterns = split(_basic_triples(node) or [], self._hidden)
        if not patterns or not all(self._is_about_a_record(one, [], block) for one in patterns):
            raise NotRoutedError("EXISTS has a pattern about other things")
        inner = block.copy()
        start = len(inner.conditions)
        for pattern in patterns:
            if str(variable_name(pattern.subject)) not in block.records:
                raise NotRoutedError("EXISTS has another record")
            self._of_record(pattern, inner)
        conditions = inner.conditions[start:]
        # A column without a value does not match, which is not an error.
        return exp.func("coalesce", exp.and_(*conditions), exp.false()) if conditions else exp.true()

    @staticmethod
    def _no_exists(pattern: CompValue) -> exp.Expr:
        raise NotRoutedError("EXISTS is inside of OPTIONAL")


def _basic_triples(node: CompValue) -> list[Any] | None:
    """Return the triples of a pattern that has nothing else."""
    while node.name == "Join" and node.p1.name == "BGP" and not node.p1.triples:
        node = node.p2
    return list(node.triples) if node.name == "BGP" else None
