"""AuthorizationCodeFlow and authorization_url, against the sandbox."""

from __future__ import annotations

import io
import subprocess
import sys
import threading
import time
from urllib.parse import parse_qsl, urlsplit

import pytest

import BlueJeansMeetingsRestApi as bluejeans
from BlueJeansMeetingsRestApi.sandbox import Sandbox
from support.browser_user import BrowserUser


def response_to(url: str, decision: str = "allow") -> str:
    """Return the URL that the browser of a user on another machine is redirected to."""
    user = BrowserUser(decision, is_elsewhere=True)
    user.sign_in(url)
    return user.address


def test_authorization_url_has_the_parameters_in_the_order_of_the_service() -> None:
    url = bluejeans.authorization_url(
        "an-id",
        "https://app.example/cb?a=b",
        "s t",
        scope="list_meetings,user_info",
        app_name="Ü & I",
        app_logo_url="https://app.example/logo.png",
    )
    assert url == (
        "https://bluejeans.com/oauth2/authorize?clientId=an-id&redirectUri=https%3A%2F%2Fapp.example%2Fcb%3Fa%3Db"
        "&state=s+t&scope=list_meetings%2Cuser_info&responseType=code&appName=%C3%9C+%26+I"
        "&appLogoUrl=https%3A%2F%2Fapp.example%2Flogo.png"
    )


def test_authorization_url_omits_parameters_without_a_value() -> None:
    url = bluejeans.authorization_url(client_id="i", redirect_uri="https://app.example", state="s")
    assert [name for name, _ in parse_qsl(urlsplit(url).query)] == ["clientId", "redirectUri", "state", "responseType"]


def test_authorization_url_equals_the_request_of_get_authorization_code(
    api: bluejeans.AuthenticationApi, configuration: bluejeans.Configuration, bluejeans_sandbox: Sandbox
) -> None:
    parameters = {
        "client_id": bluejeans_sandbox.client_id,
        "redirect_uri": bluejeans_sandbox.redirect_uri,
        "state": "s",
    }
    api.get_authorization_code(response_type="code", **parameters)  # type: ignore[arg-type]
    url = bluejeans.authorization_url(**parameters, configuration=configuration)
    path = bluejeans_sandbox.requests[0].path
    assert parse_qsl(urlsplit(url).query) == parse_qsl(urlsplit(path).query)


@pytest.mark.parametrize(
    ("host", "page"),
    [
        ("https://api.bluejeans.com/", "https://bluejeans.com/oauth2/authorize?"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/oauth2/authorize?"),
        ("https://gateway.example/bluejeans", "https://gateway.example/bluejeans/oauth2/authorize?"),
    ],
)
def test_authorization_url_is_on_the_configured_host(host: str, page: str) -> None:
    configuration = bluejeans.Configuration()
    configuration.host = host
    assert bluejeans.authorization_url("i", "https://app.example", "s", configuration=configuration).startswith(page)


def test_authorization_url_requires_a_state() -> None:
    with pytest.raises(ValueError, match="cannot be guessed"):
        bluejeans.authorization_url("i", "https://app.example", "")


def test_run_returns_credentials_of_the_user_that_refresh_themselves(
    flow: bluejeans.AuthorizationCodeFlow, api: bluejeans.AuthenticationApi, bluejeans_sandbox: Sandbox
) -> None:
    credentials = flow.run(open_browser=BrowserUser().sign_in)
    first = credentials.get_token().token
    assert api.get_token_info(access_token=first).user == bluejeans_sandbox.user_id
    credentials.invalidate()
    assert credentials.get_token().token != first


def test_run_sends_the_application_name_to_the_sign_in_page(
    flow: bluejeans.AuthorizationCodeFlow, bluejeans_sandbox: Sandbox
) -> None:
    flow.run(open_browser=BrowserUser().sign_in)
    page = next(seen for seen in bluejeans_sandbox.requests if seen.method == "GET")
    assert ("appName", "An example") in parse_qsl(urlsplit(page.path).query)


def test_token_lifetime_after_run_starts_before_the_token_request(flow: bluejeans.AuthorizationCodeFlow) -> None:
    before = time.time()
    assert before < flow.run(open_browser=BrowserUser().sign_in).get_token().expires_at < time.time() + 3600


def test_run_saves_the_sign_in_in_the_store(bluejeans_sandbox: Sandbox, api: bluejeans.AuthenticationApi) -> None:
    store = bluejeans.MemoryTokenStore()
    application = (bluejeans_sandbox.client_id, bluejeans_sandbox.client_secret)
    flow = bluejeans.AuthorizationCodeFlow(*application, api=api, store=store)
    token = flow.run(open_browser=BrowserUser().sign_in).get_token()
    assert bluejeans.RefreshTokenCredentials(*application, api=api, store=store).get_token() == token


def test_run_without_an_api_uses_the_default_configuration(
    configuration: bluejeans.Configuration, bluejeans_sandbox: Sandbox
) -> None:
    bluejeans.Configuration.set_default(configuration)
    try:
        application = (bluejeans_sandbox.client_id, bluejeans_sandbox.client_secret)
        with bluejeans.AuthorizationCodeFlow(*application).run(open_browser=BrowserUser().sign_in) as credentials:
            assert credentials.get_token().token
    finally:
        bluejeans.Configuration.set_default(None)


def test_each_run_uses_a_new_random_state(flow: bluejeans.AuthorizationCodeFlow, bluejeans_sandbox: Sandbox) -> None:
    for _ in range(2):
        flow.run(open_browser=BrowserUser().sign_in)
    pages = [seen.path for seen in bluejeans_sandbox.requests if seen.method == "GET"]
    states = {dict(parse_qsl(urlsplit(path).query))["state"] for path in pages}
    assert len(states) == 2
    assert all(len(state) >= 43 for state in states)


def test_run_leaves_no_thread_behind() -> None:
    with Sandbox(process=True) as sandbox:  # its threads are in another process
        configuration = bluejeans.Configuration()
        configuration.host = sandbox.url
        with bluejeans.AuthenticationApi(bluejeans.ApiClient(configuration)) as api:
            before = set(threading.enumerate())
            flow = bluejeans.AuthorizationCodeFlow(sandbox.client_id, sandbox.client_secret, api=api)
            flow.run(open_browser=BrowserUser().sign_in)
            for thread in set(threading.enumerate()) - before:
                thread.join(10)
            assert set(threading.enumerate()) <= before


def test_exception_of_the_browser_function_is_raised_by_run(flow: bluejeans.AuthorizationCodeFlow) -> None:
    def open_browser(url: str) -> None:
        raise LookupError("from the function")

    with pytest.raises(LookupError, match="from the function"):
        flow.run(open_browser=open_browser)


@pytest.mark.parametrize("timeout", [0, -1, float("nan")])
def test_run_refuses_an_invalid_timeout(flow: bluejeans.AuthorizationCodeFlow, timeout: float) -> None:
    with pytest.raises(ValueError, match="timeout"):
        flow.run(timeout)


def test_redirect_uri_on_another_machine_requires_a_terminal(
    bluejeans_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    flow = bluejeans.AuthorizationCodeFlow("i", "s", bluejeans_sandbox.redirect_uri)
    with pytest.raises(ValueError, match="requires a terminal"):
        flow.run(open_browser=False)


def test_exchange_returns_credentials_of_the_user(
    flow: bluejeans.AuthorizationCodeFlow, api: bluejeans.AuthenticationApi
) -> None:
    response_url = response_to(flow.authorization_url("session-state"))
    credentials = flow.exchange(response_url, state="session-state")
    assert api.get_token_info(access_token=credentials.get_token().token).user == 1442589


def test_exchange_without_state_accepts_the_generated_state_once(flow: bluejeans.AuthorizationCodeFlow) -> None:
    response_url = response_to(flow.authorization_url())
    assert flow.exchange(response_url).get_token().token
    with pytest.raises(ValueError, match="accepted once"):
        flow.exchange(response_url)


@pytest.mark.parametrize("state", ["another", ""])
def test_exchange_refuses_a_different_state(
    flow: bluejeans.AuthorizationCodeFlow, bluejeans_sandbox: Sandbox, state: str
) -> None:
    response_url = response_to(flow.authorization_url("session-state"))
    with pytest.raises(ValueError, match="state"):
        flow.exchange(response_url, state=state)
    assert [seen for seen in bluejeans_sandbox.requests if seen.grant] == []


def test_exchange_raises_reauthentication_required_if_the_user_denied(flow: bluejeans.AuthorizationCodeFlow) -> None:
    response_url = response_to(flow.authorization_url("session-state"), "deny")
    with pytest.raises(bluejeans.ReauthenticationRequired, match="access was denied"):
        flow.exchange(response_url, state="session-state")


def test_exchange_of_an_expired_code_raises_reauthentication_required(
    flow: bluejeans.AuthorizationCodeFlow, bluejeans_sandbox: Sandbox
) -> None:
    response_url = response_to(flow.authorization_url("s"))
    bluejeans_sandbox.advance(31)
    with pytest.raises(bluejeans.ReauthenticationRequired, match="older than 30 seconds"):
        flow.exchange(response_url, state="s")


def test_repr_of_the_flow_contains_no_secret() -> None:
    flow = bluejeans.AuthorizationCodeFlow("an-id", "a-secret", "https://app.example/callback")
    assert repr(flow) == "AuthorizationCodeFlow('an-id', ..., redirect_uri='https://app.example/callback')"


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (("", "s"), "client_id"),
        (("i", ""), "client_secret"),
        (("i", "s", "callback"), "redirect_uri"),
        (("i", "s", "ftp://127.0.0.1/callback"), "redirect_uri"),
    ],
)
def test_flow_refuses_invalid_arguments(arguments: tuple[str, ...], name: str) -> None:
    with pytest.raises(ValueError, match=name):
        bluejeans.AuthorizationCodeFlow(*arguments)


def test_web_application_does_not_import_an_http_server() -> None:
    program = (
        "import sys, BlueJeansMeetingsRestApi as b\n"
        "b.AuthorizationCodeFlow('i', 's', 'https://app.example').authorization_url('s')\n"
        "print('http.server' in sys.modules)"
    )
    completed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert completed.stdout == "False\n"
