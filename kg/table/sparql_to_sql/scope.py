"""Which variables the parts of a pattern bind and use (SPARQL 1.1 section 18.2.1).

A group in braces is evaluated by itself and then joined. It is translated together with what is around it,
which is the same only if it does not look at a variable that is bound outside of it alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rdflib import Variable
from rdflib.plugins.sparql.parserutils import CompValue

from kg.table.sparql_to_sql.not_routed import NotRoutedError
from kg.table.sparql_to_sql.paths import variable_name

_SELECTS = ("SelectQuery", "Project", "Distinct", "Reduced", "Slice", "OrderBy")


def bound_variables(node: CompValue) -> set[str]:
    """Return the variables that a pattern may bind."""
    found: set[str] = set()
    for part in _parts(node):
        if part.name == "BGP":
            nodes = (one for triple in part.triples for one in (triple[0], triple[2]))
            found |= {name for one in nodes if (name := variable_name(one))}
        elif part.name == "Extend":
            found.add(str(part.var))
        elif part.name == "values":
            found |= {str(name) for row in part.res for name in row}
        elif part.name == "Project":
            found |= {str(name) for name in part.PV}
    return found


def require_own(node: CompValue, outside: set[str]) -> None:
    """Raise NotRoutedError if a group looks at a variable that is bound `outside` and not in it."""
    own = bound_variables(node)
    for part in _parts(node):
        used: set[str] = set()
        if part.name in ("Filter", "Extend", "LeftJoin"):
            used = variables_of(part.expr)
        if part.name == "LeftJoin":
            # What an optional part shares with the outside, the part before it must have as well.
            used |= bound_variables(part.p2) - bound_variables(part.p1)
            own = own - (bound_variables(part.p2) - bound_variables(part.p1))
        if leaking := sorted((used - own) & outside):
            raise NotRoutedError(f"a group looks at ?{leaking[0]}, which is bound outside of it")


def variables_of(node: Any) -> set[str]:
    """Return the variables of an expression, with those of patterns in EXISTS."""
    if isinstance(node, Variable):
        return {str(node)}
    if isinstance(node, CompValue):
        return set().union(*(variables_of(value) for key, value in node.items() if key != "_vars"))
    if isinstance(node, (list, tuple)):
        return set().union(*map(variables_of, node))
    return set()


def _parts(node: CompValue) -> Iterator[CompValue]:
    """Yield a pattern and its parts, but nothing inside of a sub-select."""
    yield node
    if node.name in _SELECTS:
        inner = node
        while inner.name != "Project":
            inner = inner.p
        yield inner
        return
    for key in ("p", "p1", "p2"):
        if isinstance(node.get(key), CompValue):
            yield from _parts(node[key])
