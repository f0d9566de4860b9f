"""Pages as a browser reads them, and statements for tests of them; some bear hostile texts."""

from __future__ import annotations

from html.parser import HTMLParser

from flask.testing import FlaskClient
from pyoxigraph import Literal, NamedNode, Quad

from kg.store import EmbeddedStore
from kg.terms import GRAPH, ID, ONTOLOGY, PREFIXES

HTML = {"Accept": "text/html"}
SCRIPT = "<script>alert(1)</script>"
OVERRIDE = "\u202egnorw\u202c"
HOSTILE = f"{SCRIPT}\"><img src=x onerror=alert(1)> &amp; '{OVERRIDE} {{{{ 7*7 }}}}"
LABEL = NamedNode(PREFIXES["rdfs"] + "label")
TYPE = NamedNode(PREFIXES["rdf"] + "type")
BAD = NamedNode(GRAPH + "bad")


VOID = {"meta", "link", "input", "img", "br", "hr", "wbr", "path", "rect", "line"}
ISOLATING = {"bdi", "title", "textarea", "option", "pre", "script"}


class Words(HTMLParser):
    """The words of a page and its elements, as a browser's parser reads them."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.pieces: list[str] = []
        self.loose: list[str] = []
        self._open: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append((tag, tag in ISOLATING or "dir" in dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        self.pieces.append(data)
        if "\u202e" in data and not any(isolated for _, isolated in self._open):
            self.loose.append(data)


def read(client: FlaskClient, path: str, status: int = 200, **headers: str) -> tuple[str, Words]:
    """The words of a page, white space made one, and the page as parsed."""
    response = client.get(path, headers={**HTML, **headers})
    assert response.status_code == status, response.text[:500]
    page = Words()
    page.feed(response.text)
    page.close()
    return " ".join("".join(page.pieces).split()), page


def thing(local: str) -> NamedNode:
    return NamedNode(ID + local)


def dg(local: str) -> NamedNode:
    return NamedNode(ONTOLOGY + local)


def add(store: EmbeddedStore, *triples: tuple[NamedNode, NamedNode, NamedNode | Literal]) -> None:
    store.change((), [Quad(s, p, o, BAD) for s, p, o in triples])


def hrefs(page: Words) -> list[str]:
    return [attributes.get("href") or "" for tag, attributes in page.elements if tag == "a"]


def make_hostile(store: EmbeddedStore) -> EmbeddedStore:
    """Add a graph in which everything that bears a text bears a hostile one."""
    bad = Literal(HOSTILE, language="en")
    plain = Literal(HOSTILE)
    kinds = {
        "event/bad": "Event",
        "country/xbd": "Country",
        "person/bad": "Person",
        "agency/bad": "Agency",
        "organization/bad": "Organization",
        "claim/bad": "Claim",
        "source/bad": "Article",
        "text/bad": "SourceText",
        "place/bad": "Place",
        "record/bad": "CodingRecord",
        "mention/bad": "Mention",
        "quantity/bad": "Quantity",
        "event-type/bad": "EventType",
        "modality/bad": "Modality",
        "step/bad": "AttributionStep",
        "span/bad": "Thing",
        "interaction/bad": "Interaction",
        "character/bad": "Character",
        "unit/bad": "Unit",
        "time/bad": "Time",
        "topic/bad": "Topic",
    }
    add(store, (BAD, LABEL, bad))
    for local, cls in kinds.items():
        add(
            store,
            (thing(local), TYPE, dg(cls)),
            (thing(local), LABEL, bad),
            (thing(local), NamedNode(PREFIXES["rdfs"] + "comment"), bad),
            (thing(local), NamedNode(PREFIXES["skos"] + "altLabel"), plain),
            (thing(local), NamedNode(PREFIXES["skos"] + "definition"), bad),
            (thing(local), dg("iso3"), plain),
        )
    add(
        store,
        (thing("event/bad"), dg("actor"), thing("country/xbd")),
        (thing("event/bad"), dg("recipient"), thing("country/irn")),
        (thing("event/bad"), dg("actor"), thing("person/bad")),
        (thing("event/bad"), dg("place"), thing("place/bad")),
        (thing("event/bad"), dg("origin"), thing("place/bad")),
        (thing("event/bad"), dg("destination"), thing("country/irn")),
        (thing("event/bad"), dg("eventType"), thing("event-type/bad")),
        (thing("event/bad"), dg("time"), thing("time/bad")),
        (thing("event/bad"), dg("hasInteraction"), thing("interaction/bad")),
        (thing("interaction/bad"), dg("party"), thing("country/xbd")),
        (thing("interaction/bad"), dg("party"), thing("country/irn")),
        (thing("interaction/bad"), dg("character"), thing("character/bad")),
        (thing("time/bad"), dg("begin"), plain),
        (thing("claim/bad"), dg("about"), thing("event/bad")),
        (thing("claim/bad"), dg("modality"), thing("modality/bad")),
        (thing("claim/bad"), dg("quotedPhrase"), plain),
        (thing("claim/bad"), dg("statedIn"), thing("source/bad")),
        (thing("claim/bad"), dg("attributionStep"), thing("step/bad")),
        (thing("claim/bad"), dg("span"), thing("span/bad")),
        (thing("claim/bad"), dg("states"), thing("fact/bad")),
        (thing("claim/bad"), dg("topic"), thing("topic/bad")),
        (thing("claim/bad"), dg("saidBy"), thing("person/bad")),
        (thing("fact/bad"), dg("subject"), thing("event/bad")),
        (thing("fact/bad"), dg("predicate"), dg("actor")),
        (thing("fact/bad"), dg("object"), plain),
        (thing("span/bad"), dg("inText"), thing("text/bad")),
        (thing("span/bad"), NamedNode(PREFIXES["oa"] + "exact"), plain),
        (thing("text/bad"), dg("textOf"), thing("source/bad")),
        (thing("source/bad"), dg("url"), plain),
        (thing("step/bad"), dg("stepNumber"), Literal(2)),
        (thing("step/bad"), dg("attributedTo"), thing("person/bad")),
        (thing("step/bad"), dg("reportingVerb"), plain),
        (thing("mention/bad"), dg("mentionText"), plain),
        (thing("mention/bad"), dg("refersTo"), thing("country/xbd")),
        (thing("quantity/bad"), dg("quantityOf"), thing("event/bad")),
        (thing("quantity/bad"), dg("value"), plain),
        (thing("quantity/bad"), dg("unit"), thing("unit/bad")),
        (thing("record/bad"), dg("codedActor"), thing("country/xbd")),
        (thing("record/bad"), dg("codedRecipient"), thing("country/irn")),
        (thing("record/bad"), dg("eventType"), thing("event-type/bad")),
    )
    return store
