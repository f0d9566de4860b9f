"""Who may write."""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from api.app import create_app
from api.web.auth import csrf_token, writes
from kg.settings import Settings
from kg.store import EmbeddedStore

HTML = {"Accept": "text/html"}


@pytest.fixture
def app(app: Flask) -> Flask:
    return guarded(app)


def guarded(app: Flask) -> Flask:
    @app.post("/write")
    @writes
    def _write() -> str:
        return "written"

    @app.get("/csrf")
    def _csrf() -> str:
        return csrf_token()

    return app


def sign_in(client: FlaskClient, token: str = "test-token", next_page: str = "/load"):  # type: ignore[no-untyped-def]
    return client.post("/sign-in", data={"token": token, "next": next_page})


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        ("Bearer test-token", 200),
        ("bearer test-token", 200),
        (None, 401),
        ("Bearer wrong", 403),
        ("Bearer", 403),
        ("Bearer ", 403),
        ("Bearer test-token2", 403),
        ("Bearer tést", 403),
        # RFC 7617: the base64 of user:password
        (f"Basic {b64encode(b'anyone:test-token').decode()}", 200),
        (f"Basic {b64encode(b'test-token:').decode()}", 403),
        ("Basic nonsense", 403),
        ("test-token", 403),
    ],
)
def test_the_bearer_token(client: FlaskClient, authorization: str | None, status: int) -> None:
    headers = {"Authorization": authorization} if authorization is not None else {}
    response = client.post("/write", headers=headers)
    assert response.status_code == status
    # RFC 9110 section 11.6.1: 401 comes with a challenge
    assert ("WWW-Authenticate" in response.headers) == (status == 401)


def test_the_challenge_offers_a_password_to_programs_only(client: FlaskClient) -> None:
    assert "Basic" in client.post("/write").headers["WWW-Authenticate"]
    assert "Basic" not in client.post("/write", headers={"Accept": "text/html"}).headers["WWW-Authenticate"]


def test_a_remembered_password_does_not_come_with_forms_of_other_sites(client: FlaskClient) -> None:
    headers = {"Authorization": f"Basic {b64encode(b':test-token').decode()}"}
    for site, status in (("cross-site", 403), ("same-site", 403), ("same-origin", 200), ("none", 200)):
        assert client.post("/write", headers=headers | {"Sec-Fetch-Site": site}).status_code == status


def test_the_cookie_is_for_https_where_the_client_speaks_it(client: FlaskClient) -> None:
    form = {"token": "test-token", "next": "/load"}
    assert "Secure" not in client.post("/sign-in", data=form).headers["Set-Cookie"]
    assert "Secure" in client.post("/sign-in", data=form, base_url="https://localhost").headers["Set-Cookie"]


def test_a_server_without_a_token_lets_nobody_write(store: EmbeddedStore, settings: Settings) -> None:
    client = guarded(create_app(store, replace(settings, token=""))).test_client()
    assert client.post("/write", headers={"Authorization": "Bearer "}).status_code == 403
    assert sign_in(client, token="").status_code == 403


def test_read_only_goes_before_the_token(store: EmbeddedStore, settings: Settings) -> None:
    client = guarded(create_app(store, replace(settings, read_only=True))).test_client()
    response = client.post("/write", headers={"Authorization": "Bearer test-token"})
    assert response.status_code == 403 and "read" in response.json["title"].lower()


def test_signing_in_and_out(client: FlaskClient) -> None:
    response = sign_in(client)
    assert (response.status_code, response.headers["Location"]) == (303, "/load")
    cookie = response.headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie and "test-token" not in cookie
    csrf = client.get("/csrf").text
    assert len(csrf) > 20
    assert client.post("/write", data={"csrf_token": csrf}).status_code == 200
    for data in ({}, {"csrf_token": ""}, {"csrf_token": "é"}, {"csrf_token": csrf + "x"}):
        assert client.post("/write", data=data).status_code == 403
        assert client.post("/sign-out", data=data).status_code == 403
    assert client.post("/sign-out", data={"csrf_token": csrf}).status_code == 303
    assert client.post("/write", data={"csrf_token": csrf}).status_code == 401


def test_a_copy_of_the_cookie_is_dead_after_signing_out(client: FlaskClient) -> None:
    sign_in(client)
    copy = client.get_cookie("diplograph")
    assert copy is not None
    csrf = client.get("/csrf").get_data(as_text=True)
    assert client.post("/write", data={"csrf_token": csrf}).status_code == 200
    client.post("/sign-out", data={"csrf_token": csrf})
    client.set_cookie("diplograph", copy.value)
    assert client.post("/write", data={"csrf_token": csrf}).status_code == 401
    client.delete_cookie("diplograph")
    sign_in(client)
    other = client.get("/csrf").get_data(as_text=True)
    assert client.post("/write", data={"csrf_token": other}).status_code == 200


def test_who_is_not_signed_in_has_no_csrf_token_and_no_cookie(client: FlaskClient) -> None:
    response = client.get("/csrf")
    assert response.text == "" and "Set-Cookie" not in response.headers
    assert client.post("/write", data={"csrf_token": ""}).status_code == 401


def test_signing_in_with_a_wrong_token(client: FlaskClient) -> None:
    response = sign_in(client, token="wrong")
    assert (response.status_code, response.mimetype) == (403, "application/problem+json")
    page = client.post("/sign-in", data={"token": "wrong-one", "next": "/load"}, headers=HTML)
    assert page.status_code == 403 and "wrong-one" not in page.text
    assert re.search(r'name="next"[^>]*value="/load"', page.text)
    assert client.post("/write").status_code == 401


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "javascript:alert(1)",
        " //evil.example",
        "evil.example",
        "///evil.example",
        "",
    ],
)
def test_signing_in_leads_to_no_other_server(client: FlaskClient, target: str) -> None:
    assert sign_in(client, next_page=target).headers["Location"] == "/"
    page = client.get("/sign-in", query_string={"next": target}, headers=HTML)
    assert "evil" not in page.text and "javascript:" not in page.text


def test_a_new_token_ends_the_sessions(store: EmbeddedStore, settings: Settings, client: FlaskClient) -> None:
    cookie = sign_in(client).headers["Set-Cookie"].partition(";")[0]
    csrf = client.get("/csrf").text
    for token, status in (("test-token", 200), ("another", 401)):
        other = guarded(create_app(store, replace(settings, token=token))).test_client(use_cookies=False)
        response = other.post("/write", data={"csrf_token": csrf}, headers={"Cookie": cookie})
        assert response.status_code == status


def test_the_token_is_not_logged(client: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(0)
    sign_in(client)
    client.post("/write", headers={"Authorization": "Bearer test-token"})
    client.post("/write", headers={"Authorization": "Bearer test-token-wrong"})
    assert "test-token" not in caplog.text
