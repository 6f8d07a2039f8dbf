"""My login page handles denied access and expired codes."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
import urllib3
from flask.testing import FlaskClient
from login import create_app

import BlueJeansMeetingsRestApi as bluejeans
from BlueJeansMeetingsRestApi.sandbox import Sandbox


@pytest.fixture
def visitor(bluejeans_sandbox: Sandbox, bluejeans_api: bluejeans.AuthenticationApi) -> FlaskClient:
    sandbox = bluejeans_sandbox
    app = create_app(bluejeans_api, sandbox.client_id, sandbox.client_secret, sandbox.redirect_uri)
    return app.test_client()


def decide(visitor: FlaskClient, sandbox: Sandbox, decision: str) -> str:
    """Open the login page, decide on the page of the sandbox, and return the target of the final redirect."""
    query = dict(parse_qsl(urlsplit(visitor.get("/login").location).query))
    form = {**query, "username": sandbox.username, "password": sandbox.password, "decision": decision}
    with urllib3.PoolManager() as http:
        response = http.request(
            "POST",
            f"{sandbox.url}/oauth2/authorize",
            body=urlencode(form),
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            redirect=False,
        )
    target = urlsplit(response.headers["Location"])
    return f"{target.path}?{target.query}"


def test_my_login_page_handles_denied_access(visitor: FlaskClient, bluejeans_sandbox: Sandbox) -> None:
    page = visitor.get(decide(visitor, bluejeans_sandbox, "deny"))
    assert (page.status_code, page.text[:21]) == (403, "You did not allow it.")


def test_my_login_page_welcomes_the_user_after_consent(visitor: FlaskClient, bluejeans_sandbox: Sandbox) -> None:
    page = visitor.get(decide(visitor, bluejeans_sandbox, "allow"))
    assert page.text == f"Welcome, user {bluejeans_sandbox.user_id}."


def test_my_login_page_refuses_an_expired_code(visitor: FlaskClient, bluejeans_sandbox: Sandbox) -> None:
    target = decide(visitor, bluejeans_sandbox, "allow")
    bluejeans_sandbox.advance(30)
    assert visitor.get(target).status_code == 401


def test_my_login_page_refuses_a_callback_with_an_unknown_state(
    visitor: FlaskClient, bluejeans_sandbox: Sandbox
) -> None:
    assert visitor.get(f"/callback?code={bluejeans_sandbox.authorize()}&state=made-up").status_code == 400
