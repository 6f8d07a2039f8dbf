"""`bluejeans-auth demo`: call the eight operations of the sandbox or of a host and check the responses."""

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
from .arguments import DEMO_VARIABLES

VARIABLES = tuple(map(setting_name, DEMO_VARIABLES))


def command(arguments: argparse.Namespace) -> int:
    """Run the demo with the arguments of the command line."""
    return run(arguments.host, arguments.ca)


def run(host: str | None = None, ca: str | None = None) -> int:
    """Run the demo against `host`, or against a new sandbox, and return the exit code.

    The exit code is 0 if every check passed, 1 if one failed, and 2 if there are no credentials.
    """
    if host:
        values = {name: value for name in DEMO_VARIABLES if (value := setting(name))}
        return _Demo(host, ca, values).run()
    from ..sandbox import Sandbox

    with Sandbox() as sandbox:
        print(f"A sandbox of the service runs at {sandbox.url}, with its own users and meetings.")
        sandbox_values = {
            "CLIENT_ID": sandbox.client_id,
            "CLIENT_SECRET": sandbox.client_secret,
            "USERNAME": sandbox.username,
            "PASSWORD": sandbox.password,
            "MEETING_ID": sandbox.meeting_numeric_id,
            "MEETING_PASSCODE": sandbox.moderator_passcode,
            "REDIRECT_URI": sandbox.redirect_uri,
        }
        return _Demo(sandbox.url, sandbox.ca_cert, sandbox_values, signs_in=True).run()


class _Demo:
    """Calls one operation after another, prints the requests and responses, and records the checks."""

    def __init__(self, host: str, ca: str | None, values: Mapping[str, str], *, signs_in: bool = False) -> None:
        configuration = Configuration()
        configuration.host = host
        configuration.ssl_ca_cert = ca
        configuration.trust_env = not signs_in  # a sandbox on this machine needs no proxy
        self.client = ApiClient(configuration)
        self.api = AuthenticationApi(self.client)
        self.values = values
        self.signs_in = signs_in
        self.checked: list[tuple[str, bool]] = []

    def run(self) -> int:
        with self.client, _printed_requests():
            self.code_flow()
            self.client_grant()
            self.password_grant()
            self.meeting_grant()
        passed = sum(ok for _, ok in self.checked)
        print(f"\n{passed} of {len(self.checked)} checks passed:")
        for what, ok in self.checked:
            print(f"  {'ok    ' if ok else 'FAILED'}  {what}")
        if not self.checked:
            print(f"  No check was run: set some of {', '.join(VARIABLES)}", file=sys.stderr)
            return 2
        return 0 if passed == len(self.checked) else 1

    def check(self, what: str, ok: bool) -> None:
        self.checked.append((what, ok))

    def call(self, what: str, operation: Callable[[], Any], is_expected: Callable[[Any], bool]) -> Any:
        """Call an operation, print and check its result, and return it; return None if the operation failed."""
        try:
            result = operation()
        except ApiException as error:
            print(f"     {' '.join(str(error).split())}")
            self.check(what, False)
            return None
        if result is not None:
            print(f"     {' '.join(str(redact(result)).split())}")
        try:
            self.check(what, is_expected(result))
        except (AttributeError, KeyError, TypeError):  # the response has other attributes
            self.check(what, False)
        return result

    def refuses(self, what: str, operation: Callable[[], Any], kind: type[ApiException]) -> None:
        try:
            operation()
        except kind as error:
            print(f"     refused as expected: {' '.join(str(error).split())}")
            self.check(what, True)
        except ApiException as error:
            print(f"     {' '.join(str(error).split())}")
            self.check(what, False)
        else:
            self.check(what, False)

    def has_values(self, operations: str, *names: str) -> bool:
        missing = [setting_name(name) for name in names if not self.values.get(name)]
        print(f"\n{operations}" + (f": skipped; set {', '.join(missing)}" if missing else ""))
        return not missing

    def code_flow(self) -> None:
        names = ("CLIENT_ID", "CLIENT_SECRET", "REDIRECT_URI")
        if not self.has_values("A user signs in with a browser and authorizes an application", *names):
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
        code = self.values.get("CODE")
        if self.signs_in:
            response = parse_qs(urlsplit(self.submit_page()).query)
            code = response.get("code", [""])[0]
            self.check(
                "the browser is redirected with a code and the state", bool(code) and response["state"] == [state]
            )
        if not code:
            print(f"     the code exchange is skipped; set {setting_name('CODE')}")
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
            "get_token_info returns the user of the token",
            lambda: self.api.get_token_info(access_token=grant.access_token),
            lambda info: info.user == grant.scope.user,
        )
        self.client.configuration.api_key["access_token"] = grant.access_token
        refreshed = self.call(
            "get_token_by_refresh returns another token",
            lambda: self.api.get_token_by_refresh(
                models.GrantRequestRefresh(
                    client_id=client_id, client_secret=client_secret, refresh_token=grant.refresh_token
                )
            ),
            lambda refreshed: refreshed.access_token != grant.access_token,
        )
        if refreshed is None:
            return
        self.show_user("GET /v1/user/{id} accepts the token of the code grant", refreshed)
        revoke = models.GrantRequestRevoke(client_id=client_id, client_secret=client_secret)
        token = refreshed.access_token
        self.call(
            "revoke_access_token revokes the token",
            lambda: self.api.revoke_access_token(revoke, access_token=token),
            lambda _: self.client.last_response.status == 204,
        )
        self.refuses(
            "a token cannot be revoked twice",
            lambda: self.api.revoke_access_token(revoke, access_token=token),
            BadRequestError,
        )
        self.refuses(
            "a revoked token is invalid", lambda: self.api.get_token_info(access_token=token), UnauthorizedError
        )

    def client_grant(self) -> None:
        names = ("CLIENT_ID", "CLIENT_SECRET")
        if not self.has_values("A backend service gets a token for its enterprise", *names):
            return
        client_id, client_secret = (self.values[name] for name in names)
        request = models.GrantRequestClient(client_id=client_id, client_secret=client_secret)
        self.call(
            "get_token_by_client returns a token for the enterprise",
            lambda: self.api.get_token_by_client(request),
            lambda grant: isinstance(grant.scope.enterprise, int),
        )

    def password_grant(self) -> None:
        names = ("USERNAME", "PASSWORD")
        if not self.has_values("A script gets a token with a username and password", *names):
            return
        username, password = (self.values[name] for name in names)
        grant = self.call(
            "get_token_by_password returns a token for the user",
            lambda: self.api.get_token_by_password(models.GrantRequestPassword(username=username, password=password)),
            lambda grant: isinstance(grant.scope.user, int),
        )
        if grant is not None:
            self.show_user("GET /v1/user/{id} accepts the token of the password grant", grant)

    def meeting_grant(self) -> None:
        if not self.has_values("A token for one meeting", "MEETING_ID"):
            return
        number, passcode = self.values["MEETING_ID"], self.values.get("MEETING_PASSCODE")
        self.call(
            "get_token_by_meeting returns a token for that meeting",
            lambda: self.api.get_token_by_meeting(
                models.GrantRequestMeeting(meeting_numeric_id=number, meeting_passcode=passcode)
            ),
            lambda grant: grant.scope.meeting.meeting_numeric_id == number,
        )

    def show_user(self, what: str, grant: Any) -> None:
        """Call another endpoint of the service by its path, with the token of a grant."""
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
            lambda response: response["id"] == user,
        )

    def submit_page(self) -> str:
        """Submit the form of the last page as a user does, and return the URL that the browser is redirected to."""
        page = _Form()
        page.feed(self.client.last_response.data)
        page.fields["username"] = self.values["USERNAME"]
        page.fields["password"] = self.values["PASSWORD"]
        page.fields["decision"] = "allow"
        response = urllib3.PoolManager().request(
            "POST",
            f"{self.client.configuration.base_url}/oauth2/authorize",
            body=urlencode(page.fields),
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            redirect=False,
        )
        print(f"     submit the form of the page -> {response.status}")
        return str(response.headers.get("Location", ""))


class _Form(html.parser.HTMLParser):
    """The form fields of a page that have a value."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if tag == "input" and attributes.get("name"):
            self.fields[str(attributes["name"])] = attributes.get("value") or ""


@contextlib.contextmanager
def _printed_requests() -> Iterator[None]:
    """Print the log of the SDK, which has a line without secrets for each request."""

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
