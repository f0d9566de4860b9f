"""Random queries with more of SPARQL: unions, sub-selects, EXISTS, paths, two records, nested OPTIONAL."""

from __future__ import annotations

from collections.abc import Callable

from tests.kg.table.random_queries import CONSTANTS, OBJECTS, PROPERTIES, RandomQuery

_SECOND = (
    "?r dg:eventType ?second . ?s dg:eventType ?second ; dg:recordId ?name .",
    "?r dg:codedActor ?second . ?s dg:codedRecipient ?second ; dg:recordId ?name ; dg:goldstein ?value .",
    "?group dg:groupMember ?r .",
    "?group dg:groupMember ?r, ?s . ?s dg:recordId ?name .",
)
_PATHS = (
    "?r dg:eventType/skos:broader+ {} .",
    "?r dg:eventType/^skos:broader {} .",
    "?r dg:eventType/(skos:broader|skos:inScheme) {} .",
    "?r dg:eventType/skos:broader? {} .",
    "?r dg:codedActor/dg:country|dg:codedRecipient/dg:country {} .",
    "{} ^dg:codedActor ?r .",
    "?r (dg:codedActor|dg:codedRecipient)/dg:country {} .",
    "?r ^dg:groupMember/dg:eventType {} .",
)
_NUMBERS = ("goldstein", "averageTone", "mentionCount", "articleCount")


class RichQuery(RandomQuery):
    """One query without its prefixes; see `RandomQuery`."""

    def _select(self) -> str:
        self._triples.append(self._anchor())
        self._triples += [self._triple() for _ in range(self._random.randrange(3))]
        if self._some(0.15):
            self._triples.append(self._random.choice(_SECOND))
        self._triples += [self._piece() for _ in range(self._random.choice([1, 1, 2, 2, 3]))]
        pattern = "WHERE { " + " ".join(self._triples) + " }"
        if self._some(0.08):
            return f"SELECT * {pattern}"
        return self._grouped(pattern) if self._types and self._some(0.5) else self._plain(pattern)

    def _piece(self) -> str:
        pieces: list[Callable[[], str]] = [
            self._union,
            self._sub_select,
            self._exists,
            self._optional,
            self._path,
            self._values,
            lambda: f"FILTER({self._condition()})",
        ]
        if self._types:
            pieces += [self._mixed_in, self._bind, self._group]
        return self._random.choice(pieces)()

    def _union(self) -> str:
        if self._some(0.5):
            name = self._fresh("decimal")
            return " UNION ".join(f"{{ ?r dg:{one} {name} }}" for one in self._random.sample(_NUMBERS, 2))
        arms = [("?r a dg:CodingRecord . " if self._some(0.6) else "") + self._triple() for _ in range(2)]
        return " UNION ".join(f"{{ {arm} }}" for arm in arms)

    def _sub_select(self) -> str:
        name = self._random.choice([*_NUMBERS, "recordId", "codedActor"])
        value = self._fresh(PROPERTIES[name])
        return self._random.choice(
            [
                f"{{ SELECT DISTINCT ?r {value} {{ ?r a dg:CodingRecord ; dg:{name} {value} }} }}",
                f"{{ SELECT ?r (MAX({value}x) AS {value}) {{ ?r dg:recordId ?i ; dg:{name} {value}x }} "
                "GROUP BY ?r HAVING (COUNT(*) > 0) }",
                f"{{ SELECT ?r (COUNT({value}x) AS {value}) {{ ?r a dg:CodingRecord "
                f"OPTIONAL {{ ?r dg:{name} {value}x }} }} GROUP BY ?r }}",
            ]
        )

    def _exists(self) -> str:
        name = self._random.choice(list(PROPERTIES))
        known = [one for one, kind in self._types.items() if kind == PROPERTIES[name]]
        value = self._random.choice(["?any", *OBJECTS.get(name, ()), *known])
        return f"FILTER {self._random.choice(['EXISTS', 'NOT EXISTS'])} {{ ?r dg:{name} {value} }}"

    def _optional(self) -> str:
        inner = " ".join(self._triple(optional=True) for _ in range(self._random.choice([1, 1, 2])))
        if self._some(0.3):
            inner += f" OPTIONAL {{ {self._triple(optional=True)} }}"
        condition = f" FILTER({self._condition()})" if self._some(0.4) else ""
        return f"OPTIONAL {{ {inner}{condition} }}"

    def _path(self) -> str:
        return self._random.choice(_PATHS).format(self._fresh("iri"))

    def _values(self) -> str:
        name, kind = self._random.choice([*self._types.items(), ("?given", "iri")])
        self._types[name] = kind
        return f"VALUES {name} {{ {' '.join(self._constant(kind) for _ in range(2))} }}"

    def _mixed_in(self) -> str:
        name = self._random.choice(list(self._types))
        kinds = [*CONSTANTS, *[self._types[name]] * 8]
        listed = ", ".join(self._constant(self._random.choice(kinds)) for _ in range(3))
        return f"FILTER({name} {self._random.choice(['IN', 'NOT IN'])} ({listed}))"

    def _bind(self) -> str:
        expression, kind = self._expression()
        return f"BIND({expression} AS {self._fresh(kind)})"

    def _group(self) -> str:
        return f"{{ {self._triple()} FILTER({self._condition()}) }}"
