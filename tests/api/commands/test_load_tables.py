"""Loading tables by the command line: templates, mappings, archives, folders, and a server."""

from __future__ import annotations

import csv
import gzip
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from api.cli import main
from tests.api.running import Served

MAPPING = """
@prefix rr: <http://www.w3.org/ns/r2rml#> .
@prefix rml: <http://semweb.mmlab.be/ns/rml#> .
@prefix ql: <http://semweb.mmlab.be/ns/ql#> .
@prefix dg: <https://w3id.org/diplograph/ontology#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
<#rows> rml:source "/etc/passwd" ; rml:referenceFormulation ql:CSV .
<#office> a rr:TriplesMap ; rml:logicalSource <#rows> ;
  rr:subjectMap [ rr:template "https://w3id.org/diplograph/id/organization/{code}" ;
    rr:class dg:Organization ] ;
  rr:predicateObjectMap [ rr:predicate rdfs:label ;
    rr:objectMap [ rml:reference "title" ; rr:language "en" ] ] .
"""
OFFICES = "code,title\noffice-one,Office of Protocol\noffice-two,Office of Treaties\n"
TURTLE = """@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
<https://w3id.org/diplograph/id/organization/office-one>
  a <https://w3id.org/diplograph/ontology#Organization> ;
  rdfs:label "Office of Protocol"@en .
"""


@pytest.fixture
def table(tmp_path: Path) -> Path:
    (tmp_path / "own.rml.ttl").write_text(MAPPING)
    (tmp_path / "offices.csv").write_text(OFFICES)
    return tmp_path / "offices.csv"


def run(*arguments: object, given: str | None = None) -> Result:
    return CliRunner().invoke(main, list(map(str, arguments)), input=given)


def titles(graph: str = "offices") -> list[str]:
    text = (
        f"SELECT ?title {{ GRAPH <https://w3id.org/diplograph/graph/{graph}> {{"
        " ?office <http://www.w3.org/2000/01/rdf-schema#label> ?title } } ORDER BY ?title"
    )
    return run("query", "-", "--format", "csv", given=text).stdout.splitlines()[1:]


def kept_loads(folder: Path) -> list[Path]:
    return [path for path in (folder / "loads").glob("*") if path.is_dir()]


def test_a_mapping_of_ones_own(folder: Path, table: Path) -> None:
    """What it names as its logical source is not opened: the table is the one that is given."""
    done = run("load", table, "--mapping", table.with_name("own.rml.ttl"), "--yes")
    assert done.exit_code == 0, done.output
    assert titles() == ["Office of Protocol", "Office of Treaties"]


def test_a_malformed_mapping_is_told(folder: Path, table: Path) -> None:
    table.with_name("own.rml.ttl").write_text("<#rows> oops")
    done = run("load", table, "--mapping", table.with_name("own.rml.ttl"), "--yes")
    assert done.exit_code == 1 and "own.rml.ttl" in done.stderr


def test_rows_that_cannot_be_read_name_the_option_that_leaves_them_out(folder: Path, table: Path) -> None:
    table.write_text(OFFICES + "office-three\n")
    given = ("load", table, "--mapping", table.with_name("own.rml.ttl"), "--yes")
    refused = run(*given)
    assert refused.exit_code == 1 and "--max-errors" in refused.stderr
    assert run(*given, "--max-errors", 1).exit_code == 0
    assert titles() == ["Office of Protocol", "Office of Treaties"]


def test_mapping_undo_and_a_dropped_preview_through_a_server(
    server: Served, folder: Path, table: Path
) -> None:
    given = ("load", table, "--mapping", table.with_name("own.rml.ttl"))
    assert run(*given, "--dry-run").exit_code == 0
    refused = run(*given, given="n\n")
    assert refused.exit_code == 1
    assert kept_loads(folder) == [] and titles() == []
    done = run(*given, "--yes")
    assert done.exit_code == 0, done.output
    [load_id] = done.stdout.split()
    assert titles() == ["Office of Protocol", "Office of Treaties"]
    undone = run("undo", load_id)
    assert undone.exit_code == 0 and load_id in undone.stdout
    assert titles() == []
    huge = table.with_name("huge.rml.ttl")
    huge.write_text(MAPPING + "# far too long\n" * 5_000)
    too_long = run("load", table, "--mapping", huge, "--yes")
    assert too_long.exit_code == 1 and "huge.rml.ttl" in too_long.stderr


def test_the_template_is_a_table_that_loads_once_filled(folder: Path, tmp_path: Path) -> None:
    made = tmp_path / "events.csv"
    assert run("load", "--template", made).exit_code == 0
    with made.open(encoding="utf-8", newline="") as file:
        columns = next(csv.reader(file))
    values = {"label": "Talks on fishing", "date": "2018-01-31", "type": "036"}
    values |= {"actors": "NOR", "recipients": "KEN"}
    with made.open("a", encoding="utf-8", newline="") as file:
        csv.DictWriter(file, columns).writerow(values)
    done = run("load", made, "--yes")
    assert done.exit_code == 0, done.output
    assert "Talks on fishing" in titles("events")
    again = run("load", "--template", made)
    assert again.exit_code == 1 and "Talks on fishing" in made.read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", ["gz", "zip"])
def test_an_archive(folder: Path, tmp_path: Path, kind: str) -> None:
    path = tmp_path / ("offices.ttl.gz" if kind == "gz" else "data.zip")
    if kind == "gz":
        path.write_bytes(gzip.compress(TURTLE.encode()))
    else:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("offices.ttl", TURTLE)
    done = run("load", path, "--source", "offices", "--yes")
    assert done.exit_code == 0, done.output
    assert titles() == ["Office of Protocol"]


def test_all_notes_are_shown_when_asked_for(folder: Path, tmp_path: Path) -> None:
    """25 places are new, and the days have an hour: some of each kind come first."""
    rows = [f"Talks {n},Norway,036,2018-01-31 12:{n},Room {n}" for n in range(10, 35)]
    made = tmp_path / "rooms.csv"
    made.write_text("label,actors,type,date,place\n" + "\n".join(rows))
    for options, shown in (((), 20), (("--all",), 26)):
        done = run("load", made, "--dry-run", *options)
        assert done.exit_code == 0, done.output
        title, _, rest = done.stderr.partition("to know")[2].partition(":\n")
        notes = [line for line in rest.splitlines() if "added as a place" in line or "time of day" in line]
        assert len(notes) == shown and sum("time of day" in note for note in notes) == 1
        assert title == ("" if options else " (the first 20 of 26; --all shows more)")


def test_a_folder_of_tables(folder: Path, table: Path, tmp_path: Path) -> None:
    parts = tmp_path / "parts"
    parts.mkdir()
    header, one, two = OFFICES.splitlines()
    (parts / "a.csv").write_text(f"{header}\n{one}\n")
    (parts / "b.csv").write_text(f"{header}\n{two}\n")
    done = run("load", parts, "--mapping", table.with_name("own.rml.ttl"), "--source", "offices", "--yes")
    assert done.exit_code == 0, done.output
    assert titles() == ["Office of Protocol", "Office of Treaties"]
