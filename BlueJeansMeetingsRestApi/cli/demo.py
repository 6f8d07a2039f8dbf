"""`bluejeans-auth demo`: each of the eight operations over a real socket, and what came back, checked."""

from __future__ import annotations

import argparse
import contextlib
import html.parser
import logging
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import urllib3

from .. import models
from ..api.authentication_api import AuthenticationApi
from ..api_client import ApiClient
from ..configuration import PACKAGE_LOGGER, Configuration
from ..environment import setting, setting_name
from ..exceptions import ApiException, BadRequestError, UnauthorizedError
from ..redaction import redact

VARIABLES = (
    "BLUEJEANS_CLIENT_ID",
    "BLUEJEANS_CLIENT_SECRET",
    "BLUEJEANS_USERNAME",
    "BLUEJEANS_PASSWORD",
    "BLUEJEANS_MEETING_ID",
    "BLUEJEANS_MEETING_PASSCODE",
    "BLUEJEANS_CODE",
    "BLUEJEANS_REDIRECT_URI",
)


def command(arguments: argparse.Namespace) -> int:
    """Run the demo as the command line says."""
    return run(arguments.host, arguments.ca)


def run(host: str | None = None, ca: str | None = None) -> int:
    """Run the demo against `host`, or against a sandbox started for it. Returns 0 if all that was checked held."""
    if host:
        found = {name: setting(name.removeprefix(setting_name(""))) for name in VARIABLES}
        return _Demo(host, ca, {name: value for name, value in found.items() if value}).run()
    from ..sandbox import Sandbox

    with Sandbox() as sandbox:
        print(f"A sandbox of the service runs at {sandbox.url}, with users and meetings of its own.")
        values = {
            "BLUEJEANS_CLIENT_ID": sandbox.client_id,
            "BLUEJEANS_CLIENT_SECRET": sandbox.client_secret,
            "BLUEJEANS_USERNAME": sandbox.username,
            "BLUEJEANS_PASSWORD": sandbox.password,
            "BLUEJEANS_MEETING_ID": sandbox.meeting_numeric_id,
            "BLUEJEANS_MEETING_PASSCODE": sandbox.moderator_passcode,
            "BLUEJEANS_REDIRECT_URI": sandbox.redirect_uri,
        }
        return _Demo(sandbox.url, sandbox.ca_cert, values, signs_in=True).run()


class _Demo:
    """Calls one operation after the other, prints each request with its answer, and remembers what was checked."""

    def __init__(self, host: str, ca: str | None, values: Mapping[str, str], *, signs_in: bool = False) -> None:
        configuration = Configuration()
        configuration.host = host
        configuration.ssl_ca_cert = ca
        configuration.trust_env = not signs_in  # no proxy leads to a sandbox on this machine
        self.client = ApiClient(configuration)
        self.api = AuthenticationApi(self.client)
        self.values = values
        self.signs_in = signs_in
        self.checked: list[tuple[str, bool]] = []

    def run(self) -> int:
        with self.client, _requests_shown():
            self.code_flow()
            self.client_grant()
            self.password_grant()
            self.meeting_grant()
        held = sum(ok for _, ok in self.checked)
        print(f"\nChecked, {held} of {len(self.checked)} held:")
        for what, ok in self.checked:
            print(f"  {'ok    ' if ok else 'FAILED'}  {what}")
        if not self.checked:
            print(f"  nothing: set some of {', '.join(VARIABLES)}", file=sys.stderr)
            return 2
        return 0 if held == len(self.checked) else 1

    def check(self, what: str, ok: bool) -> None:
        self.checked.append((what, ok))

    def call(self, what: str, operation: Callable[[], Any], holds: Callable[[Any], bool]) -> Any:
        """Call an operation, show its result, and note whether it holds. Returns the result; None if it failed."""
        try:
            result = operation()
        except ApiException as error:
            print(f"     {' '.join(str(error).split())}")
            self.check(what, False)
            return None
        if result is not None:
            print(f"     {' '.join(str(redact(result)).split())}")
        try:
            self.check(what, holds(result))
        except (AttributeError, KeyError, TypeError):  # an answer without what is looked at
            self.check(what, False)
        return result

    def refuses(self, what: str, operation: Callable[[], Any], kind: type[ApiException]) -> None:
        try:
            operation()
        except kind as error:
            print(f"     refused, as it should be: {' '.join(str(error).split())}")
            self.check(what, True)
        except ApiException as error:
            print(f"     {' '.join(str(error).split())}")
            self.check(what, False)
        else:
            self.check(what, False)

    def given(self, operations: str, *names: str) -> bool:
        missing = [name for name in names if not self.values.get(name)]
        print(f"\n{operations}" + (f": left out, for want of {', '.join(missing)}" if missing else ""))
        return not missing

    def code_flow(self) -> None:
        names = ("BLUEJEANS_CLIENT_ID", "BLUEJEANS_CLIENT_SECRET", "BLUEJEANS_REDIRECT_URI")
        if not self.given("A user signs in in a browser and allows an application to act for them", *names):
            return
        client_id, client_secret, redirect_uri = (self.values[name] for name in names)
        state = os.urandom(8).hex()
        self.call(
            "get_authorization_code fetches the page for the browser",
            lambda: self.api.get_authorization_code(
                client_id=client_id, redirect_uri=redirect_uri, state=state, scope="list_meetings,user_info",
                response_type="code", app_name="Demo",
            ),
            lambda _: self.client.last_response.status in range(200, 400),
        )  # fmt: skip
        code = self.values.get("BLUEJEANS_CODE")
        if self.signs_in:
            answered = parse_qs(urlsplit(self.submit_page()).query)
            code = answered.get("code", [""])[0]
            self.check("the browser comes back with a code and the state", bool(code) and answered["state"] == [state])
        if not code:
            print("     the exchange of a code is left out, for want of BLUEJEANS_CODE")
            return
        grant = self.call(
            "get_token_by_code exchanges the code",
            lambda: self.api.get_token_by_code(
                models.GrantRequestCode(
                    client_id=client_id, client_secret=client_secret, redirect_uri=redirect_uri, code=code
                )
            ),
            lambda grant: bool(grant.refresh_token) and grant.expires_in > 0,
        )
        if grant is None:
            return
        self.call(
            "get_token_info knows the token and whose it is",
            lambda: self.api.get_token_info(access_token=grant.access_token),
            lambda info: info.user == grant.scope.user,
        )
        self.client.configuration.api_key["access_token"] = grant.access_token
        refreshed = self.call(
            "get_token_by_refresh gives another token",
            lambda: self.api.get_token_by_refresh(
                models.GrantRequestRefresh(
                    client_id=client_id, client_secret=client_secret, refresh_token=grant.refresh_token
                )
            ),
            lambda refreshed: refreshed.access_token != grant.access_token,
        )
        if refreshed is None:
            return
        self.show_user("GET /v1/user/{id} takes the token of the code grant", refreshed)
        revoke = models.GrantRequestRevoke(client_id=client_id, client_secret=client_secret)
        token = refreshed.access_token
        self.call(
            "revoke_access_token takes the token back",
            lambda: self.api.revoke_access_token(revoke, access_token=token),
            lambda _: self.client.last_response.status == 204,
        )
        self.refuses(
            "a token is not revoked twice",
            lambda: self.api.revoke_access_token(revoke, access_token=token),
            BadRequestError,
        )
        self.refuses(
            "a revoked token is not valid", lambda: self.api.get_token_info(access_token=token), UnauthorizedError
        )

    def client_grant(self) -> None:
        names = ("BLUEJEANS_CLIENT_ID", "BLUEJEANS_CLIENT_SECRET")
        if not self.given("A backend service gets a token for its enterprise", *names):
            return
        client_id, client_secret = (self.values[name] for name in names)
        request = models.GrantRequestClient(client_id=client_id, client_secret=client_secret)
        self.call(
            "get_token_by_client gives a token for the enterprise",
            lambda: self.api.get_token_by_client(request),
            lambda grant: isinstance(grant.scope.enterprise, int),
        )

    def password_grant(self) -> None:
        names = ("BLUEJEANS_USERNAME", "BLUEJEANS_PASSWORD")
        if not self.given("A script gets a token with a user's name and password", *names):
            return
        username, password = (self.values[name] for name in names)
        grant = self.call(
            "get_token_by_password gives a token for the user",
            lambda: self.api.get_token_by_password(models.GrantRequestPassword(username=username, password=password)),
            lambda grant: isinstance(grant.scope.user, int),
        )
        if grant is not None:
            self.show_user("GET /v1/user/{id} takes the token of the password grant", grant)

    def meeting_grant(self) -> None:
        if not self.given("A token for one meeting", "BLUEJEANS_MEETING_ID"):
            return
        number, passcode = self.values["BLUEJEANS_MEETING_ID"], self.values.get("BLUEJEANS_MEETING_PASSCODE")
        self.call(
            "get_token_by_meeting gives a token for that meeting",
            lambda: self.api.get_token_by_meeting(
                models.GrantRequestMeeting(meeting_numeric_id=number, meeting_passcode=passcode)
            ),
            lambda grant: grant.scope.meeting.meeting_numeric_id == number,
        )

    def show_user(self, what: str, grant: Any) -> None:
        """What a token is for: another endpoint of the service, by its path."""
        user = getattr(grant.scope, "user", None)
        self.call(
            what,
            lambda: self.client.call_api(
                "/v1/user/{id}",
                "GET",
                path_params={"id": user},
                header_params={"Accept": "application/json", "Authorization": f"Bearer {grant.access_token}"},
                response_type="object",
                _return_http_data_only=True,
            ),
            lambda answer: answer["id"] == user,
        )

    def submit_page(self) -> str:
        """Fill in the page that came last, as a person would, and return where the browser is sent."""
        page = _Form()
        page.feed(self.client.last_response.data)
        page.fields["username"] = self.values["BLUEJEANS_USERNAME"]
        page.fields["password"] = self.values["BLUEJEANS_PASSWORD"]
        page.fields["decision"] = "allow"
        answer = urllib3.PoolManager().request(
            "POST",
            f"{self.client.configuration.base_url}/oauth2/authorize",
            body=urlencode(page.fields),
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            redirect=False,
        )
        print(f"     the page's form, sent back -> {answer.status}")
        return str(answer.headers.get("Location", ""))


class _Form(html.parser.HTMLParser):
    """The fields of a page's form that have a value already."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if tag == "input" and attributes.get("name"):
            self.fields[str(attributes["name"])] = attributes.get("value") or ""


@contextlib.contextmanager
def _requests_shown() -> Iterator[None]:
    """Print each request line with its status: they are what the SDK logs, which shows no secret."""

    class Lines(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            print(f"  {record.getMessage()}")

    logger, handler = logging.getLogger(PACKAGE_LOGGER), Lines()
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
