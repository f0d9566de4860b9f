"""Plans and commits: what a file changes, what the shapes refuse, and that nothing happens by halves."""

import errno
from pathlib import Path

import pytest
from pyoxigraph import NamedNode

from kg.changes import Change
from kg.errors import (
    ConflictError,
    DataSyntaxError,
    ParameterError,
    StoreFailedError,
    ValidationFailedError,
)
from kg.load import Loads, install, read_loads, report
from kg.store import EmbeddedStore, Store
from kg.terms import GRAPH, GRAPH_COUNTRIES, ID, ONTOLOGY, PREFIXES
from tests.kg.load.desks import commit, plan

FILE = Path(__file__).parents[2] / "fixtures" / "new-event.ttl"
EVENT = f"{ID}event/norway-kenya-port-accord"
HEADER = "".join(f"@prefix {p}: <{iri}> .\n" for p, iri in PREFIXES.items())


def quads(store: EmbeddedStore) -> set[str]:
    return set(map(str, store.engine))


def ask(store: EmbeddedStore, pattern: str) -> bool:
    return store.query(f"ASK {{ {pattern} }}").truth()


def load_file(store: EmbeddedStore, data: bytes | None = None, **options: str) -> None:
    commit(store, plan(store, data or FILE.read_bytes(), name="new-event.ttl", **options))


def test_a_new_event_goes_into_the_graph_of_its_file(store: EmbeddedStore) -> None:
    made = plan(store, FILE.read_bytes(), name="folder/new-event.ttl")
    assert made.preview.graph == f"{GRAPH}new-event"
    assert not made.preview.removed
    assert not made.preview.unchanged
    assert made.preview.unknown == ()
    assert not ask(store, f"<{EVENT}> ?p ?o")
    load = commit(store, made)
    assert load is not None
    assert load.added == made.preview.added
    assert ask(store, f"GRAPH <{GRAPH}new-event> {{ <{EVENT}> <{ONTOLOGY}actor> <{ID}country/nor> }}")


def test_the_plan_counts_things_by_class(store: EmbeddedStore) -> None:
    counts = {c.type: c for c in plan(store, FILE.read_bytes(), name="new-event.ttl").preview.counts}
    event = counts[f"{ONTOLOGY}Event"]
    assert (event.new, event.changed, event.unchanged, event.gone) == (1, 0, 0, 0)
    assert event.label == "event"


def test_a_changed_file_replaces_its_graph(store: EmbeddedStore) -> None:
    load_file(store)
    text = FILE.read_text(encoding="utf-8").replace("a port accord", "a harbour accord")
    text = text[: text.index("id:fact\\/norway-kenya-port-accord-time a")]
    text = text.replace(",\n    id:fact\\/norway-kenya-port-accord-time ;", " ;")
    made = plan(store, text.encode(), name="new-event.ttl")
    counts = {c.type: c for c in made.preview.counts}
    assert (counts[f"{ONTOLOGY}Event"].changed, counts[f"{ONTOLOGY}Claim"].changed) == (1, 1)
    assert counts[f"{PREFIXES['time']}ProperInterval"].unchanged == 1
    commit(store, made)
    assert ask(store, f'<{EVENT}> rdfs:label "Norway and Kenya sign a harbour accord"@en'.replace(
        "rdfs:label", f"<{PREFIXES['rdfs']}label>"))  # fmt: skip
    assert not ask(store, f'<{EVENT}> <{PREFIXES["rdfs"]}label> "Norway and Kenya sign a port accord"@en')


def test_loading_twice_changes_nothing(store: EmbeddedStore) -> None:
    load_file(store)
    before = quads(store)
    again = plan(store, FILE.read_bytes(), name="new-event.ttl")
    assert again.preview.unchanged
    assert commit(store, again) is None
    assert quads(store) == before
    assert len(read_loads(store)) == 1


def test_values_that_the_engine_rewrites_are_no_change(store: EmbeddedStore) -> None:
    text = HEADER + (
        f'<{ID}quantity/x> a dg:Quantity ; rdfs:label "Two"@en ; dg:value "2.50"^^xsd:decimal ;'
        f" dg:comparator <{ID}comparator/exactly> ; dg:unit <{ID}unit/person> ;"
        f" dg:quantityOf <{ID}country/nor> ."
        f' [] rdfs:comment "blank", "03"^^xsd:int .'
    )
    load_file(store, text.encode())
    assert plan(store, text.encode(), name="new-event.ttl").preview.unchanged


def test_a_wrong_date_stores_nothing_and_names_line_node_shape_and_reason(store: EmbeddedStore) -> None:
    text = FILE.read_text(encoding="utf-8").replace('dg:begin "2018-03-14"', 'dg:begin "2018-03-41"')
    before = quads(store)
    with pytest.raises(ValidationFailedError) as caught:
        plan(store, text.encode(), name="new-event.ttl")
    line = text[: text.index("2018-03-41")].count("\n") + 1
    [finding] = caught.value.findings
    assert finding.startswith(f"new-event.ttl, line {line}: ")
    for part in ("id:time/2018-03-14", "dg:begin", "2018-03-41", "xsd:date", "shape: "):
        assert part in finding
    assert quads(store) == before


@pytest.mark.parametrize(("datatype", "value"), [("gMonth", "13"), ("dateTime", "yesterday")])
def test_literals_are_values_of_their_datatype(store: EmbeddedStore, datatype: str, value: str) -> None:
    text = HEADER + f'<{ID}event/x> rdfs:comment "{value}"^^xsd:{datatype} .'
    with pytest.raises(ValidationFailedError) as caught:
        plan(store, text.encode(), name="x.ttl")
    assert any(f"xsd:{datatype}" in finding for finding in caught.value.findings)


def test_every_violation_is_named(store: EmbeddedStore) -> None:
    text = FILE.read_text(encoding="utf-8")
    text = text.replace("dg:saidBy id:source", 'dg:saidBy "one" ; dg:cites id:source').replace(
        "plover-agree", "plover-aggree"
    )
    with pytest.raises(ValidationFailedError) as caught:
        plan(store, text.encode(), name="new-event.ttl")
    findings = "\n".join(caught.value.findings)
    assert "dg:saidBy" in findings
    assert "dg:eventType" in findings


def test_a_warning_lets_the_file_in(store: EmbeddedStore) -> None:
    text = FILE.read_text(encoding="utf-8")
    event_only = text[: text.index("id:claim")]
    made = plan(store, event_only.encode(), name="new-event.ttl")
    assert any("dg:about" in finding for finding in made.preview.findings)


def test_claims_of_another_source_count_for_an_event(store: EmbeddedStore) -> None:
    load_file(store)
    text = FILE.read_text(encoding="utf-8")
    again = plan(store, text[: text.index("id:claim")].encode(), name="x.ttl", source="another")
    assert again.preview.findings == ()


def test_names_that_nobody_describes_are_told(store: EmbeddedStore) -> None:
    text = FILE.read_text(encoding="utf-8").replace(
        "dg:about id:event", "dg:about id:country\\/qat, id:evnt\\/x, id:event"
    )
    assert plan(store, text.encode(), name="new-event.ttl").preview.unknown == (f"{ID}evnt/x",)


@pytest.mark.parametrize("source", ["ontology", "graph:loads", GRAPH_COUNTRIES.value])
def test_the_tools_own_graphs_are_no_targets(store: EmbeddedStore, source: str) -> None:
    with pytest.raises(ParameterError, match="maintained by diplograph"):
        plan(store, FILE.read_bytes(), name="new-event.ttl", source=source)


@pytest.mark.parametrize(
    ("source", "graph"),
    [("Fjord Gazette", f"{GRAPH}fjord-gazette"), ("https://example.org/g", "https://example.org/g")],
)
def test_the_source_names_the_graph(store: EmbeddedStore, source: str, graph: str) -> None:
    assert plan(store, FILE.read_bytes(), name="new-event.ttl", source=source).preview.graph == graph


def test_a_source_that_is_no_iri_is_refused(store: EmbeddedStore) -> None:
    with pytest.raises(ParameterError):
        plan(store, FILE.read_bytes(), name="new-event.ttl", source="https://example.org/a b")


def test_the_files_own_graph_is_kept(store: EmbeddedStore) -> None:
    data = f'<{ID}event/x> <{PREFIXES["rdfs"]}comment> "x" <{GRAPH}own> .'.encode()
    assert plan(store, data, name="x.nq").preview.graph == f"{GRAPH}own"


def test_a_malformed_file_stores_nothing(store: EmbeddedStore) -> None:
    before = quads(store)
    with pytest.raises(DataSyntaxError, match=r"new-event\.ttl, line"):
        plan(store, FILE.read_bytes() + b"\nid:x dg:", name="new-event.ttl")
    assert quads(store) == before


def test_a_graph_that_changed_after_the_plan_is_a_conflict(store: EmbeddedStore) -> None:
    text = FILE.read_text(encoding="utf-8")
    first = plan(store, text.encode(), name="new-event.ttl")
    load_file(store, text.replace("Ferries", "Boats").encode())
    before = quads(store)
    with pytest.raises(ConflictError, match="graph:new-event"):
        commit(store, first)
    assert quads(store) == before


def test_install_is_idempotent_and_mends_what_is_ours() -> None:
    store = EmbeddedStore()
    assert install(store)
    before = quads(store)
    assert not install(store)
    assert quads(store) == before
    store.update(f'INSERT DATA {{ GRAPH {GRAPH_COUNTRIES} {{ <urn:x> <urn:y> "old" }} }}')
    assert install(store)
    assert quads(store) == before


def test_install_leaves_a_graph_that_somebody_took_out() -> None:
    store = EmbeddedStore()
    install(store)
    article = NamedNode(f"{GRAPH}us-iran-deportation")
    store.update(f"CLEAR GRAPH {article}")
    install(store)
    assert not store.query(f"ASK {{ GRAPH {article} {{ ?s ?p ?o }} }}").truth()


def test_report_tells_findings_without_a_plan(store: EmbeddedStore) -> None:
    text = FILE.read_text(encoding="utf-8").replace("dg:saidBy", "dg:statedIn")
    found = report(store, text.encode(), name="x.ttl")
    assert found.findings[0][0] == "violation"
    assert len(found.violations) == found.checked.violations
    assert report(store, FILE, name="x.ttl").findings == ()


def test_a_load_that_is_stored_says_so_when_what_follows_it_fails(store: EmbeddedStore) -> None:
    class FullDisk:
        def follow(self, store: Store, change: Change) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

    made = plan(store, FILE.read_bytes(), name=FILE.name)
    with pytest.raises(StoreFailedError, match=r"is stored, but .*No space left") as caught:
        commit(store, made, followers=[FullDisk()])
    assert "Do not load it again" in (caught.value.mend or "")
    assert [load.id for load in read_loads(store)] == [made.folder.id]
    assert (made.folder.read().step, made.folder.read().followed) == ("stored", False)


def test_ids_order_loads_also_where_the_clock_was_set_back(tmp_path: Path) -> None:
    loads = Loads(tmp_path)
    ahead = tmp_path / "29991231t235959999999z-0123456789abcdef"
    ahead.mkdir()
    ids = [ahead.name, *(loads.new("x")[0].id for _ in range(3))]
    assert ids == sorted(ids) and len({one.partition("-")[0] for one in ids}) == 4
