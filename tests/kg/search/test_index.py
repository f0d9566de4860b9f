"""The index of names: what it finds, in which order, and that it never falls behind the graph."""

from __future__ import annotations

import random
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from pyoxigraph import Literal, NamedNode, Quad, RdfFormat, Triple, serialize

from kg.changes import Change
from kg.errors import UnknownNameError
from kg.load import Loads, silent
from kg.load.followers import change_from
from kg.search import SearchIndex, attach, index_file, index_of, resolve, search, suggest
from kg.search.indexed_names import ROLES, IndexedName, all_entries
from kg.store import EmbeddedStore, Store
from kg.terms import GRAPH, ID, ONTOLOGY, PREFIXES, term
from tests.kg.changes import change_of

G = NamedNode(GRAPH + "test")
H = NamedNode(GRAPH + "other")
LABEL, ALIAS = term("rdfs:label"), term("skos:altLabel")


def thing(name: str) -> NamedNode:
    return NamedNode(ID + name)


def label(name: str, text: str, language: str = "en", predicate: NamedNode = LABEL) -> Triple:
    return Triple(thing(name), predicate, Literal(text, language=language))


def put(store: EmbeddedStore, *triples: Triple, graph: NamedNode = G) -> Change:
    store.change([], [Quad(*triple, graph) for triple in triples])
    return change_of(graph, added=triples)


def take(store: EmbeddedStore, *triples: Triple, graph: NamedNode = G) -> Change:
    store.change([Quad(*triple, graph) for triple in triples], [])
    return change_of(graph, removed=triples)


@pytest.fixture
def empty() -> Iterable[EmbeddedStore]:
    found = EmbeddedStore()
    yield found
    found.close()


@pytest.fixture(params=["memory", "file"])
def index(request: pytest.FixtureRequest, tmp_path: Path) -> Iterable[SearchIndex]:
    found = SearchIndex(tmp_path / "search.sqlite" if request.param == "file" else None)
    yield found
    found.close()


def names(index: SearchIndex, text: str, **more: object) -> list[str]:
    return [hit.iri.removeprefix(ID) for hit in index.search(text, 20, **more)]  # type: ignore[arg-type]


def test_equal_then_beginning_then_word_then_part(empty: EmbeddedStore, index: SearchIndex) -> None:
    put(
        empty,
        label("person/d", "Superana Bo"),
        label("person/c", "Maria Ana Bo"),
        label("person/b", "Ana Bo"),
        label("person/a", "Ana"),
    )
    index.rebuild(empty)
    assert names(index, "ana") == ["person/a", "person/b", "person/c", "person/d"]


def test_what_acts_comes_before_what_is_said(empty: EmbeddedStore, index: SearchIndex) -> None:
    put(empty, label("claim/x", "Mali"), label("scheme/x", "Mali"), label("country/mli", "Mali"))
    index.rebuild(empty)
    assert names(index, "mali") == ["country/mli", "claim/x", "scheme/x"]
    assert names(index, "mali", kinds=("claim",)) == ["claim/x"]
    assert names(index, "mali", kinds=("nothing",)) == []


def test_case_accents_and_punctuation_do_not_matter(empty: EmbeddedStore, index: SearchIndex) -> None:
    put(
        empty,
        label("country/civ", "Côte d'Ivoire", "fr"),
        label("person/w", "Lech Wałęsa", "pl"),
        label("place/s", "Straße", "de"),
        label("country/qat", "قطر", "ar"),
        label("country/jpn", "日本国", "ja"),
    )
    index.rebuild(empty)
    assert names(index, "COTE D’IVOIRE") == ["country/civ"]
    assert names(index, "walesa") == ["person/w"]
    assert names(index, "STRASSE") == ["place/s"]
    assert names(index, "قطر") == ["country/qat"]
    assert names(index, "本") == ["country/jpn"], "a part of a name in a script without spaces"


def test_every_word_must_occur_in_one_name(empty: EmbeddedStore, index: SearchIndex) -> None:
    put(empty, label("event/a", "talks of Iran and Qatar"), label("event/b", "talks of Iran"))
    index.rebuild(empty)
    assert names(index, "qatar talks") == ["event/a"]
    assert names(index, "qat tal") == ["event/a"]


def test_aliases_codes_and_words_of_texts_are_names(empty: EmbeddedStore, index: SearchIndex) -> None:
    put(
        empty,
        label("country/irn", "Iran"),
        label("country/irn", "Persia", predicate=ALIAS),
        Triple(thing("country/irn"), NamedNode(ONTOLOGY + "iso3"), Literal("IRN")),
        Triple(
            thing("country/irn"),
            term("skos:exactMatch"),
            NamedNode("http://www.wikidata.org/entity/Q794"),
        ),
        Triple(thing("mention/1"), NamedNode(ONTOLOGY + "mentionText"), Literal("Tehran")),
        Triple(thing("mention/1"), NamedNode(ONTOLOGY + "refersTo"), thing("country/irn")),
    )
    index.rebuild(empty)
    for text in ("persia", "IRN", "irn", "Q794", "tehran"):
        hits = index.search(text, 5)
        assert [hit.iri for hit in hits] == [ID + "country/irn"], text
        assert hits[0].label == "Iran"
        assert hits[0].matched.casefold() == text.casefold()


def test_parts_of_claims_and_machine_codings_stay_out(empty: EmbeddedStore, index: SearchIndex) -> None:
    put(empty, label("step/x", "word"), label("record/x", "word"), label("time/x", "word"))
    index.rebuild(empty)
    assert names(index, "word") == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "*",
        '"',
        "' OR 1=1 --",
        "a AND",
        "NEAR(a b)",
        "-a",
        "a:b",
        "^a",
        "(",
        "\x00",
        "\ud800",
        "%",
        "_",
        "a" * 100_000,
        "x " * 5_000,
        "→",
        "\u0301",
        "{}",
        "\u202e",
    ],
)
def test_any_text_may_be_searched(empty: EmbeddedStore, index: SearchIndex, text: str) -> None:
    put(empty, label("person/a", "Ana"))
    index.rebuild(empty)
    index.search(text, 5)
    index.suggest(text, 5)
    assert index.exactly(text) is None


def test_it_follows_what_is_added_and_taken_away(empty: EmbeddedStore, index: SearchIndex) -> None:
    index.rebuild(empty)
    index.follow(empty, put(empty, label("person/a", "Ana Bo")))
    assert names(index, "ana") == ["person/a"]
    index.follow(empty, put(empty, label("person/a", "Ana Bo"), graph=H))
    index.follow(empty, take(empty, label("person/a", "Ana Bo")))
    assert names(index, "ana") == ["person/a"], "another graph says so still"
    index.follow(empty, take(empty, label("person/a", "Ana Bo"), graph=H))
    assert names(index, "ana") == []


def test_it_follows_mentions(empty: EmbeddedStore, index: SearchIndex) -> None:
    put(empty, label("country/irn", "Iran"))
    index.rebuild(empty)
    says = Triple(thing("mention/1"), NamedNode(ONTOLOGY + "mentionText"), Literal("Tehran"))
    means = Triple(thing("mention/1"), NamedNode(ONTOLOGY + "refersTo"), thing("country/irn"))
    index.follow(empty, put(empty, says, means))
    assert names(index, "tehran") == ["country/irn"]
    index.follow(empty, take(empty, means))
    assert names(index, "tehran") == []
    assert names(index, "iran") == ["country/irn"]


def test_following_comes_to_the_same_as_building_anew(store: EmbeddedStore) -> None:
    index, other = SearchIndex(), SearchIndex()
    index.rebuild(store)
    triples = [label(f"person/p{n}", f"Person {n}") for n in range(50)]
    index.follow(store, put(store, *triples))
    index.follow(store, take(store, *triples[:20]))
    other.rebuild(store)
    text = "SELECT iri, role, text, language, via FROM name ORDER BY 1, 2, 3, 4, 5"
    assert index._rows(text, ()) == other._rows(text, ())
    assert [hit.iri for hit in index.search("person 3", 50)] == [
        hit.iri for hit in other.search("person 3", 50)
    ]


_TEXTS = ('a "quoted" name', "two\nlines\tand a \\", "Ünïcode → 日本", "back\\", " . <urn:g> .", "_:b")


def _random_name(pick: random.Random) -> Triple:
    subject = thing(pick.choice(("person/a", "person/b", "country/irn", "record/r", "mention/m", "time/t")))
    predicate = NamedNode(pick.choice([*ROLES, ONTOLOGY + "mentionText", ONTOLOGY + "refersTo", "urn:p"]))
    if predicate.value in (ONTOLOGY + "refersTo", PREFIXES["skos"] + "exactMatch"):
        return Triple(
            subject, predicate, pick.choice((thing("country/irn"), NamedNode(PREFIXES["wd"] + "Q7")))
        )
    text = pick.choice(_TEXTS)
    if pick.random() < 0.2:
        return Triple(subject, predicate, Literal(text, datatype=term("xsd:anyURI")))
    if pick.random() < 0.1:
        return Triple(subject, predicate, Triple(subject, LABEL, Literal(text)))
    return Triple(subject, predicate, Literal(text, language=pick.choice(("en", "zh-hans", None))))


@pytest.mark.parametrize("seed", range(6))
def test_following_files_comes_to_the_same_as_building_anew(
    empty: EmbeddedStore, tmp_path: Path, seed: int
) -> None:
    pick = random.Random(seed)
    index = SearchIndex()
    index.rebuild(empty)
    for _ in range(4):
        graph = pick.choice((G, H))
        held = sorted(empty.engine.quads_for_pattern(None, None, None, graph), key=str)
        left = pick.sample(held, min(len(held), pick.randrange(8)))
        entered = {Quad(*_random_name(pick), graph) for _ in range(12)}.difference(held)
        empty.change(left, entered)
        for name, quads in (("entered.nq", entered), ("left.nq", left)):
            serialize(quads, str(tmp_path / name), format=RdfFormat.N_QUADS)
        index.follow(empty, change_from(tmp_path / "entered.nq", tmp_path / "left.nq", graph))
        other = SearchIndex()
        other.rebuild(empty)
        text = "SELECT iri, role, text, language, via FROM name ORDER BY 1, 2, 3, 4, 5"
        assert index._rows(text, ()) == other._rows(text, ())
        for word in ("quoted", "two", "日本", "back", "urn", "b"):
            assert {hit.iri for hit in index.search(word, 50)} == {hit.iri for hit in other.search(word, 50)}
    index.close()


def test_an_update_that_nobody_told_of_is_noticed(empty: EmbeddedStore, index: SearchIndex) -> None:
    attach(empty, index)
    put(empty, label("person/a", "Ana"))
    assert [hit.label for hit in search(empty, "ana")] == ["Ana"]
    empty.update(
        f"DELETE DATA {{ GRAPH {G} {{ {thing('person/a')} {LABEL} 'Ana'@en }} }} ;"
        f"INSERT DATA {{ GRAPH {G} {{ {thing('person/a')} {LABEL} 'Bea'@en }} }}"
    )
    assert [hit.label for hit in search(empty, "bea")] == ["Bea"]
    assert search(empty, "ana") == []


def test_following_does_not_hide_an_update_before_it(empty: EmbeddedStore, index: SearchIndex) -> None:
    attach(empty, index)
    index_of(empty)
    empty.update(f"INSERT DATA {{ GRAPH {G} {{ {thing('person/a')} {LABEL} 'Ana'@en }} }}")
    index.follow(empty, put(empty, label("person/b", "Bea")))
    assert [hit.label for hit in search(empty, "ana")] == ["Ana"]


def test_a_file_is_kept_over_restarts_and_shared(empty: EmbeddedStore, tmp_path: Path) -> None:
    put(empty, label("person/a", "Ana"))
    first = SearchIndex(tmp_path / "search.sqlite")
    first.rebuild(empty)
    second = SearchIndex(tmp_path / "search.sqlite")
    second.freshen(empty)
    assert names(second, "ana") == ["person/a"]
    first.follow(empty, put(empty, label("person/b", "Ana B")))
    assert names(second, "ana") == ["person/a", "person/b"]
    first.close()
    second.close()
    second.close()


def test_another_process_may_write_while_this_one_reads(empty: EmbeddedStore, tmp_path: Path) -> None:
    put(empty, label("person/a", "Ana"))
    index = SearchIndex(tmp_path / "search.sqlite")
    index.rebuild(empty)
    other = sqlite3.connect(tmp_path / "search.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    other.execute("DELETE FROM name")
    assert names(index, "ana") == ["person/a"]
    other.execute("ROLLBACK")
    other.close()
    index.close()


def test_nobody_builds_what_somebody_brings_in_step(empty: EmbeddedStore, tmp_path: Path) -> None:
    loads = Loads(tmp_path)
    index = SearchIndex(tmp_path / "search.sqlite", followed=loads.are_stored)
    put(empty, label("person/a", "Ana"))
    with loads.storing(silent):
        assert loads.are_stored()
        index.freshen(empty)
        assert index.count() == 0
    assert not loads.are_stored()
    index.freshen(empty)
    assert names(index, "ana") == ["person/a"]
    index.close()


def test_who_searches_does_not_wait_while_a_large_index_is_built(
    empty: EmbeddedStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    index = SearchIndex(tmp_path / "search.sqlite")
    put(empty, label("person/a", "Ana"))
    index.freshen(empty)
    monkeypatch.setattr("kg.search.index._SMALL", 0)
    begun, go_on = threading.Event(), threading.Event()

    def slow(store: Store) -> Iterator[IndexedName]:
        begun.set()
        assert go_on.wait(60)
        yield from all_entries(store)

    monkeypatch.setattr("kg.search.index.all_entries", slow)
    put(empty, label("person/b", "Bea"))
    index.freshen(empty)
    assert begun.wait(60)
    searching = threading.Thread(target=index.freshen, args=(empty,), daemon=True)
    searching.start()
    searching.join(10)
    assert not searching.is_alive()
    assert names(index, "ana") == ["person/a"]
    go_on.set()
    assert index._building
    index._building.join(60)
    assert names(index, "bea") == ["person/b"]
    index.close()


def test_a_damaged_file_is_made_anew(empty: EmbeddedStore, tmp_path: Path) -> None:
    (tmp_path / "search.sqlite").write_bytes(b"no database at all " * 100)
    index = SearchIndex(tmp_path / "search.sqlite")
    put(empty, label("person/a", "Ana"))
    index.freshen(empty)
    assert names(index, "ana") == ["person/a"]
    index.close()


def test_a_folder_that_cannot_be_written_means_memory(empty: EmbeddedStore, tmp_path: Path) -> None:
    index = SearchIndex(tmp_path / "nowhere" / "search.sqlite")
    put(empty, label("person/a", "Ana"))
    index.freshen(empty)
    assert names(index, "ana") == ["person/a"]
    index.close()


def test_suggestions_may_be_held_to_a_class(article_store: EmbeddedStore) -> None:
    found = suggest(article_store, "deport", 10, of=ONTOLOGY + "Event")
    assert found
    assert all(hit.iri.startswith(ID + "event/") for hit in found)
    assert len(suggest(article_store, "i", 3)) == 3


def test_names_resolve(article_store: EmbeddedStore) -> None:
    assert resolve(article_store, "iran") == ID + "country/irn"
    assert resolve(article_store, "US") == ID + "country/usa"
    assert resolve(article_store, "cote d’ivoire") == ID + "country/civ"
    assert resolve(article_store, "Q794") == ID + "country/irn"
    with pytest.raises(UnknownNameError) as caught:
        resolve(article_store, "Irann")
    assert str(caught.value.mend).startswith("Did you mean “Iran”, “")
    assert caught.value.meant[0] == ("Iran", ID + "country/irn")
    assert len(set(caught.value.meant)) == len({label for label, _ in caught.value.meant})


def test_a_file_that_another_process_makes_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "names.sqlite"
    for connection in index_file.open_file(path):
        connection.close()
    before, connect, tries = path.stat().st_ino, index_file._connect, iter(range(100))

    def locked(name: str) -> sqlite3.Connection:
        if next(tries) < 3:
            raise sqlite3.OperationalError("database is locked")
        return connect(name)

    monkeypatch.setattr(index_file, "_connect", locked)
    for connection in index_file.open_file(path):
        connection.close()
    assert path.stat().st_ino == before, "the file of the other process is kept"
