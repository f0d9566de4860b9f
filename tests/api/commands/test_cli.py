"""The command line without a server: what it prints, where, and with which exit code."""

import csv
import io
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyoxigraph
import pytest
from click.testing import CliRunner, Result
from openpyxl import load_workbook

from api.cli import main
from api.commands.terminal_tables import text_table
from api.pages.spreadsheets import workbook
from bench.rows import write_rows
from kg.reasoning import hermit
from kg.store import EmbeddedStore
from kg.terms import GRAPH_ENTAILMENTS, GRAPH_LOADS, ID

FIXTURES = Path(__file__).parents[2] / "fixtures"
FILE = FIXTURES / "new-event.ttl"
EVENT = f"{ID}event/norway-kenya-port-accord"


@pytest.fixture
def folder(installed: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data folder that the commands of a test share."""
    monkeypatch.setenv("DIPLOGRAPH_DATA", str(installed))
    return installed


@pytest.fixture
def unused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The path of the commands' data folder, where nothing is yet."""
    monkeypatch.setenv("DIPLOGRAPH_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


def run(*arguments: str, given: str | bytes | None = None) -> Result:
    return CliRunner().invoke(main, list(arguments), input=given)


def failed(result: Result, code: int) -> str:
    """The first line of the error; the rest says how to mend it."""
    assert result.exit_code == code, result.output
    assert result.stdout == ""
    first, *details = result.stderr.splitlines()
    assert first.startswith("error: ")
    assert any(line.startswith("  what to do: ") for line in details)
    return first


@pytest.mark.usefixtures("folder")
class TestQuery:
    def test_a_question_of_the_catalogue(self) -> None:
        result = run("query", "deportations", "--format", "csv")
        [row] = csv.DictReader(io.StringIO(result.stdout))
        assert (row["count"], row["comparator"], row["transit"]) == ("100", "approximately", "Qatar")

    def test_a_table_for_people(self) -> None:
        result = run("query", "deportations")
        header, rule, row = result.stdout.splitlines()
        assert header.split()[:3] == ["event", "label", "count"]
        assert set(rule) == {"─", " "}
        assert "id:event/" in row
        assert result.stderr == "1 row\n"

    @pytest.mark.parametrize("actor", ["Iran", "IR", "country/irn", f"{ID}country/irn", "id:country/irn"])
    def test_parameters_are_names_codes_or_iris(self, actor: str) -> None:
        result = run("query", "dyad", "--param", f"a={actor}", "--param", "b=USA", "--format", "csv")
        assert len(list(csv.DictReader(io.StringIO(result.stdout)))) == 3

    def test_sparql_from_a_file_and_from_standard_input(self, tmp_path: Path) -> None:
        text = "SELECT (1 + 1 AS ?two) {}"
        (tmp_path / "two.rq").write_text(text, encoding="utf-8")
        for result in (
            run("query", str(tmp_path / "two.rq"), "--format", "tsv"),
            run("query", "-", "--format", "tsv", given=text),
        ):
            assert result.stdout == "?two\n2\n"

    def test_json_of_solutions_and_of_a_boolean(self) -> None:
        assert json.loads(run("query", "-", "--format", "json", given="ASK {}").stdout)["boolean"] is True
        assert run("query", "-", given="ASK { <urn:no> ?p ?o }").stdout == "false\n"

    def test_a_graph_is_turtle(self) -> None:
        result = run("query", "-", given="CONSTRUCT { <urn:a> <urn:b> 1 } WHERE {}")
        assert len(list(pyoxigraph.parse(result.stdout, format=pyoxigraph.RdfFormat.TURTLE))) == 1

    def test_a_spreadsheet_has_numbers_as_numbers(self, tmp_path: Path) -> None:
        target = tmp_path / "out.xlsx"
        run("query", "deportations", "--format", "xlsx", "-o", str(target))
        header, row = load_workbook(target).active.iter_rows(values_only=True)
        assert dict(zip(header, row, strict=True))["count"] == 100

    @pytest.mark.parametrize(
        ("arguments", "given", "words"),
        [
            (("query", "deportation"), None, "neither a question"),
            (("query", "-"), "SELECT ?x {", "line 1"),
            (("query", "-"), "SELECT * { ?x nope:y ?z }", "nope"),
            (("query", "-"), b"SELECT \xff", "UTF-8"),
            (("query", "-", "--param", "a=b"), "ASK {}", "catalogue"),
            (("query", "dyad", "--param", "a"), None, "NAME=VALUE"),
            (("query", "dyad", "--param", "a=Iran", "--param", "a=Iraq"), None, "twice"),
            (("query", "dyad", "--param", "a=Iran", "--param", "b=Atlantis"), None, "Atlantis"),
            (("query", "dyad", "--param", "c=Iran"), None, "c"),
            (("query", "-", "--format", "ttl"), "ASK {}", "ttl"),
            (("query", "-", "--format", "table"), "CONSTRUCT WHERE { ?s ?p ?o }", "table"),
            (("query", "-"), "SELECT * { SERVICE <http://127.0.0.1:9/> { ?s ?p ?o } }", "127.0.0.1"),
        ],
    )
    def test_what_is_wrong_is_told(
        self, arguments: tuple[str, ...], given: str | bytes | None, words: str
    ) -> None:
        assert words in failed(run(*arguments, given=given), 1)

    def test_a_near_miss_gets_a_suggestion(self) -> None:
        assert "deportations" in run("query", "deportation").stderr

    def test_usage_has_its_own_exit_code(self) -> None:
        assert run("query").exit_code == 2
        assert run("nonsense").exit_code == 2


class TestLoad:
    def test_a_new_event_appears_between_its_actors(self, folder: Path) -> None:
        loaded = run("load", str(FILE), "--yes")
        assert loaded.exit_code == 0
        [load_id] = loaded.stdout.split()
        assert "graph:new-event" in loaded.stderr
        rows = run("query", "dyad", "--param", "a=Norway", "--param", "b=Kenya", "--format", "csv").stdout
        [row] = csv.DictReader(io.StringIO(rows))
        assert row["event"] == EVENT
        assert row["cooperation"] == "cooperative"
        assert [entry["id"] for entry in json.loads(run("loads", "--format", "json").stdout)] == [load_id]
        assert load_id in run("loads").stdout
        assert "port accord" in run("describe", "Kenya").stdout

    def test_twice_changes_nothing(self, folder: Path) -> None:
        run("load", str(FILE), "--yes")
        before = run("dump").stdout
        again = run("load", str(FILE))
        assert again.exit_code == 0
        assert again.stdout == ""
        assert "nothing to store" in again.stderr
        assert run("dump").stdout == before

    def test_undo_gives_the_dataset_back(self, folder: Path) -> None:
        run("loads")
        before = {line for line in run("dump").stdout.splitlines() if "graph/loads>" not in line}
        [load_id] = run("load", str(FILE), "--yes").stdout.split()
        undone = run("undo", load_id)
        assert undone.exit_code == 0
        assert load_id in undone.stdout
        after = {line for line in run("dump").stdout.splitlines() if "graph/loads>" not in line}
        assert after == before
        [entry] = json.loads(run("loads", "--format", "json").stdout)
        assert entry["undone"]
        assert "undone" in run("loads").stdout
        assert "already undone" in failed(run("undo", load_id), 1)
        assert "no load" in failed(run("undo", "nothing"), 1)

    def test_an_event_is_left_out(self, folder: Path) -> None:
        loaded = run("load", str(FILE), "--yes", "--skip", "id:event/norway-kenya-port-accord")
        assert loaded.exit_code == 0
        rows = run("query", "dyad", "--param", "a=Norway", "--param", "b=Kenya", "--format", "csv").stdout
        assert list(csv.DictReader(io.StringIO(rows))) == []

    def test_nothing_is_left_of_what_was_not_stored(self, folder: Path, tmp_path: Path) -> None:
        (tmp_path / "bad.ttl").write_text("<urn:x> <urn:y>", encoding="utf-8")
        run("load", str(FILE), "--dry-run")
        run("load", str(FILE), given="n\n")
        run("load", str(tmp_path / "bad.ttl"), "--yes")
        assert [path.name for path in (folder / "loads").iterdir() if path.is_dir()] == []

    def test_an_interrupt_leaves_nothing(self, folder: Path, tmp_path: Path) -> None:
        run("loads")
        before = run("dump").stdout
        # So many rows that a busy machine does not end the load before it interrupts it.
        file = tmp_path / "rows.export.CSV"
        write_rows(file, 2_000)
        process = subprocess.Popen(
            [sys.executable, "-m", "api.cli", "load", str(file), "--yes"],
            cwd=Path(__file__).parents[3],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        until = time.monotonic() + 120
        while not list((folder / "loads").glob("*/state.json")) and time.monotonic() < until:
            assert process.poll() is None
            time.sleep(0.005)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=120)
        assert process.returncode != 0
        assert [path.name for path in (folder / "loads").iterdir() if path.is_dir()] == []
        assert run("dump").stdout == before

    def test_a_source_must_be_named(self, folder: Path) -> None:
        assert run("load").exit_code == 2

    @pytest.mark.parametrize(("arguments", "given"), [(("--dry-run",), None), ((), "n\n"), ((), "")])
    def test_nothing_is_stored_without_a_yes(
        self, folder: Path, arguments: tuple[str, ...], given: str | None
    ) -> None:
        result = run("load", str(FILE), *arguments, given=given)
        assert result.stdout == ""
        statements = len(list(pyoxigraph.parse(path=FILE)))
        assert f"{statements} statements new" in result.stderr
        assert json.loads(run("loads", "--format", "json").stdout) == []

    def test_yes_may_be_said(self, folder: Path) -> None:
        assert len(run("load", str(FILE), given="y\n").stdout.split()) == 1

    def test_a_wrong_date_stores_nothing_and_is_told(self, folder: Path, tmp_path: Path) -> None:
        text = FILE.read_text(encoding="utf-8").replace('dg:end "2018-03-14"', 'dg:end "2018-02-30"')
        (tmp_path / "wrong.ttl").write_text(text, encoding="utf-8")
        result = run("load", str(tmp_path / "wrong.ttl"), "--yes")
        assert "wrong.ttl" in failed(result, 1)
        line = text[: text.index("2018-02-30")].count("\n") + 1
        for part in (f"line {line}", "id:time/2018-03-14", "shape: ", "xsd:date"):
            assert part in result.stderr
        assert json.loads(run("loads", "--format", "json").stdout) == []

    def test_several_files_are_planned_before_one_is_stored(self, folder: Path, tmp_path: Path) -> None:
        (tmp_path / "broken.ttl").write_text("<urn:x> <urn:y>", encoding="utf-8")
        assert "broken.ttl, line 1" in failed(
            run("load", str(FILE), str(tmp_path / "broken.ttl"), "--yes"), 1
        )
        assert json.loads(run("loads", "--format", "json").stdout) == []

    def test_two_files_for_one_graph_are_refused(self, folder: Path, tmp_path: Path) -> None:
        (tmp_path / "new-event.ttl").write_text('<urn:x> <urn:y> "z" .', encoding="utf-8")
        assert "graph:new-event" in failed(
            run("load", str(FILE), str(tmp_path / "new-event.ttl"), "--yes"), 1
        )

    def test_standard_input_needs_a_source(self, folder: Path) -> None:
        text = FILE.read_text(encoding="utf-8")
        assert "standard input" in failed(run("load", "-", "--format", "ttl", given=text), 1)
        done = run("load", "-", "--format", "ttl", "--source", "gazette", "--yes", given=text)
        assert "graph:gazette" in done.stderr

    @pytest.mark.parametrize(
        ("name", "data", "words"),
        [
            ("empty.ttl", b"", "empty"),
            ("latin.ttl", '<urn:x> <urn:y> "é" .'.encode("latin-1"), "0xe9"),
            ("table.docx", b"x", "table.docx"),
            ("missing.ttl", None, "cannot be read"),
        ],
    )
    def test_bad_files(self, folder: Path, tmp_path: Path, name: str, data: bytes | None, words: str) -> None:
        if data is not None:
            (tmp_path / name).write_bytes(data)
        assert words in failed(run("load", str(tmp_path / name), "--yes"), 1)


class TestFolder:
    def test_a_folder_of_other_files_is_left_alone(self, unused: Path) -> None:
        unused.mkdir()
        (unused / "letter.txt").write_text("dear", encoding="utf-8")
        assert str(unused) in failed(run("query", "deportations"), 3)
        assert [entry.name for entry in unused.iterdir()] == ["letter.txt"]

    def test_a_file_is_no_folder(self, unused: Path) -> None:
        unused.write_text("x", encoding="utf-8")
        failed(run("loads"), 3)

    def test_a_folder_that_another_holds(self, unused: Path) -> None:
        unused.mkdir()
        held = EmbeddedStore(unused / "store")
        assert "another process" in failed(run("loads"), 3)
        held.close()

    def test_what_a_server_left_behind_is_no_server(self, unused: Path) -> None:
        unused.mkdir()
        (unused / "server.json").write_text('{"url": "http://127.0.0.1:9", "pid": 999999}', encoding="utf-8")
        assert run("loads").exit_code == 0

    def test_a_store_elsewhere_that_is_gone(self, unused: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DIPLOGRAPH_STORE", "http://127.0.0.1:9/sparql")
        assert "127.0.0.1:9" in failed(run("loads"), 3)
        assert "127.0.0.1:9" in failed(run("serve", "--port", "0"), 3)
        assert not (unused / "store").exists()

    def test_a_bad_setting_names_its_variable(self, unused: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DIPLOGRAPH_MAX_UPLOAD", "plenty")
        assert "DIPLOGRAPH_MAX_UPLOAD" in failed(run("loads"), 1)

    @pytest.mark.parametrize(
        "command", [("loads",), ("search", "iran"), ("undo", "x"), ("load", __file__), ("entail",)]
    )
    def test_a_mistyped_folder_is_refused_and_not_made(
        self, tmp_path: Path, command: tuple[str, ...]
    ) -> None:
        folder = tmp_path / "mistyped"
        assert str(folder) in failed(run("--data", str(folder), *command), 1)
        assert not folder.exists()

    def test_the_folder_can_be_named_before_and_after_the_command(self, tmp_path: Path) -> None:
        (tmp_path / "a").mkdir()
        for arguments in (("--data", str(tmp_path / "a"), "loads"), ("loads", "--data", str(tmp_path / "a"))):
            assert run(*arguments).exit_code == 0
        assert (tmp_path / "a" / "store").is_dir()


@pytest.mark.usefixtures("folder")
class TestLooking:
    def test_search(self) -> None:
        assert "id:country/irn" in run("search", "iran").stdout
        nothing = run("search", "zzzzzz")
        assert (nothing.exit_code, nothing.stdout) == (0, "")

    def test_describe(self) -> None:
        text = run("describe", "Qatar").stdout
        assert text.startswith(f"Qatar\n{ID}country/qat\n")
        turtle = run("describe", "Qatar", "--format", "ttl").stdout
        subjects = {q.subject.value for q in pyoxigraph.parse(turtle, format=pyoxigraph.RdfFormat.TURTLE)}
        assert f"{ID}country/qat" in subjects
        assert json.loads(run("describe", "Qatar", "--format", "jsonld").stdout)

    def test_describe_what_is_unknown(self) -> None:
        assert "Qataar" in failed(run("describe", "Qataar"), 1)

    def test_validate(self, tmp_path: Path) -> None:
        good = run("validate", str(FILE))
        assert (good.exit_code, good.stdout) == (0, f"{FILE}: conforms to the shapes\n")
        text = FILE.read_text(encoding="utf-8").replace("plover-agree", "plover-aggree")
        (tmp_path / "bad.ttl").write_text(text, encoding="utf-8")
        bad = run("validate", str(tmp_path / "bad.ttl"))
        failed(bad, 1)
        assert "dg:eventType" in bad.stderr

    @pytest.mark.parametrize("form", ["nq", "trig"])
    def test_dump_holds_every_graph_and_triple(self, form: str, article_store: EmbeddedStore) -> None:
        text = run("dump", "--format", form).stdout
        syntax = {"nq": pyoxigraph.RdfFormat.N_QUADS, "trig": pyoxigraph.RdfFormat.TRIG}[form]
        dumped = set(pyoxigraph.parse(text, format=syntax))
        # A folder that is opened gets what follows from its graphs, too.
        told, known = (
            {quad for quad in quads if quad.graph_name not in (GRAPH_ENTAILMENTS, GRAPH_LOADS)}
            for quads in (dumped, article_store.engine)
        )
        assert told == known
        assert any(quad.graph_name == GRAPH_ENTAILMENTS for quad in dumped)

    def test_a_file_that_cannot_be_written(self, tmp_path: Path) -> None:
        failed(run("dump", "-o", str(tmp_path / "no" / "dump.nq")), 1)

    def test_check_without_java(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(hermit.shutil, "which", lambda name: None)
        result = run("check")
        assert result.exit_code == 3
        assert "Java" in result.stderr.splitlines()[0]
        assert "0 errors, 0 warnings" in result.stdout

    def test_check_names_term_and_mend(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setattr(hermit.shutil, "which", lambda name: None)
        file = tmp_path / "more.ttl"
        file.write_text(
            "@prefix dg: <https://w3id.org/diplograph/ontology#> ."
            "@prefix owl: <http://www.w3.org/2002/07/owl#> . dg:envoy a owl:Class ."
            "<https://w3id.org/diplograph/id/person/x> a dg:Person, dg:Event ."
        )
        result = run("check", str(file))
        assert result.exit_code == 1
        assert "dg:envoy: No label. Add rdfs:label" in result.stderr
        assert "dg:envoy: A name against the convention" in result.stderr
        assert "id:person/x cannot be both" in result.stderr


def test_long_cells_are_wrapped_to_the_terminal() -> None:
    lines = list(text_table(("a", "b"), [("one two three four five six", "x")], 20))
    assert all(len(line) <= 20 for line in lines)
    cells = [(line[:17].split(), line[17:].split()) for line in lines[2:]]
    assert [word for words, _ in cells for word in words] == ["one", "two", "three", "four", "five", "six"]
    assert [word for _, words in cells for word in words] == ["x"]


def test_text_cannot_steer_the_terminal() -> None:
    assert "\x1b" not in "".join(text_table(("a",), [("\x1b[2J",)], None))


def test_text_that_looks_like_a_formula_stays_text() -> None:
    answer = EmbeddedStore().query(
        "PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>"
        'SELECT * { VALUES (?a ?b ?c ?d) { ("=1+1" 2.5 true "2018-03-14"^^xsd:date) } }'
    )
    sheet = load_workbook(io.BytesIO(workbook(answer))).active
    first, number, truth, day = sheet[2]
    assert (first.value, first.data_type) == ("=1+1", "s")
    assert (number.value, truth.value) == (2.5, True)
    assert day.value.isoformat().startswith("2018-03-14")
