"""The door of loading: preview, commit, history, and every way in which it says no."""

import dataclasses
import io
import re
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from api.app import create_app
from api.loading import load_jobs as jobs
from kg.load import Loads, silent
from kg.load.load_folder import KEPT_SECONDS
from kg.reasoning import Entailments
from kg.settings import Settings
from kg.store import EmbeddedStore
from kg.terms import GRAPH, ID
from kg.validation.piecewise import PiecewiseValidation

FILE = Path(__file__).parents[2] / "fixtures" / "new-event.ttl"
TEXT = FILE.read_text(encoding="utf-8")
TOKEN = {"Authorization": "Bearer test-token"}
HTML = {"Accept": "text/html"}
EVENT = f"{ID}event/norway-kenya-port-accord"


def post(client: FlaskClient, data: str | bytes = TEXT, **options: Any) -> Any:
    options = {
        "headers": TOKEN,
        "content_type": "text/turtle",
        "query_string": {"name": "new-event.ttl"},
    } | options
    return client.post("/load", data=data, **options)


def stored(store: EmbeddedStore) -> bool:
    return store.query(f"ASK {{ <{EVENT}> ?p ?o }}").truth()


def sign_in(client: FlaskClient) -> str:
    client.post("/sign-in", data={"token": "test-token", "next": "/load"})
    page = client.get("/load", headers=HTML).get_data(as_text=True)
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found
    return found.group(1)


def test_preview_then_commit(client: FlaskClient, store: EmbeddedStore) -> None:
    preview = post(client)
    assert preview.status_code == 201
    members = preview.get_json()
    assert members["graph"] == f"{GRAPH}new-event"
    assert members["removed"] == 0
    assert members["findings"] == []
    assert {"type", "label", "new", "changed", "unchanged", "gone"} <= set(members["counts"][0])
    assert preview.headers["Location"] == members["links"]["self"]
    assert client.get(members["links"]["self"]).get_json() == members
    assert not stored(store)
    done = client.post(members["links"]["commit"], headers=TOKEN)
    assert done.status_code == 200
    load = done.get_json()
    assert load["added"] == members["added"]
    assert stored(store)
    assert client.get(load["links"]["self"]).get_json()["iri"] == load["iri"]
    assert [entry["id"] for entry in client.get("/loads").get_json()["loads"]] == [load["id"]]


def test_the_same_file_twice_changes_nothing(client: FlaskClient, store: EmbeddedStore) -> None:
    client.post(post(client).get_json()["links"]["commit"], headers=TOKEN)
    before = set(map(str, store.engine))
    again = post(client).get_json()
    assert again["unchanged"] is True
    done = client.post(again["links"]["commit"], headers=TOKEN)
    assert done.get_json() == {"unchanged": True, "graph": f"{GRAPH}new-event", "load": None}
    assert set(map(str, store.engine)) == before


def test_a_form_with_a_file(client: FlaskClient, store: EmbeddedStore) -> None:
    csrf = sign_in(client)
    data = {"file": (io.BytesIO(TEXT.encode()), "new-event.ttl"), "source": "gazette", "csrf_token": csrf}
    sent = client.post("/load", data=data, headers=HTML)
    assert sent.status_code == 303
    page = client.get(sent.location, headers=HTML).get_data(as_text=True)
    assert "not stored yet" in page
    assert "graph:gazette" in page
    assert not stored(store)
    done = client.post(f"{sent.location}/commit", data={"csrf_token": csrf}, headers=HTML)
    assert done.status_code == 303
    assert stored(store)
    assert "new-event.ttl" in client.get(done.location, headers=HTML).get_data(as_text=True)
    assert done.location in client.get("/loads", headers=HTML).get_data(as_text=True)


def test_a_form_of_another_page_is_refused(client: FlaskClient, store: EmbeddedStore) -> None:
    sign_in(client)
    data = {"file": (io.BytesIO(TEXT.encode()), "new-event.ttl")}
    assert client.post("/load", data=data, headers=HTML).status_code == 403
    assert not stored(store)


def test_the_form_page_asks_strangers_to_sign_in(client: FlaskClient) -> None:
    page = client.get("/load", headers=HTML).get_data(as_text=True)
    assert 'href="/sign-in?next=/load"' in page
    assert 'type="file"' not in page


@pytest.mark.parametrize("ending", ["csv", "tsv", "xlsx"])
def test_the_form_page_leads_to_a_table_that_can_be_filled_in(client: FlaskClient, ending: str) -> None:
    page = client.get("/load", headers=HTML).get_data(as_text=True)
    address = f"/load/template.{ending}"
    assert f'href="{address}"' in page
    answer = client.get(address)
    assert f"events.{ending}" in answer.headers["Content-Disposition"]
    empty = client.post("/load", data=answer.data, headers=TOKEN, query_string={"name": f"mine.{ending}"})
    assert (empty.status_code, empty.json["detail"]) == (422, "it has no rows")
    if ending == "csv":
        rows = answer.get_data(as_text=True).splitlines()[0].split(",")
        values = {"label": "a visit", "actors": "Norway", "type": "CONSULT", "date": "2019-05-06"}
        filled = answer.data + (",".join(values.get(name, "") for name in rows) + "\n").encode()
        preview = client.post("/load", data=filled, headers=TOKEN, query_string={"name": "mine.csv"})
        assert preview.status_code == 201
        assert preview.json["counts"]


@pytest.mark.parametrize(("headers", "status"), [({}, 401), ({"Authorization": "Bearer wrong"}, 403)])
def test_writing_needs_the_token(client: FlaskClient, headers: dict[str, str], status: int) -> None:
    members = post(client).get_json()
    assert post(client, headers=headers).status_code == status
    refused = client.post(members["links"]["commit"], headers=headers)
    assert refused.status_code == status
    assert refused.get_json()["mend"]


@pytest.mark.parametrize(
    ("options", "status", "words"),
    [
        ({"data": b""}, 400, "empty"),
        ({"data": TEXT.replace("dg:saidBy id:", "dg:saidBy")}, 400, "new-event.ttl, line"),
        ({"data": TEXT.encode("utf-16")}, 400, "UTF-16"),
        ({"data": TEXT.replace("sign", "sígn").encode("latin-1")}, 400, "0xed"),
        ({"content_type": "image/png", "query_string": {"source": "x"}}, 415, "image/png"),
        (
            {"content_type": "application/x-www-form-urlencoded", "query_string": {"source": "x"}},
            415,
            "syntax",
        ),
        ({"query_string": {"source": "x", "format": "docx"}}, 415, "docx"),
        ({"query_string": {}}, 400, "source"),
        ({"query_string": {"source": "graph:ontology"}}, 400, "maintained by diplograph"),
        ({"data": {"source": "x"}, "content_type": "multipart/form-data"}, 400, "no file"),
    ],
)
def test_bad_requests(
    client: FlaskClient, store: EmbeddedStore, options: dict[str, Any], status: int, words: str
) -> None:
    before = set(map(str, store.engine))
    answer = post(client, **options)
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    problem = answer.get_json()
    assert words in f"{problem.get('where')} {problem['detail']}"
    assert problem["mend"]
    assert set(map(str, store.engine)) == before


def test_malformed_data_is_told_by_line_and_column(client: FlaskClient) -> None:
    text = TEXT + "\nid:x dg:"
    problem = post(client, text).get_json()
    assert problem["line"] == text.count("\n") + 1
    assert problem["column"] > 1


def test_a_wrong_date_is_told_by_line_node_shape_and_reason(
    client: FlaskClient, store: EmbeddedStore
) -> None:
    answer = post(client, TEXT.replace('dg:end "2018-03-14"', 'dg:end "14.3.2018"'))
    assert answer.status_code == 422
    [finding] = answer.get_json()["findings"]
    line = TEXT[: TEXT.index("dg:end")].count("\n") + 1
    for part in (f"line {line}", "id:time/2018-03-14", "shape: ", "xsd:date"):
        assert part in finding
    assert not stored(store)


def test_findings_are_shown_to_people(client: FlaskClient) -> None:
    csrf = sign_in(client)
    text = TEXT.replace("plover-agree", "plover-aggree")
    data = {"file": (io.BytesIO(text.encode()), "new-event.ttl"), "csrf_token": csrf}
    answer = client.post("/load", data=data, headers=HTML)
    assert answer.status_code == 422
    assert "plover-aggree" in answer.get_data(as_text=True)


def test_a_wrong_file_leads_back_to_the_form(client: FlaskClient) -> None:
    csrf = sign_in(client)
    for name, content in (("broken.ttl", b"<a> <b> oops ."), ("picture.csv", b"\x89PNG\r\n\x00\x00")):
        data = {"file": (io.BytesIO(content), name), "csrf_token": csrf}
        answer = client.post("/load", data=data, headers=HTML)
        page = answer.get_data(as_text=True)
        assert answer.status_code in (400, 415, 422)
        assert name in page and 'href="/load"' in page


def test_a_body_over_the_limit(store: EmbeddedStore, settings: Settings) -> None:
    small = create_app(store, dataclasses.replace(settings, max_upload=100)).test_client()
    answer = post(small)
    assert answer.status_code == 413
    assert "100 bytes" in answer.get_json()["detail"]


def test_reading_only(store: EmbeddedStore, settings: Settings) -> None:
    reading = create_app(store, dataclasses.replace(settings, read_only=True)).test_client()
    assert post(reading).status_code == 403


def test_a_plan_that_is_overtaken_is_a_conflict(client: FlaskClient, store: EmbeddedStore) -> None:
    first, second = post(client).get_json(), post(client, TEXT.replace("Ferries", "Boats")).get_json()
    assert client.post(second["links"]["commit"], headers=TOKEN).status_code == 200
    before = set(map(str, store.engine))
    assert client.post(first["links"]["commit"], headers=TOKEN).status_code == 409
    assert set(map(str, store.engine)) == before


def test_a_plan_is_carried_out_once(client: FlaskClient) -> None:
    commit = post(client).get_json()["links"]["commit"]
    assert client.post(commit, headers=TOKEN).status_code == 200
    assert client.post(commit, headers=TOKEN).status_code == 409


@pytest.mark.parametrize("path", ["/loads/nothing", "/loads/%7D%20UNION%20%7B"])
def test_an_unknown_load(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_file_names_are_shown_as_text(client: FlaskClient, app: Flask) -> None:
    csrf = sign_in(client)
    data = {"file": (io.BytesIO(TEXT.encode()), "<b>x</b>.ttl"), "source": "x", "csrf_token": csrf}
    page = client.get(client.post("/load", data=data, headers=HTML).location, headers=HTML)
    assert b"<b>x" not in page.data


def test_previews_expire_and_stored_loads_do_not(client: FlaskClient, settings: Settings) -> None:
    stored_one = post(client).get_json()
    client.post(stored_one["links"]["commit"], headers=TOKEN)
    waiting = post(client, TEXT.replace("Ferries", "Boats")).get_json()
    loads = Loads(settings.data / "loads")
    loads.tidy()
    assert client.get(waiting["links"]["self"]).status_code == 200
    loads.tidy(now=time.time() + KEPT_SECONDS + 1)
    assert client.get(waiting["links"]["self"]).status_code == 404
    assert client.get(stored_one["links"]["self"]).status_code == 200


def test_a_load_is_undone_and_its_page_says_so(client: FlaskClient, store: EmbeddedStore) -> None:
    Entailments().ensure(store)
    before = {str(quad) for quad in store.engine if "graph/loads" not in str(quad.graph_name)}
    members = post(client).get_json()
    done = client.post(members["links"]["commit"], headers=TOKEN).get_json()
    assert done["id"] == members["id"]
    undone = client.post(done["links"]["undo"], headers=TOKEN)
    assert undone.status_code == 200
    assert undone.get_json()["kept"] == []
    assert {str(quad) for quad in store.engine if "graph/loads" not in str(quad.graph_name)} == before
    assert "was undone" in client.get(done["links"]["self"], headers=HTML).get_data(as_text=True)
    assert client.get("/loads").get_json()["loads"][0]["undone"]
    assert client.post(done["links"]["undo"], headers=TOKEN).status_code == 409


def test_undo_needs_the_token(client: FlaskClient, store: EmbeddedStore) -> None:
    done = client.post(post(client).get_json()["links"]["commit"], headers=TOKEN).get_json()
    for action in ("undo", "cancel", "commit"):
        assert client.post(f"{done['links']['self']}/{action}").status_code == 401
    assert stored(store)


def test_a_preview_can_be_dropped(client: FlaskClient, store: EmbeddedStore, settings: Settings) -> None:
    members = post(client).get_json()
    assert client.post(members["links"]["cancel"], headers=TOKEN).get_json()["state"] == "cancelled"
    assert client.get(members["links"]["self"]).status_code == 404
    assert not stored(store)
    assert [path.name for path in (settings.data / "loads").glob("*")] == []


def test_an_unticked_event_is_left_out_with_its_claims(client: FlaskClient, store: EmbeddedStore) -> None:
    csrf = sign_in(client)
    data = {"file": (io.BytesIO(TEXT.encode()), "new-event.ttl"), "csrf_token": csrf}
    sent = client.post("/load", data=data, headers=HTML)
    page = client.get(sent.location, headers=HTML).get_data(as_text=True)
    listed = re.findall(r'name="listed" value="([^"]+)"', page)
    assert EVENT in listed
    fields = {"csrf_token": csrf, "listed": listed, "keep": []}
    done = client.post(f"{sent.location}/commit", data=fields, headers=HTML)
    assert done.status_code == 303
    assert not stored(store)
    assert not store.query(f"ASK {{ <{ID}claim/norway-kenya-port-accord> ?p ?o }}").truth()
    assert not store.query(f"ASK {{ <{ID}interaction/norway-kenya-port-accord> ?p ?o }}").truth()
    assert store.query(f"ASK {{ <{ID}source/fjord-gazette-port-accord> ?p ?o }}").truth()
    assert "Skipped" in client.get(done.location, headers=HTML).get_data(as_text=True)


def test_leaving_out_what_is_not_there_is_told(client: FlaskClient, store: EmbeddedStore) -> None:
    members = post(client).get_json()
    answer = client.post(members["links"]["commit"], headers=TOKEN, query_string={"skip": f"{ID}event/x"})
    assert answer.status_code == 404
    assert not stored(store)
    assert client.post(members["links"]["commit"], headers=TOKEN).status_code == 200


def test_a_long_load_is_a_job_whose_page_refreshes(
    client: FlaskClient, store: EmbeddedStore, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()

    def slow(*args: Any, **options: Any) -> Any:
        assert go_on.wait(60)
        return PiecewiseValidation(*args, **options)

    monkeypatch.setattr("kg.load.staged.staging_rdf.PiecewiseValidation", slow)
    monkeypatch.setattr(jobs.run, "__kwdefaults__", {"wait": 0.05})
    started = post(client)
    assert started.status_code == 202
    place = started.get_json()["links"]["self"]
    assert client.get(place).get_json()["state"] == "reading"
    page = client.get(place, headers=HTML)
    assert 'http-equiv="refresh"' in page.get_data(as_text=True)
    assert client.post(f"{place}/commit", headers=TOKEN).status_code == 409
    go_on.set()
    members = wait(client, place)
    assert members["state"] == "ready"
    assert client.post(f"{place}/commit", headers=TOKEN).status_code in (200, 202)
    assert wait(client, place)["state"] == "stored"
    assert stored(store)


def test_cancelling_a_load_under_way_leaves_nothing(
    client: FlaskClient, store: EmbeddedStore, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()

    def slow(*args: Any, **options: Any) -> Any:
        assert go_on.wait(60)
        return PiecewiseValidation(*args, **options)

    monkeypatch.setattr("kg.load.staged.staging_rdf.PiecewiseValidation", slow)
    monkeypatch.setattr(jobs.run, "__kwdefaults__", {"wait": 0.05})
    place = post(client).get_json()["links"]["self"]
    assert client.post(f"{place}/cancel", headers=TOKEN).status_code == 202
    go_on.set()
    members = wait(client, place)
    assert members["state"] == "cancelled"
    assert not stored(store)
    names = {path.name for path in (settings.data / "loads" / members["id"]).iterdir()}
    assert {name for name in names if not name.endswith("lock")} == {"state.json"}


def test_two_loads_at_once_go_one_after_the_other(client: FlaskClient, store: EmbeddedStore) -> None:
    places = []
    for number in range(3):
        text = TEXT.replace("norway-kenya", f"norway-kenya-{number}")
        places.append(post(client, text, query_string={"source": f"s{number}", "name": "x.ttl"}).get_json())
    answers: list[int] = []
    threads = [
        threading.Thread(
            target=lambda place=place: answers.append(
                client.application.test_client().post(place["links"]["commit"], headers=TOKEN).status_code
            )
        )
        for place in places
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(answers) <= {200, 202}
    assert {wait(client, place["links"]["self"])["state"] for place in places} == {"stored"}
    assert len(client.get("/loads").get_json()["loads"]) == 3


def wait(client: FlaskClient, place: str) -> dict[str, Any]:
    """What a load says when nothing is under way."""
    until = time.monotonic() + 120
    while time.monotonic() < until:
        members: dict[str, Any] = client.get(place).get_json()
        if "progress" not in members:
            return members
        time.sleep(0.05)
    raise AssertionError("the load does not end")


def test_a_load_is_under_way_until_it_can_be_searched_and_an_undo_waits_for_that(
    settings: Settings, store: EmbeddedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached, may_go_on = threading.Event(), threading.Event()

    class Blocking:
        def follow(self, store: object, change: object) -> None:
            reached.set()
            may_go_on.wait(30)

    app = create_app(store, settings)
    here = app.extensions["diplograph"]
    app.extensions["diplograph"] = dataclasses.replace(here, followers=(Blocking(),))
    client = app.test_client()
    commit = post(client).get_json()["links"]["commit"]
    monkeypatch.setattr(jobs.run, "__kwdefaults__", {"wait": 0.5})
    done = client.post(commit, headers=TOKEN)
    assert reached.wait(30)
    place = done.get_json()["links"]["self"]
    assert (done.status_code, done.get_json()["state"]) == (202, "following")
    assert "progress" in client.get(place).get_json()
    undo = client.post(f"{place}/undo", headers=TOKEN)
    assert (undo.status_code, undo.get_json()["state"]) == (202, "following")
    assert "progress" in client.get(place).get_json()
    may_go_on.set()
    until = time.monotonic() + 30
    while (members := client.get(place).get_json())["state"] != "undone" and time.monotonic() < until:
        time.sleep(0.05)
    assert members["state"] == "undone"
    assert not stored(store)


def test_a_commit_that_waits_says_so_and_one_that_fails_later_says_why(
    client: FlaskClient, store: EmbeddedStore, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two loads of one source behind a third: the second one is refused, and never looks stored."""
    monkeypatch.setattr(jobs.run, "__kwdefaults__", {"wait": 0.05})
    places = []
    for number in (1, 2):
        text = TEXT.replace("norway-kenya", f"norway-kenya-{number}")
        made = post(client, text, query_string={"source": "s", "name": "x.ttl"}).get_json()
        places.append(made["links"]["self"])
        assert wait(client, places[-1])["state"] == "ready"
    with Loads(settings.data / "loads").storing(silent):
        for ahead, place in enumerate(places, 1):
            answer = client.post(f"{place}/commit", headers=TOKEN)
            assert (answer.status_code, answer.get_json()["state"]) == (202, "waiting")
            assert client.post(f"{place}/commit", headers=TOKEN).status_code == 409
            until = time.monotonic() + 30
            while str(ahead) not in client.get(place).get_json()["progress"]["phase"]:
                assert time.monotonic() < until
                time.sleep(0.05)
        assert client.post(f"{places[0]}/undo", headers=TOKEN).get_json()["state"] == "waiting"
    ended = [wait(client, place) for place in reversed(places)]
    assert [one["state"] for one in ended] == ["failed", "undone"]
    assert ended[0]["problem"]["kind"] == "ConflictError"
    assert "commit" in ended[0]["links"]
    assert "changed after the preview" in client.get(places[1], headers=HTML).get_data(as_text=True)
    assert not stored(store)
