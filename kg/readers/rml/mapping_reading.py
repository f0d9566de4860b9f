"""Reads and checks RML mappings of tables.

R2RML (W3C, 2012) and RML for CSV: triples maps with one subject map and predicate-object maps whose terms
are templates, references and constants; `rr:parentTriplesMap` without a join. Both namespaces of RML are
supported, and as an extension `https://w3id.org/diplograph/mapping#`, on logical sources: columns computed
from others (`map:column`), rows selected by a column (`map:only`), words that stand for an empty cell
(`map:missing`), columns of whole numbers (`map:whole`), and the columns of a table without a header
(`map:header`); on triples maps: `map:main` for those that describe what a row is about.
"""

from __future__ import annotations

from dataclasses import replace
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Final, Literal

import pyoxigraph
from pyoxigraph import NamedNode

from kg.errors import DataSyntaxError
from kg.rdf.content import Content
from kg.rdf.parsing import explain_syntax
from kg.readers.rml.mapping import LOOKUPS, Column, Conditions, Mapping, Rule, TermMap
from kg.terms import PREFIXES, term

MAP: Final = "https://w3id.org/diplograph/mapping#"
_RML: Final = ("http://semweb.mmlab.be/ns/rml#", "http://w3id.org/rml/")
_NAMESPACES: Final = ("http://www.w3.org/ns/r2rml#", *_RML, MAP)
_BASE: Final = "https://mapping.invalid/"
_FILE: Final = NamedNode(_BASE)
_ALLOWED: Final = {
    "triples map": {"logicalSource", "subjectMap", "subject", "predicateObjectMap", "main"},
    "logical source": {"source", "referenceFormulation", "column", "only", "missing", "whole", "header"},
    "term map": {
        *("template", "reference", "constant", "termType"),
        *("class", "datatype", "language", "parentTriplesMap"),
    },
    "predicate-object map": {"predicate", "predicateMap", "object", "objectMap"},
    "column": {
        *("name", "reference", "lookup", "label", "date", "optional", "slug", "mint", "title"),
        *("begin", "end", "openEnd", "value", "otherwise", "precision"),
    },
    "value": {"equals", "gives"},
    "precision": {"reference", "equals"},
    "condition": {"reference", "equals"},
}
_Graph = dict[object, dict[str, list[object]]]


def read_mapping(path: Path) -> Mapping:
    """Read and check a mapping in Turtle; raises DataSyntaxError for a malformed or cyclic one."""
    name = path.name.partition(".")[0]
    graph: _Graph = {}
    label = ""
    try:
        for quad in pyoxigraph.parse(path.read_bytes(), format=pyoxigraph.RdfFormat.TURTLE, base_iri=_BASE):
            facts = graph.setdefault(quad.subject, {})
            facts.setdefault(_local(quad.predicate), []).append(quad.object)
            if quad.subject == _FILE and quad.predicate == term("rdfs:label"):
                label = str(getattr(quad.object, "value", ""))
    except SyntaxError as error:
        raise explain_syntax(error, Content(path, path.name)) from None
    return replace(_Reader(graph, path.name).mapping(name), label=label)


def _local(predicate: NamedNode) -> str:
    for namespace in _NAMESPACES:
        if predicate.value.startswith(namespace):
            return predicate.value[len(namespace) :]
    return "" if predicate.value.startswith((PREFIXES["rdf"], PREFIXES["rdfs"])) else predicate.value


class _Reader:
    def __init__(self, graph: _Graph, file: str) -> None:
        self._graph, self._file = graph, file

    def mapping(self, name: str) -> Mapping:
        maps = [node for node, facts in self._graph.items() if "logicalSource" in facts]
        if not maps:
            raise self._fault(
                "the mapping has no triples map with a logical source", "Add rml:logicalSource to each map."
            )
        self._refuse_cycles()
        columns: dict[str, Column] = {}
        for node in maps:
            source = self._one(node, "logicalSource")
            for column in self._all(source, "column"):
                made = replace(self._column(column), only=self._only(source))
                if columns.setdefault(made.name, made) != made:
                    raise self._fault(f"the column {made.name} is defined twice", "Rename one of them.")
        rules = tuple(sorted((self._rule(node) for node in maps), key=lambda rule: rule.name))
        lookups = [column for column in columns.values() if column.kind == "lookup"]
        made_names = set(columns) | {f"{column.name}_label" for column in lookups}
        asked = {name for rule in rules for term in rule.terms for name in term.references}
        raw = {name for column in columns.values() for name in column.sources}
        if itself := sorted(raw & made_names):
            raise self._fault(
                f"the column {itself[0]} is computed from computed columns",
                "Use only columns of the table.",
            )
        # The condition of a logical source is that of the columns computed there, too.
        if itself := sorted({name for column in columns.values() for name, _ in column.only} & made_names):
            raise self._fault(
                f"map:only tests the computed column {itself[0]}, and its logical source computes columns",
                "Give the rows with this condition a logical source of their own.",
            )
        ordered = tuple(columns[key] for key in sorted(columns))
        sources = [self._one(node, "logicalSource") for node in maps]
        missing = frozenset(self._text(word) for node in sources for word in self._all(node, "missing"))
        header = next((h for node in sources for h in self._all(node, "header")), None)
        whole = frozenset(self._text(column) for node in sources for column in self._all(node, "whole"))
        tested = {reference for rule in rules for reference, _ in rule.only}
        needed = frozenset((asked | raw | tested | whole) - made_names)
        names = () if header is None else tuple(self._text(header).split())
        return Mapping(name, ordered, rules, needed, missing=missing, header=names, whole=whole)

    def _rule(self, node: object) -> Rule:
        self._check(node, "triples map")
        source = self._one(node, "logicalSource")
        self._check(source, "logical source")
        subjects = [*self._all(node, "subjectMap"), *self._all(node, "subject")]
        if len(subjects) != 1:
            raise self._fault(f"{self._show(node)} has {len(subjects)} subject maps", "Use exactly one.")
        subject = self._term(subjects[0], subject=True)
        classes = tuple(sorted(self._text(c) for c in self._all(subjects[0], "class")))
        pairs = [pair for pom in self._all(node, "predicateObjectMap") for pair in self._pairs(pom)]
        main = any(self._text(value) == "true" for value in self._all(node, "main"))
        return Rule(self._show(node), self._only(source), subject, classes, tuple(pairs), main)

    def _only(self, source: object) -> Conditions:
        conditions: dict[str, set[str]] = {}
        for condition in self._all(source, "only"):
            self._check(condition, "condition")
            wanted = {self._text(value) for value in self._all(condition, "equals")}
            conditions.setdefault(self._text(self._one(condition, "reference")), set()).update(wanted)
        return tuple(sorted((key, frozenset(values)) for key, values in conditions.items()))

    def _pairs(self, node: object) -> list[tuple[str, TermMap]]:
        self._check(node, "predicate-object map")
        predicates = [self._text(p) for p in self._all(node, "predicate")]
        predicates += [self._term(p).value for p in self._all(node, "predicateMap")]
        objects = [self._term(o) for name in ("objectMap", "object") for o in self._all(node, name)]
        return [(predicate, term) for predicate in predicates for term in objects]

    def _term(self, node: object, *, subject: bool = False) -> TermMap:
        if node not in self._graph:
            return self._constant(node)
        self._check(node, "term map")
        facts = self._graph[node]
        if parents := facts.get("parentTriplesMap"):
            found = [*self._all(parents[0], "subjectMap"), *self._all(parents[0], "subject")]
            if len(found) != 1:
                raise self._fault(f"{self._show(parents[0])} has no subject map", "Name a triples map.")
            parent = self._show(parents[0]) if isinstance(parents[0], NamedNode) else ""
            return replace(self._term(found[0], subject=True), parent=parent)
        datatype, language = (
            "".join(self._text(v) for v in facts.get(k, ())) for k in ("datatype", "language")
        )
        kind = "".join(self._text(v).rpartition("#")[2].rpartition("/")[2] for v in facts.get("termType", ()))
        if kind == "BlankNode":
            raise self._fault("blank nodes are not supported", "Use a template for an IRI.")
        given = [name for name in ("template", "reference", "constant") if name in facts]
        if len(given) != 1:
            raise self._fault(
                f"a term map has {len(given)} of template, reference and constant", "Use exactly one."
            )
        value = facts[given[0]][0]
        if given[0] == "constant":
            return self._constant(value)
        # A template makes an IRI unless term type, datatype or language are given (R2RML 7.4).
        made = given[0] == "template" and not (kind == "Literal" or datatype or language)
        iri = subject or kind == "IRI" or made
        how: Literal["template", "reference"] = "template" if given[0] == "template" else "reference"
        return TermMap(how, self._text(value), iri, datatype, language)

    def _constant(self, value: object) -> TermMap:
        if isinstance(value, pyoxigraph.Literal):
            plain = value.datatype.value == PREFIXES["xsd"] + "string"
            datatype = "" if value.language or plain else value.datatype.value
            return TermMap("constant", value.value, False, datatype, value.language or "")
        return TermMap("constant", self._text(value), True)

    def _column(self, node: object) -> Column:
        self._check(node, "column")
        facts = {key: self._text(values[0]) for key, values in self._graph.get(node, {}).items() if key}
        name = facts.get("name", "")
        if not name:
            raise self._fault("a column has no name", "Add map:name.")
        reference = facts.get("reference", "")
        if "lookup" in facts:
            if facts["lookup"] not in LOOKUPS:
                raise self._fault(
                    f'"{facts["lookup"]}" cannot be looked up', f"Use one of: {', '.join(LOOKUPS)}."
                )
            label, optional = facts.get("label", reference), facts.get("optional") == "true"
            return Column(
                name, "lookup", reference, facts["lookup"], label, facts.get("date", ""), optional=optional
            )
        if "value" in facts:
            return self._value_table(node, name, reference)
        if "begin" in facts or "end" in facts:
            return self._interval(node, name, facts)
        kinds: tuple[Literal["slug", "mint", "title"], ...] = ("slug", "mint", "title")
        for kind in kinds:
            if kind in facts:
                return Column(name, kind, facts[kind])
        raise self._fault(
            f"the column {name} has no source",
            "Use one of map:lookup, map:value, map:begin, map:mint, map:slug or map:title.",
        )

    def _interval(self, node: object, name: str, facts: dict[str, str]) -> Column:
        precision, coarse = "", frozenset[str]()
        for part in self._all(node, "precision"):
            self._check(part, "precision")
            precision = self._text(self._one(part, "reference"))
            coarse = frozenset(map(self._text, self._all(part, "equals")))
        begin, end, open_end = (facts.get(key, "") for key in ("begin", "end", "openEnd"))
        return Column(name, "interval", begin, end=end, open_end=open_end, precision=precision, coarse=coarse)

    def _value_table(self, node: object, name: str, reference: str) -> Column:
        values: dict[str, str] = {}
        for entry in self._all(node, "value"):
            self._check(entry, "value")
            for text in map(self._text, self._all(entry, "equals")):
                given = self._text(self._one(entry, "gives"))
                if values.setdefault(text, given) != given:
                    raise self._fault(f'the column {name} gives "{text}" two values', "Remove one of them.")
        others = [self._text(value) for value in self._all(node, "otherwise")]
        if others:
            values[""] = others[0]
        optional = any(self._text(value) == "true" for value in self._all(node, "optional"))
        table = tuple(sorted(values.items()))
        return Column(name, "values", reference, values=table, optional=optional)

    def _refuse_cycles(self) -> None:
        """Raise DataSyntaxError for maps that refer to themselves via parents, sources or subject maps."""
        values = ("class", "constant", "datatype", "predicate", "object", "termType", "")
        parts = {
            node: [other for name, others in facts.items() if name not in values for other in others]
            for node, facts in self._graph.items()
        }
        try:
            TopologicalSorter(parts).prepare()
        except CycleError as error:
            # The sorter lists each node before those that refer to it.
            named = [self._show(node) for node in reversed(error.args[1]) if isinstance(node, NamedNode)]
            detail = f"the mapping refers to itself: {' → '.join(named) or 'an unnamed part'}"
            raise self._fault(detail, "Remove one of these references.") from None

    def _check(self, node: object, kind: str) -> None:
        for name in self._graph.get(node, {}):
            if name and name not in _ALLOWED[kind]:
                raise self._fault(
                    f"{name} of a {kind} is not supported",
                    f"A {kind} may have: {', '.join(sorted(_ALLOWED[kind]))}.",
                )

    def _all(self, node: object, name: str) -> list[object]:
        return sorted(self._graph.get(node, {}).get(name, []), key=str)

    def _one(self, node: object, name: str) -> object:
        found = self._all(node, name)
        if len(found) != 1:
            raise self._fault(f"{self._show(node)} has {len(found)} of {name}", "Use exactly one.")
        return found[0]

    @staticmethod
    def _text(value: object) -> str:
        return value.value if isinstance(value, NamedNode | pyoxigraph.Literal) else str(value)

    @staticmethod
    def _show(node: object) -> str:
        return node.value.removeprefix(_BASE) if isinstance(node, NamedNode) else "an unnamed map"

    def _fault(self, detail: str, mend: str) -> DataSyntaxError:
        return DataSyntaxError(detail, where=self._file, mend=mend)
