"""The page of a thing, gathered with bounded work: every list is counted and paged."""

from __future__ import annotations

from kg.describe.display import display_of
from kg.describe.entity.claims import describe_claims, mentions_of, statements_about, statements_by
from kg.describe.entity.graph_contents import contents_of, is_graph
from kg.describe.entity.incoming_links import incoming, incoming_query
from kg.describe.entity.map_points import spots_of, spots_query
from kg.describe.entity.neighbourhood import neighbours_of
from kg.describe.entity.posts_held import holdings_of, statuses_of, titles_at
from kg.describe.entity.signposts import signposts_of
from kg.describe.entity.stated_facts import answers_about, disagreements_about
from kg.describe.entity.thing_facts import (
    IDENTIFIERS,
    SHOWN_APART,
    facts_of,
    facts_query,
    glance_query,
    identifiers_query,
)
from kg.describe.entity.thing_links import ThingLinks, links_of
from kg.describe.entity.timeline import timeline_of
from kg.describe.listing import replaced, standalone
from kg.describe.lists.coding_records import records_of
from kg.describe.lists.event_lists import (
    describe_events,
    events_where,
    figures_of,
    interactions_of,
    participations_of,
    route_of,
)
from kg.describe.newest_first import Newest, newest
from kg.describe.page_model import PAGE, TEXT_LIMIT, Description, Facts, Listing
from kg.describe.site.overview import release_of
from kg.describe.time_words import times_of
from kg.search import first_known, kind_of, name_all
from kg.store import Store
from kg.terms import GRAPH, ONTOLOGY, PARTICIPANT_ROLES

_ROLES = tuple(f"dg:{local}" for local in PARTICIPANT_ROLES)
_WAY = ("dg:origin", "dg:transit", "dg:destination")
_CODED = ("dg:codedActor", "dg:codedRecipient", "dg:codedEvent", "dg:eventType")


def describe(store: Store, *iris: str, page: int = 1, whole: bool = False) -> Description | None:
    """Gather what the page of a thing shows: of the first IRI that any triple or graph has; else None.

    `page` counts from 1 and selects the page of all lists at once. `whole` counts the events of a busy thing
    over time, which is left out otherwise.
    """
    iri = first_known(store, iris)
    if iri is None:
        return None
    display = display_of(store)
    links = links_of(store, iri, display)
    names = name_all(store, [iri, *links.stated_types, *links.types])
    own = links.stated_types or links.types
    facts = facts_of(store, iri, links.rows, links.incoming, display)
    pointing, longest = incoming(store, iri, links.incoming, page, display)
    concern = events_where(store, iri, links.incoming)
    found = newest(store, concern, page) if concern else Newest(Listing())
    events = replaced(found.found, describe_events(store, found.found.items, iri))
    network = neighbours_of(store, iri, links.incoming)
    contents = contents_of(store, iri, page) if is_graph(store, iri) else None
    about = statements_about(store, iri, page) if _has_statements(links) else Listing()
    by = (
        statements_by(store, iri, page)
        if links.gets("dg:attributedTo", "dg:statedIn", "dg:country")
        else Listing()
    )
    holdings = holdings_of(store, iri, page) if _has_posts(links) else Listing()
    mentioned = links.gets("dg:refersTo") or links.is_a("dg:Mention")
    mentions = mentions_of(store, iri, page) if mentioned else Listing()
    records = records_of(store, iri, page) if links.gets(*_CODED) else Listing()
    statuses = statuses_of(store, iri, page) if links.gets("dg:statusOf") else Listing()
    totals = [longest, *(shown.total for shown in (events, about, by, holdings, mentions, records, statuses))]
    if contents:
        totals += [contents.events.total, contents.records.total, contents.statements.total]
    parts = links.gets("dg:subEventOf")
    timed = links.has("dg:time") and links.has(*_ROLES)
    return Description(
        name=names[iri],
        kind="graph" if contents or iri.startswith(GRAPH) else kind_of(iri),
        types=tuple(names[cls] for cls in own),
        aliases=tuple(links.texts("skos:altLabel")),
        comments=tuple(text[:TEXT_LIMIT] for text in links.texts("rdfs:comment")),
        facts=tuple(f for f in facts if f.property.iri not in SHOWN_APART | IDENTIFIERS),
        ordered=frozenset(f.property.iri for f in facts if f.property.iri in display.orders),
        identifiers=tuple(f for f in facts if f.property.iri in IDENTIFIERS),
        titles=titles_at(store, iri) if timed else {},
        times=times_of(
            store,
            [f.value.name.iri for group in facts for f in group.facts if f.value.name and _is_time(group)],
        ),
        spots=tuple(spots_of(store, iri)) if parts or _has_place(links) else (),
        timeline=timeline_of(
            store, concern, days=found.days, whole=whole, total=events.total + events.more if concern else 0
        ),
        network=network,
        languages=links.languages(),
        queries={
            "facts": standalone(facts_query(iri, display)),
            "incoming": standalone(incoming_query(iri, display)),
            "identifiers": standalone(identifiers_query(iri)),
            "glance": standalone(glance_query(iri)),
            "map": standalone(spots_query(iri)),
            "neighbourhood": network.query,
        },
        figures=tuple(figures_of(store, iri)) if _has_figures(links) else (),
        between=tuple(interactions_of(store, [iri]).get(iri, ())) if _has_interactions(links) else (),
        participations=tuple(participations_of(store, iri)) if links.has("dg:hasParticipation") else (),
        route=tuple(route_of(store, iri)) if parts or links.has(*_WAY) else (),
        events=events,
        about=about,
        by=by,
        holdings=holdings,
        mentions=mentions,
        records=records,
        statuses=statuses,
        statement=describe_claims(store, [iri])[0] if links.is_a("dg:Claim") else None,
        incoming=tuple(pointing),
        contents=contents,
        graphs=tuple(dict.fromkeys(graph for f in facts for fact in f.facts for graph in fact.graphs)),
        page=page,
        pages=max(1, -(-max(totals) // PAGE)),
        inferred=tuple(names[cls] for cls in links.types if cls not in own),
        release=release_of(store),
        signposts=signposts_of(store, iri, links.types),
        disagreements=tuple(disagreements_about(store, iri))
        if links.gets("dg:subject", "dg:quantityOf")
        else (),
        answers=tuple(answers_about(store, iri)) if about.items and kind_of(iri) == "event" else (),
    )


def _is_time(group: Facts) -> bool:
    return group.property.iri == ONTOLOGY + "time"


def _has_place(links: ThingLinks) -> bool:
    places = ("dg:Place", "dg:Region", "dg:Facility", "dg:Country")
    return links.has(*_WAY, "dg:target", "dg:place") or any(map(links.is_a, places))


def _has_figures(links: ThingLinks) -> bool:
    return links.gets("dg:quantityOf") or links.has("dg:duration") or links.is_a("dg:Quantity")


def _has_interactions(links: ThingLinks) -> bool:
    return links.has("dg:hasInteraction") or links.gets("dg:interactionOf")


def _has_statements(links: ThingLinks) -> bool:
    belonging = ("dg:about", "dg:subject", "dg:quantityOf", "dg:interactionOf", "org:member", "dg:post")
    return links.gets(*belonging) or links.has("dg:hasInteraction")


def _has_posts(links: ThingLinks) -> bool:
    joined = links.gets("org:member", "org:organization", "dg:post", "org:holds", "org:postIn")
    return joined or links.has("org:holds") or links.is_a("org:Membership")
