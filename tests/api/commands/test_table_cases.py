"""The small tables of the shared folder, by command line with and without a server, HTTP and page."""

from __future__ import annotations

import csv
import io
import os
import re
import time
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner, Result

from api.cli import main
from kg.readers.gdelt.code_columns import NAMES
from tests.api.running import AUTHORITY, TOKEN, Served

SHARED = Path(os.environ.get("DIPLOGRAPH_SHARED", Path(__file__).parents[4] / "shared"))
CASES = SHARED / "cases" / "tables"
COUNTRY = "https://w3id.org/diplograph/id/country/"
GDELT = {
    "rou.export.CSV": 6,
    "g-comma-header.csv": 30,
    "g-quoted-tsv.tsv": 30,
    "g-subset.csv": 30,
    "g-one.zip": 10,
    "g-two.zip": 30,
    "g-catzip.zip": 30,
    "g-emptymember.zip": 10,
}
# Each file is read alike by all doors; these say the most.
THROUGH_A_SERVER = ("g-subset.csv", "g-emptymember.zip", "rou.export.CSV")
OVER_HTTP = ("g-quoted-tsv.tsv", "g-catzip.zip", "rou.export.CSV", "g-comma-header.csv")
STORED_OVER_HTTP = ("g-quoted-tsv.tsv",)
ACTORS = """PREFIX dg: <https://w3id.org/diplograph/ontology#>
SELECT ?number ?actor ?recipient {
  GRAPH <https://w3id.org/diplograph/graph/%s> {
    ?record dg:recordId ?number
    OPTIONAL { ?record dg:codedActor ?actor } OPTIONAL { ?record dg:codedRecipient ?recipient }
  } }"""
EVENT = """PREFIX dg: <https://w3id.org/diplograph/ontology#>
SELECT ?actor ?recipient { GRAPH <https://w3id.org/diplograph/graph/srb-events> {
  ?event a dg:Event ; dg:actor ?actor ; dg:recipient ?recipient } }"""

pytestmark = pytest.mark.skipif(
    not CASES.is_dir(),
    reason="cases/tables is not beside this checkout (set DIPLOGRAPH_SHARED to its folder)",
)


def slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.rpartition(".")[0].lower())


def raw_rows(name: str) -> dict[str, tuple[str, str]]:
    """Read the codes of the two actors of each row, without any of our code."""
    data = (CASES / name).read_bytes()
    if name == "g-catzip.zip":
        name, data = "g-two.zip", (CASES / "g-two.zip").read_bytes()  # the same rows in one zip
    if data.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            data = b"".join(archive.read(member) for member in archive.namelist())
    text = data.decode()
    rows = list(csv.reader(io.StringIO(text), delimiter="\t" if "\t" in text else ","))
    head = rows.pop(0) if rows[0][0] == "GLOBALEVENTID" else list(NAMES)
    columns = [head.index(f"Actor{n}{'Code' if 'Actor1Code' in head else 'CountryCode'}") for n in (1, 2)]
    return {row[0]: (row[columns[0]], row[columns[1]]) for row in rows}


def check(name: str, answer: str) -> None:
    """Compare every row whose code is that of a country with what is stored."""
    found = {row["number"]: row for row in csv.DictReader(io.StringIO(answer))}
    expected = raw_rows(name)
    assert len(expected) == GDELT[name]
    assert set(found) == set(expected)
    alone = {"CAN": "can", "GBR": "gbr", "USA": "usa", "PAK": "pak", "ROU": "rou", "ROM": "rou"}
    for number, codes in expected.items():
        for role, code in zip(("actor", "recipient"), codes, strict=True):
            if code in alone:
                assert found[number][role] == COUNTRY + alone[code], (name, number)
            elif not code:
                assert not found[number][role], (name, number)


def run(*arguments: object, given: str | None = None) -> Result:
    return CliRunner().invoke(main, list(map(str, arguments)), input=given)


def ask(text: str) -> str:
    return run("query", "-", "--format", "csv", given=text).stdout


def load_all(names: Sequence[str] = tuple(GDELT)) -> None:
    done = run("load", *(CASES / name for name in (*names, "srb-events.csv")), "--yes")
    assert done.exit_code == 0, done.output
    said = done.stderr
    for name in names:
        count = GDELT[name]
        assert f"{name} → graph:{slug(name)}" in said
        assert f"{count} rows read = {count} stored + 0 left out" in said
        check(name, ask(ACTORS % slug(name)))
    assert "b.export.CSV was left out: it is empty" in said
    assert "8 of the 61 columns" in said
    (event,) = csv.DictReader(io.StringIO(ask(EVENT)))
    assert (event["actor"], event["recipient"]) == (f"{COUNTRY}srb", f"{COUNTRY}xkx")
    between = run(
        "query", "coding-records", "--param", "a=Romania", "--param", "b=United Kingdom", "--format", "csv"
    )
    assert "719026742" in between.stdout, between.output


def test_by_command_line(folder: Path) -> None:
    load_all()


@pytest.mark.server
def test_by_command_line_through_a_server(server: Served) -> None:
    load_all(THROUGH_A_SERVER)


@pytest.mark.server
def test_a_folder_through_a_server(server: Served, tmp_path: Path) -> None:
    days = tmp_path / "days"
    days.mkdir()
    with zipfile.ZipFile(CASES / "g-two.zip") as archive:
        archive.extractall(days)
    (days / "lastupdate.txt").write_text("nothing of a table\n")
    done = run("load", days, "--source", "g-two", "--yes")
    assert done.exit_code == 0, done.output
    assert "lastupdate.txt was left out" in done.stderr
    check("g-two.zip", ask(ACTORS % "g-two"))


@pytest.mark.server
def test_over_http_and_by_the_page(server: Served) -> None:
    with httpx.Client(base_url=server.url, timeout=60, trust_env=False) as client:
        page = sign_in(client)
        for name in OVER_HTTP:
            count = GDELT[name]
            data = (CASES / name).read_bytes()
            members = ended(
                client, client.post("/load", params={"name": name}, content=data, headers=AUTHORITY)
            )
            rows = (members["rows_read"], members["rows_stored"], members["rows_left_out"])
            assert rows == (count, count, 0)
            # Storing is the same for all, and the command line does it for each of them.
            if name not in STORED_OVER_HTTP:
                continue
            stored = ended(client, client.post(members["links"]["commit"], headers=AUTHORITY))
            assert stored["state"] == "stored", stored
            check(name, server.ask(ACTORS % slug(name), headers={"Accept": "text/csv"}).text)
            sent = client.post(
                "/load",
                data={"csrf_token": page, "source": f"page-{name}"},
                files={"file": (name, data)},
                headers={"Accept": "text/html"},
            )
            ended(client, client.get(sent.headers["Location"], headers=AUTHORITY))
            shown = client.get(sent.headers["Location"], headers={"Accept": "text/html"})
            assert f"{count} rows read = {count} stored + 0 left out" in shown.text


def ended(client: httpx.Client, answer: httpx.Response) -> dict[str, Any]:
    """Return the members of a load once no process works on it."""
    assert answer.is_success, answer.text
    members: dict[str, Any] = answer.json()
    deadline = time.monotonic() + 120
    while "progress" in members and time.monotonic() < deadline:
        time.sleep(0.2)
        members = client.get(members["links"]["self"], headers=AUTHORITY).json()
    assert "progress" not in members
    return members


def sign_in(client: httpx.Client) -> str:
    client.post("/sign-in", data={"token": TOKEN, "next": "/load"})
    found = re.search(
        r'name="csrf_token" value="([^"]+)"', client.get("/load", headers={"Accept": "text/html"}).text
    )
    assert found
    return found[1]
