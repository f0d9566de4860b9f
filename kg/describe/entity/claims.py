"""Claims as a page shows them: chain of attribution, modality and passages."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from kg.describe.display import display_of
from kg.describe.entity.stated_facts import facts_stated
from kg.describe.listing import iris_in, listed, replaced, select
from kg.describe.page_model import Act, AttributionStep, Listing, Span, Standing, Statement
from kg.search import Name, iri_text, name_all, row_text, values
from kg.store import Row, Store
from kg.terms import ID, ONTOLOGY

UNNAMED = ID + "source-kind/unnamed"
_DOCUMENT = ID + "source-kind/document"
_DETAILS = ", ".join(
    f"dg:{local}"
    for local in (
        "modality", "quotedPhrase", "about", "statedIn", "saidBy", "topic", "stance", "towards", "saidOn",
        "audience", "medium", "repeatedly",
    )
)  # fmt: skip
_EXACT = 1_000
# The relations between claims, in both directions.
_OTHERS = {
    "confirms": ("confirms", "confirmed by"),
    "contradicts": ("contradicts", "contradicted by"),
    "supersedes": ("supersedes", "superseded by"),
}
# A claim about these parts of a thing counts as a claim about the thing.
_BELONGING = "dg:quantityOf|dg:interactionOf|^dg:hasInteraction|org:member|dg:post"


def statements_about(store: Store, iri: str, page: int) -> Listing[Statement]:
    """List the claims about a thing, its figures, interactions and memberships, or with a fact about it."""
    node = iri_text(iri)
    where = f"""{{ ?item dg:about {node} }} UNION {{ ?part {_BELONGING} {node} . ?item dg:about ?part }}
        UNION {{ ?fact dg:subject {node} . ?item dg:states ?fact }}"""
    return _statements(store, where, page)


def statements_by(store: Store, iri: str, page: int) -> Listing[Statement]:
    """List the claims with the thing in their chain; for a country, also those of its agents."""
    node = iri_text(iri)
    # The engine joins each part faster than their union.
    where = f"""{{ ?item dg:statedIn {node} }} UNION
        {{ ?item dg:attributionStep ?who . ?who dg:attributedTo {node} }} UNION
        {{ ?agent dg:country {node} . ?who dg:attributedTo ?agent . ?item dg:attributionStep ?who }}"""
    return _statements(store, where, page)


def statements_in(store: Store, graph: str, page: int) -> Listing[Statement]:
    """List the claims in a named graph."""
    return _statements(store, f"GRAPH {iri_text(graph)} {{ ?item a dg:Claim }}", page)


def _statements(store: Store, where: str, page: int) -> Listing[Statement]:
    """List claims in the order of their passages."""
    order = """OPTIONAL { ?item dg:span/oa:start ?start }"""
    found = listed(store, where, page, order=order, key="MIN(?start)")
    return replaced(found, describe_claims(store, found.items))


def describe_claims(store: Store, iris: Sequence[str]) -> list[Statement]:
    """Describe claims in the given order, with one query for each kind of part."""
    if not iris:
        return []
    block = f"VALUES ?claim {{ {values(iris)} }}"
    chains = select(
        store,
        f"""SELECT DISTINCT ?claim ?step ?number ?who ?kind ?verb WHERE {{ {block}
          ?claim dg:attributionStep ?step . ?step dg:stepNumber ?number ; dg:attributedTo ?who .
          OPTIONAL {{ ?step dg:sourceKind ?kind }} OPTIONAL {{ ?step dg:reportingVerb ?verb }}
        }} ORDER BY ?claim ?number ?who""",
    )
    details = select(
        store,
        f"""SELECT DISTINCT ?claim ?p ?o WHERE {{ {block}
          ?claim ?p ?o FILTER(?p IN ({_DETAILS})) }} ORDER BY ?o""",
    )
    others = select(
        store,
        f"""SELECT DISTINCT ?claim ?p ?other ?back WHERE {{ {block}
          {{ ?claim ?p ?other BIND(false AS ?back) }} UNION {{ ?other ?p ?claim BIND(true AS ?back) }}
          FILTER(?p IN (dg:confirms, dg:contradicts, dg:supersedes)) }} ORDER BY ?p ?other LIMIT 500""",
    )
    graphs = select(store, f"SELECT DISTINCT ?claim ?g WHERE {{ {block} GRAPH ?g {{ ?claim a dg:Claim }} }}")
    stated, display = facts_stated(store, iris), display_of(store)
    spans = _spans(store, "claim", iris)
    modalities = {row_text(row, "o") or "" for row in details if row_text(row, "p") == ONTOLOGY + "modality"}
    definitions = _definitions(store, modalities)
    names = name_all(
        store,
        [
            *iris,
            _DOCUMENT,
            *iris_in(chains, "who", "kind"),
            *iris_in(details, "o"),
            *iris_in(graphs, "g"),
            *iris_in(others, "other"),
        ],
    )
    parts: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in details:
        parts[row_text(row, "claim") or "", row_text(row, "p") or ""].append(row_text(row, "o") or "")
    steps: dict[str, dict[str, AttributionStep]] = defaultdict(dict)
    for row in chains:
        kind = row_text(row, "kind")
        steps[row_text(row, "claim") or ""].setdefault(
            row_text(row, "step") or "",
            AttributionStep(
                number=int(row_text(row, "number") or 0),
                who=names[row_text(row, "who") or ""],
                kind=names[kind] if kind else None,
                verb=row_text(row, "verb"),
                unnamed=kind == UNNAMED,
            ),
        )
    places: dict[str, list[Name]] = defaultdict(list)
    for row in graphs:
        places[row_text(row, "claim") or ""].append(names[row_text(row, "g") or ""])

    beside: dict[str, list[tuple[str, Name]]] = defaultdict(list)
    for row in others:
        local = (row_text(row, "p") or "").removeprefix(ONTOLOGY)
        words = _OTHERS[local][row_text(row, "back") == "true"]
        beside[row_text(row, "claim") or ""].append((words, names[row_text(row, "other") or ""]))

    def named(claim: str, local: str) -> tuple[Name, ...]:
        return tuple(names[iri] for iri in parts[claim, ONTOLOGY + local] if iri in names)

    result = []
    for iri in iris:
        modality = next(iter(named(iri, "modality")), None)
        result.append(
            Statement(
                name=names[iri],
                modality=modality,
                modality_definition=definitions.get(modality.iri) if modality else None,
                chain=_chain(steps[iri].values(), named(iri, "statedIn"), names[_DOCUMENT]),
                quoted=next(iter(parts[iri, ONTOLOGY + "quotedPhrase"]), None),
                spans=tuple(spans.get(iri, ())),
                facts=tuple(
                    sorted(
                        stated.get(iri, ()),
                        key=lambda fact: (fact.subject.label, display.position(fact.property)),
                    )
                ),
                said_by=next(iter(named(iri, "saidBy")), None),
                topics=named(iri, "topic"),
                stances=named(iri, "stance"),
                towards=named(iri, "towards"),
                act=Act(
                    on=named(iri, "saidOn"),
                    audience=named(iri, "audience"),
                    medium=named(iri, "medium"),
                    repeatedly="true" in parts[iri, ONTOLOGY + "repeatedly"],
                ),
                about=tuple(sorted(named(iri, "about"), key=lambda name: name.label)),
                stated_in=named(iri, "statedIn"),
                graphs=tuple(places[iri]),
                others=tuple(dict.fromkeys(beside[iri])),
            )
        )
    return result


def _chain(
    cited: Iterable[AttributionStep], sources: Sequence[Name], document: Name
) -> tuple[AttributionStep, ...]:
    """Return the steps in order; the first one is the source itself, whether or not it is written down."""
    steps = sorted(cited, key=lambda step: step.number)
    if steps and steps[0].number == 1:
        return tuple(steps)
    first = [AttributionStep(1, source, document, None, False) for source in sources[:1]]
    return (*first, *steps)


def mentions_of(store: Store, iri: str, page: int) -> Listing[Standing]:
    """List the mentions that refer to a thing, and the thing itself if it is a mention."""
    node = iri_text(iri)
    where = f"{{ ?item dg:refersTo {node} }} UNION {{ ?item a dg:Mention FILTER(?item = {node}) }}"
    found = listed(store, where, page)
    if not found.items:
        return Listing()
    rows = select(
        store,
        f"""SELECT ?m ?words ?agent ?method WHERE {{ VALUES ?m {{ {values(found.items)} }}
          ?m dg:mentionText ?words OPTIONAL {{ ?m dg:refersTo ?agent }}
          OPTIONAL {{ ?m dg:resolutionMethod ?method }} }} ORDER BY ?words ?m""",
    )
    spans = _spans(store, "m", found.items)
    names = name_all(store, iris_in(rows, "m", "agent", "method"))
    standings = {
        (mention := row_text(row, "m") or ""): Standing(
            name=names[mention],
            words=row_text(row, "words") or "",
            refers_to=names.get(row_text(row, "agent") or ""),
            method=names.get(row_text(row, "method") or ""),
            spans=tuple(spans.get(mention, ())),
        )
        for row in rows
    }
    return Listing(list(standings.values()), found.total, found.start, found.more, found.query)


def _spans(store: Store, variable: str, iris: Iterable[str]) -> dict[str, list[Span]]:
    rows = select(
        store,
        f"""SELECT DISTINCT ?{variable} ?span ?text ?paragraph ?start ?end ?sum ?exact ?url WHERE {{
          VALUES ?{variable} {{ {values(iris)} }} ?{variable} dg:span ?span .
          OPTIONAL {{ ?span dg:paragraph ?paragraph }}
          OPTIONAL {{ ?span dg:inText ?text OPTIONAL {{ ?text dg:sha256 ?sum }}
            OPTIONAL {{ ?text dg:textOf ?source . ?source dg:url ?url }} }}
          OPTIONAL {{ ?span oa:start ?start ; oa:end ?end }}
          OPTIONAL {{ ?span oa:exact ?exact }}
        }} ORDER BY ?start ?span ?exact ?url""",
    )
    names = name_all(store, iris_in(rows, "text"))
    spans: dict[str, dict[str, Span]] = defaultdict(dict)
    for row in rows:
        iri = row_text(row, "span") or ""
        spans[row_text(row, variable) or ""].setdefault(
            iri,
            Span(
                iri=iri,
                text=names.get(row_text(row, "text") or ""),
                paragraph=_number(row, "paragraph"),
                start=_number(row, "start"),
                end=_number(row, "end"),
                sha256=row_text(row, "sum"),
                exact=(row_text(row, "exact") or "")[:_EXACT] or None,
                url=row_text(row, "url"),
            ),
        )
    return {owner: list(found.values()) for owner, found in spans.items()}


def _definitions(store: Store, iris: Iterable[str]) -> dict[str, str]:
    text = f"SELECT ?s ?d WHERE {{ VALUES ?s {{ {values(iris)} }} ?s skos:definition ?d }}"
    return {row_text(row, "s") or "": row_text(row, "d") or "" for row in select(store, text)}


def _number(row: Row, column: str) -> int | None:
    text = row_text(row, column)
    return int(text) if text is not None and text.lstrip("-").isdecimal() else None
