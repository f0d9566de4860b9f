"""RDF of any size: what it takes in memory, how it is cancelled, what is refused before anything is ready."""

from __future__ import annotations

import gzip
import subprocess
import sys
from pathlib import Path

import pyoxigraph
import pytest
from pyoxigraph import RdfFormat

from kg.errors import CancelledError, DataSyntaxError, TooLargeError, ValidationFailedError
from kg.load import LoadRequest, Loads, Progress, prepare, silent
from kg.load.load_folder import LoadFolder
from kg.store import EmbeddedStore

ROOT = Path(__file__).parents[4]
GOOD = ROOT / "tests" / "fixtures" / "shapes" / "conforming.ttl"
FORMATS = {
    "ttl": RdfFormat.TURTLE,
    "nt": RdfFormat.N_TRIPLES,
    "nq": RdfFormat.N_QUADS,
    "trig": RdfFormat.TRIG,
    "rdf": RdfFormat.RDF_XML,
    "jsonld": RdfFormat.JSON_LD,
}
PREFIXES = {"dg": "https://w3id.org/diplograph/ontology#"}


def written(ending: str) -> bytes:
    """The conforming graph in a syntax."""
    quads = pyoxigraph.parse(path=GOOD, format=RdfFormat.TURTLE)
    return pyoxigraph.serialize(quads, format=FORMATS[ending], prefixes=PREFIXES) or b""


@pytest.fixture
def folder(tmp_path: Path) -> LoadFolder:
    return Loads(tmp_path / "loads").new("file")[0]


def load(folder: LoadFolder, tmp_path: Path, data: bytes, name: str, progress: Progress = silent, **options):
    path = tmp_path / "given"
    path.write_bytes(data)
    return prepare(EmbeddedStore(), folder, LoadRequest(path, name, **options), progress)


def left(folder: LoadFolder) -> set[str]:
    return {path.name for path in folder.path.iterdir()}


@pytest.mark.parametrize("ending", FORMATS)
def test_every_syntax_comes_to_the_same(folder: LoadFolder, tmp_path: Path, ending: str) -> None:
    preview = load(folder, tmp_path, written(ending), f"x.{ending}", source="x")
    triples = {quad.triple for quad in pyoxigraph.parse(path=GOOD, format=RdfFormat.TURTLE)}
    assert preview.added == len(triples)
    assert not preview.findings
    assert left(folder) == {"state.json", "lock", "source", "new.nt", "added.nq", "removed.nq"}


@pytest.mark.parametrize("ending", FORMATS)
@pytest.mark.parametrize("packed", [False, True])
def test_what_breaks_off_is_refused_and_leaves_nothing(
    folder: LoadFolder, tmp_path: Path, ending: str, packed: bool
) -> None:
    data = written(ending)[:-40]
    name = f"x.{ending}"
    if packed:
        # The archive is whole; what is in it is not.
        data, name = gzip.compress(data), f"{name}.gz"
    with pytest.raises(DataSyntaxError, match=rf"x\.{ending}, line \d+, column \d+"):
        load(folder, tmp_path, data, name)
    assert folder.read().step == "failed"
    assert left(folder) == {"state.json", "lock"}


@pytest.mark.parametrize("ending", ["ttl", "rdf", "nt"])
def test_an_archive_that_breaks_off(folder: LoadFolder, tmp_path: Path, ending: str) -> None:
    data = gzip.compress(written(ending))
    with pytest.raises(DataSyntaxError, match="cut off"):
        load(folder, tmp_path, data[: len(data) // 2], f"x.{ending}.gz")
    assert left(folder) == {"state.json", "lock"}


PHASES = ("reading", "unpacking", "naming blank nodes", "sorting", "checking", "finding lines", "comparing")


@pytest.mark.parametrize("phase", PHASES)
def test_cancelled_in_any_phase_nothing_is_left(
    folder: LoadFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, phase: str
) -> None:
    monkeypatch.setattr("kg.rdf.sorted_lines._TICK", 10)
    # An event without a claim is a warning, whose line is looked for.
    text = GOOD.read_text(encoding="utf-8").replace(", <id/event/treaty> ;", ";")
    text += '\n<id/event/treaty> rdfs:seeAlso [ rdfs:label "x" ] .'
    seen: list[str] = []

    def stop(now: str, done: int, total: int | None = None) -> None:
        seen.append(now)
        if now == phase:
            raise CancelledError("cancelled")

    data = gzip.compress(text.encode())
    with pytest.raises(CancelledError):
        load(folder, tmp_path, data, "x.ttl.gz", progress=stop)
    assert folder.read().step == "cancelled"
    assert left(folder) == {"state.json", "lock"}


def test_json_ld_that_does_not_fit_in_memory_says_what_does(
    folder: LoadFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kg.rdf.jsonld.LIMIT", 1 << 10)
    with pytest.raises(TooLargeError, match="read as a whole") as caught:
        load(folder, tmp_path, written("jsonld"), "x.jsonld")
    assert "N-Triples" in str(caught.value.mend)


def test_blank_nodes_without_end_are_refused(
    folder: LoadFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kg.load.staged.staging_rdf.BLANK_STATEMENTS", 9)
    text = "".join(f'<urn:x:a> <urn:x:p> [ <urn:x:q> "{i}" ] . ' for i in range(5))
    with pytest.raises(TooLargeError, match="more than 9 statements with blank nodes"):
        load(folder, tmp_path, text.encode(), "x.ttl")


def test_many_findings_are_counted_and_the_first_listed(
    folder: LoadFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kg.validation.piecewise.LISTED", 5)
    monkeypatch.setattr("kg.load.staged.staging_rdf.LISTED", 5)
    event = "<https://w3id.org/diplograph/id/event/x{0}> dg:begins '{0}' .\n"
    head = f"@prefix dg: <{PREFIXES['dg']}> .\n"
    text = head + "".join(event.format(number) for number in range(12))
    with pytest.raises(ValidationFailedError, match="12 violations") as caught:
        load(folder, tmp_path, text.encode(), "x.ttl")
    assert len(caught.value.findings) == 6
    assert caught.value.findings[0].startswith("x.ttl, line 2: ")
    assert caught.value.findings[5] == "… and 7 more"


def test_blank_nodes_and_lines_that_repeat_change_nothing(folder: LoadFolder, tmp_path: Path) -> None:
    lines = '_:a <urn:x:p> "1" .\n<urn:x:s> <urn:x:p> _:a .\n'
    again = '<urn:x:s> <urn:x:p> _:other .\n_:other <urn:x:p> "1" .\n' * 2
    load(folder, tmp_path, lines.encode(), "x.nt")
    other = Loads(tmp_path / "loads").new("file")[0]
    load(other, tmp_path, again.encode(), "x.nt")
    assert (folder.path / "new.nt").read_bytes() == (other.path / "new.nt").read_bytes()


MEASURE = """
import resource, sys
from pathlib import Path
import kg.rdf.sorted_lines
from kg.load import LoadRequest, Loads, prepare
from kg.store import EmbeddedStore
from bench.materialise import lines
from kg.errors import ValidationFailedError
kg.rdf.sorted_lines.RUN_BYTES = 1 << 20
home = Path(sys.argv[1])
store = EmbeddedStore()
peaks = []
for events in (500, 500, 3_000):
    path = home / f"x{events}.nt"
    with path.open("w") as out:
        out.writelines(lines(0, events))
    try:
        prepare(store, Loads(home / "loads").new("x.nt")[0], LoadRequest(path, "x.nt"))
    except ValidationFailedError:
        pass
    peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
print(*peaks)
"""


def test_six_times_the_triples_take_no_more_memory(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, timeout=300, check=True,
    )  # fmt: skip
    _, small, large = map(int, done.stdout.split())
    # 5 MB of N-Triples; held as objects they would take ten times as much.
    assert large - small < 20_000


@pytest.mark.parametrize(
    ("text", "noted"),
    [
        # XML 1.0, section 2.2: no controls but tab and line ends, no U+FFFE.
        (r"a\u0001b", True),
        (r"a\bb", True),
        (r"a\u001Fb", True),
        ("a\ufffeb", True),
        (r"a\tb\r\nc\u0085d", False),
        (r"a\\u0001 and \\b", False),
    ],
)
def test_characters_that_xml_cannot_carry_are_noted(
    store: EmbeddedStore, folder: LoadFolder, tmp_path: Path, text: str, noted: bool
) -> None:
    path = tmp_path / "a.nt"
    path.write_text(f'<http://x.example/a> <http://x.example/p> "{text}" .\n', encoding="utf-8")
    preview = prepare(store, folder, LoadRequest(path, "a.nt"))
    assert any("control character" in note for note in preview.notes) is noted
