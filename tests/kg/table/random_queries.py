"""Random SPARQL queries over coding records, for comparing two ways to answer them."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

PREFIXES = """PREFIX dg: <https://w3id.org/diplograph/ontology#>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>
PREFIX country: <https://w3id.org/diplograph/id/country/>
PREFIX event-type: <https://w3id.org/diplograph/id/event-type/>
PREFIX quad-class: <https://w3id.org/diplograph/id/quad-class/>
PREFIX graph: <https://w3id.org/diplograph/graph/>
"""
# Properties of records, by the type of their values.
PROPERTIES = {
    "codedActor": "iri",
    "codedRecipient": "iri",
    "actorName": "string",
    "recipientName": "string",
    "codedQuadClass": "iri",
    "goldstein": "decimal",
    "mentionCount": "integer",
    "articleCount": "integer",
    "averageTone": "decimal",
    "isRootEvent": "boolean",
    "codedPlace": "iri",
    "codedFrom": "iri",
    "addedOn": "dateTime",
    "recordId": "string",
    "eventType": "iri",
    "time": "iri",
}
OBJECTS = {
    "codedActor": ("country:usa", "country:irn", "country:zzz"),
    "codedRecipient": ("country:usa", "country:rus"),
    "actorName": ('"IRAN"', '"UNITED STATES"'),
    "codedQuadClass": ("quad-class:verbal-conflict",),
    "goldstein": ("1.0", "3.40", "-2", "2.8"),
    "mentionCount": ("3", "3.0"),
    "isRootEvent": ("true",),
    "eventType": ("event-type:cameo-043",),
}
_NUMBERS = ("0", "1", "2", "1.5", "-2.0", "3.4", "10")
CONSTANTS = {
    "decimal": _NUMBERS,
    "integer": _NUMBERS,
    "string": ('"IRAN"', '"M"', '""'),
    "iri": ("country:usa", "quad-class:verbal-conflict", "event-type:cameo-043"),
    "date": ("'2016-01-01'^^xsd:date", "'2015-06-30'^^xsd:date"),
    "dateTime": ("'2016-01-01T00:00:00Z'^^xsd:dateTime",),
    "boolean": ("true",),
    "text": ('"Iran"@en', '"x"'),
}


class RandomQuery:
    """One query without its prefixes; `limited` tells whether it has LIMIT."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._types: dict[str, str] = {}
        self._triples: list[str] = []
        self.limited = False
        self.text = self._select()

    def _some(self, chance: float) -> bool:
        return self._random.random() < chance

    def _fresh(self, kind: str) -> str:
        name = f"?v{len(self._types)}"
        self._types[name] = kind
        return name

    def _triple(self, *, optional: bool = False) -> str:
        name = self._random.choice(list(PROPERTIES))
        if not optional and name in OBJECTS and self._some(0.25):
            return f"?r dg:{name} {self._random.choice(OBJECTS[name])} ."
        if name == "time" and self._some(0.7):
            if self._some(0.5):
                return f"?r dg:time/dg:begin {self._fresh('date')} ."
            interval = self._fresh("iri")
            return f"?r dg:time {interval} . {interval} dg:begin {self._fresh('date')} ."
        if name in ("codedActor", "codedPlace") and self._some(0.2):
            return f"?r dg:{name}/dg:country {self._fresh('iri')} ."
        if name == "eventType" and self._some(0.3):
            return f"?r dg:eventType/skos:inScheme {self._fresh('iri')} ."
        if name == "eventType" and self._some(0.3):
            return f"?r dg:eventType/skos:broader* {self._fresh('iri')} ."
        if name == "codedActor" and self._some(0.3):
            actor, label = self._fresh("iri"), self._fresh("text")
            return f"?r dg:codedActor {actor} . {actor} rdfs:label {label} FILTER(LANG({label})='en')"
        return f"?r dg:{name} {self._fresh(PROPERTIES[name])} ."

    def _anchor(self) -> str:
        if self._some(0.15):
            one, two = self._random.sample(["codedActor", "codedRecipient"], 2)
            who, other = self._random.choice(["country:usa", "country:irn"]), self._fresh("iri")
            return (
                f"{{ ?r dg:{one} {who} ; dg:{two} {other} }} UNION {{ ?r dg:{two} {who} ; dg:{one} {other} }}"
            )
        if self._some(0.1):
            self._types["?who"] = "iri"
            return "VALUES ?who { country:usa country:irn } ?r dg:codedActor ?who ."
        if self._some(0.3):
            name = self._random.choice(["goldstein", "codedActor", "codedPlace", "averageTone", "recordId"])
            return f"?r dg:{name} {self._fresh(PROPERTIES[name])} ."
        return "?r a dg:CodingRecord ."

    def _constant(self, kind: str) -> str:
        return self._random.choice(CONSTANTS[kind])

    def _condition(self, depth: int = 0) -> str:
        if not self._types:
            return "true"
        name = self._random.choice(list(self._types))
        kind = self._types[name]
        choices: list[Callable[[], str]] = [
            lambda: f"BOUND({name})",
            lambda: (
                f"({name} {self._random.choice(['IN', 'NOT IN'])} "
                f"({self._constant(kind)}, {self._constant(kind)}))"
            ),
            lambda: self._compared(name, kind),
            lambda: self._compared(name, kind),
        ]
        if depth < 2:
            choices += [
                lambda: (
                    f"({self._condition(depth + 1)} {self._random.choice(['&&', '||'])} "
                    f"{self._condition(depth + 1)})"
                ),
                lambda: f"(!{self._condition(depth + 1)})",
            ]
        if kind in ("string", "text"):
            choices.append(lambda: self._searched(name, kind))
        if kind == "date":
            choices.append(
                lambda: (
                    f"({self._random.choice(['YEAR', 'MONTH'])}({name}) {self._random.choice('=<>')} "
                    f"{self._random.choice(['2015', '2016', '6'])})"
                )
            )
        return self._random.choice(choices)()

    def _compared(self, name: str, kind: str) -> str:
        operator = self._random.choice(["=", "!="] if kind == "iri" else ["=", "!=", "<", ">", "<=", ">="])
        if self._some(0.3):
            numeric = {"decimal", "integer"}
            others = [other for other, its in self._types.items() if its == kind or {its, kind} <= numeric]
            return f"({name} {operator} {self._random.choice(others)})"
        return f"({name} {operator} {self._constant(kind)})"

    def _searched(self, name: str, kind: str) -> str:
        function = self._random.choice(["CONTAINS", "STRSTARTS", "STRENDS"])
        whole = name if kind == "string" else f"STR({name})"
        part = self._random.choice(['"A"', '"IR"', '"N"', '""'])
        return f"{function}({whole}, {part})"

    def _expression(self) -> tuple[str, str]:
        name = self._random.choice(list(self._types))
        kind = self._types[name]
        number = self._random.choice(_NUMBERS)
        if kind in ("decimal", "integer"):
            return self._random.choice(
                [
                    (f"({name} + {number})", kind),
                    (f"COALESCE({name}, {number})", "decimal"),
                    (f"({name} / {self._random.choice(['2', '3', '7', '0'])})", "decimal"),
                    (f"IF({self._condition()}, {name}, {number})", "decimal"),
                    (f"(-{name})", kind),
                    (f"({name} * 3)", kind),
                ]
            )
        if kind == "date":
            return self._random.choice(
                [
                    (f"SUBSTR(STR({name}), 1, 7)", "string"),
                    (f"YEAR({name})", "integer"),
                    (f"MONTH({name})", "integer"),
                    (f"STR({name})", "string"),
                ]
            )
        if kind in ("string", "text", "iri"):
            length = self._random.randrange(1, 40)
            return self._random.choice(
                [
                    (f"STR({name})", "string"),
                    (f"SUBSTR(STR({name}), 1, {length})", "string"),
                    (f"STRLEN(STR({name}))", "integer"),
                ]
            )
        return f"IF({self._condition()}, 1, 0)", "integer"

    def _select(self) -> str:
        self._triples.append(self._anchor())
        self._triples += [self._triple() for _ in range(self._random.randrange(4))]
        for _ in range(self._random.randrange(3)):
            self._triples.append(f"OPTIONAL {{ {self._triple(optional=True)} }}")
        for _ in range(self._random.choice([0, 0, 1, 1, 2])):
            self._triples.append(f"FILTER({self._condition()})")
        if self._types and self._some(0.4):
            expression, kind = self._expression()
            self._triples.append(f"BIND({expression} AS {self._fresh(kind)})")
        pattern = "WHERE { " + " ".join(self._triples) + " }"
        return self._grouped(pattern) if self._types and self._some(0.55) else self._plain(pattern)

    def _grouped(self, pattern: str) -> str:
        names = list(self._types)
        keys = self._random.sample(names, min(len(names), self._random.choice([0, 1, 1, 2])))
        aggregates = []
        for number in range(self._random.choice([1, 1, 2, 3])):
            name = self._random.choice(names)
            function = self._random.choice(["COUNT", "COUNT", "SUM", "AVG", "MIN", "MAX", "*"])
            if function in ("SUM", "AVG") and self._types[name] not in ("decimal", "integer"):
                function = "COUNT"
            distinct = "DISTINCT " if function == "COUNT" and self._some(0.4) else ""
            inside = "*" if function == "*" else f"{distinct}{name}"
            aggregates.append(f"({'COUNT' if function == '*' else function}({inside}) AS ?g{number})")
        if not keys:
            return f"SELECT {' '.join(aggregates)} {pattern}"
        end = f" GROUP BY {' '.join(keys)}"
        if self._some(0.3):
            end += f" HAVING (COUNT(*) > {self._random.choice([1, 2, 5])})"
        if self._some(0.4):
            end += " ORDER BY " + " ".join(f"DESC({key})" if self._some(0.5) else key for key in keys)
        return f"SELECT {' '.join(keys)} {' '.join(aggregates)} {pattern}{end}"

    def _plain(self, pattern: str) -> str:
        names = ["?r", *self._types]
        shown = self._random.sample(names, min(len(names), self._random.randrange(1, 4)))
        end = ""
        if self._some(0.4):
            end = " ORDER BY " + " ".join(f"DESC({name})" if self._some(0.5) else name for name in shown)
            if self._some(0.4):
                self.limited = True
                end += f" LIMIT {self._random.choice([5, 20])}"
        distinct = "DISTINCT " if self._some(0.3) else ""
        return f"SELECT {distinct}{' '.join(shown)} {pattern}{end}"
