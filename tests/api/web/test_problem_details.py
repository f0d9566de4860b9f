"""Every error is a problem (RFC 9457), as JSON or as a page."""

from __future__ import annotations

import pytest
from flask import Flask, abort, request
from flask.testing import FlaskClient

from api.web.problem_details import status_of
from kg import errors

HTML = {"Accept": "text/html"}


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (errors.QuerySyntaxError, 400),
        (errors.ParameterError, 400),
        (errors.DataSyntaxError, 400),
        (errors.QueryRefusedError, 403),
        (errors.UnknownNameError, 404),
        (errors.NotAcceptableError, 406),
        (errors.ConflictError, 409),
        (errors.TooLargeError, 413),
        (errors.UnsupportedFormatError, 415),
        (errors.ValidationFailedError, 422),
        (errors.UnreadableRowsError, 422),
        (errors.SignInRequiredError, 401),
        (errors.WrongTokenError, 403),
        (errors.ReadOnlyError, 403),
        (errors.StoreFailedError, 500),
        (errors.StoreBusyError, 503),
    ],
)
def test_statuses(kind: type[errors.DiplographError], status: int) -> None:
    assert status_of(kind("x")) == status


def raising(app: Flask, error: BaseException) -> FlaskClient:
    @app.get("/raise")
    def _raise() -> str:
        raise error

    return app.test_client()


def test_an_error_of_ours_as_json(app: Flask) -> None:
    error = errors.QuerySyntaxError("wrong", mend="do better", line=2, column=3)
    response = raising(app, error).get("/raise", headers={"Accept": "application/json"})
    assert (response.status_code, response.mimetype) == (400, "application/problem+json")
    assert response.json == {
        "type": "https://w3id.org/diplograph/problem/query-syntax",
        "title": "The SPARQL text is malformed",
        "status": 400,
        "detail": "wrong",
        "where": "line 2, column 3",
        "mend": "do better",
        "line": 2,
        "column": 3,
    }
    assert "Accept" in response.headers["Vary"]


def test_an_error_of_ours_as_a_page_is_escaped(app: Flask) -> None:
    error = errors.ValidationFailedError("<b>", findings=("<script>1",), mend="<i>")
    response = raising(app, error).get("/raise", headers=HTML)
    assert (response.status_code, response.mimetype) == (422, "text/html")
    assert "&lt;script&gt;1" in response.text
    assert not any(tag in response.text for tag in ("<b>", "<script>1", "<i>"))


def test_findings_are_listed(app: Flask) -> None:
    response = raising(app, errors.ValidationFailedError("x", findings=("one", "two"))).get("/raise")
    assert response.json["findings"] == ["one", "two"]


@pytest.mark.parametrize("headers", [{}, HTML])
def test_an_unexpected_error_leaks_nothing_and_is_logged(
    app: Flask, headers: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    response = raising(app, ZeroDivisionError("secret of /home/me")).get("/raise", headers=headers)
    assert response.status_code == 500
    assert "secret" not in response.text and "ZeroDivision" not in response.text
    assert "secret of /home/me" in caplog.text


def test_an_address_that_is_nothing(client: FlaskClient) -> None:
    response = client.get("/no/such/thing")
    assert (response.status_code, response.mimetype) == (404, "application/problem+json")
    page = client.get("/<script>", headers=HTML)
    assert page.status_code == 404 and "<script>" not in page.text


def test_a_method_that_is_not_taken(client: FlaskClient) -> None:
    response = client.delete("/update")
    assert (response.status_code, response.mimetype) == (405, "application/problem+json")
    assert "POST" in response.headers["Allow"] and "POST" in response.json["mend"]


def test_other_http_errors_are_problems(app: Flask) -> None:
    @app.get("/abort/<int:status>")
    def _abort(status: int) -> str:
        abort(status)

    client = app.test_client()
    for status in (400, 410, 415, 429, 501):
        response = client.get(f"/abort/{status}")
        assert (response.status_code, response.mimetype) == (status, "application/problem+json")
        assert response.json["status"] == status and response.json["title"]


def test_a_redirect_is_no_problem(app: Flask) -> None:
    @app.get("/folder/", strict_slashes=True)
    def _folder() -> str:
        return "x"

    response = app.test_client().get("/folder")
    assert response.status_code == 308 and response.headers["Location"].endswith("/folder/")


def test_a_field_of_a_form_over_its_limit(app: Flask) -> None:
    @app.post("/form")
    def _form() -> str:
        return request.form["x"]

    app.config["MAX_FORM_MEMORY_SIZE"] = 10
    form = {"data": {"x": "y" * 100}, "content_type": "multipart/form-data"}
    response = app.test_client().post("/form", **form)
    assert response.status_code == 413 and "10 bytes" in response.json["detail"]


def test_every_response_bears_the_security_headers(client: FlaskClient) -> None:
    for address in ("/sparql", "/no/such/thing", "/sign-in"):
        headers = client.get(address, headers=HTML).headers
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"]
