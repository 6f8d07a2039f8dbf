"""Helpers of the tests of credentials."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import BlueJeansMeetingsRestApi as bluejeans
from BlueJeansMeetingsRestApi.sandbox import Sandbox
from support.fake_clock import FakeClock

TIMEOUT = 60  # seconds after which a test gives up
LIFETIME = 3600  # seconds, of a client's token in the sandbox
WINDOW = 300  # seconds before its expiry
SIGN_IN_AGAIN = "The user has to sign in again, with AuthorizationCodeFlow.run() or the command bluejeans-auth login."


def sign_in(sandbox: Sandbox, api: bluejeans.AuthenticationApi) -> bluejeans.GrantCode:
    grant = api.get_token_by_code(
        {
            "grant_type": "authorization_code",
            "client_id": sandbox.client_id,
            "client_secret": sandbox.client_secret,
            "redirectUri": sandbox.redirect_uri,
            "code": sandbox.authorize(),
        }
    )
    assert isinstance(grant, bluejeans.GrantCode)
    return grant


def grants(sandbox: Sandbox) -> int:
    """Return the number of token requests that the sandbox received."""
    return sum(seen.path.startswith("/oauth2/token?") for seen in sandbox.requests)


def at_once(threads: int, do: Callable[[], Any]) -> list[Any]:
    """Call a function in several threads at once, and return its values and exceptions."""
    barrier = threading.Barrier(threads)

    def call(_: int) -> Any:
        barrier.wait(TIMEOUT)
        try:
            return do()
        except Exception as error:
            return error

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(call, range(threads)))


def requesting(host: str, clock: FakeClock, **settings: Any) -> bluejeans.ClientCredentials:
    """Credentials that ask a server of the test's."""
    configuration = bluejeans.Configuration()
    configuration.host = host
    vars(configuration).update(max_attempts=1, **settings)
    api = bluejeans.AuthenticationApi(bluejeans.ApiClient(configuration))
    return bluejeans.ClientCredentials("id", "canary-secret", api=api, clock=clock)


def another(like: bluejeans.ClientCredentials, **options: Any) -> bluejeans.ClientCredentials:
    """Other credentials of the same client, as another process has them."""
    return bluejeans.ClientCredentials(**like.identity, api=like.api, **options)  # type: ignore[arg-type]


def get_user(configuration: bluejeans.Configuration, sandbox: Sandbox) -> int:
    with bluejeans.ApiClient(configuration) as client:
        path, params = "/v1/user/{id}", {"id": sandbox.user_id}
        return int(client.call_api(path, "GET", params, response_type="object")[0]["id"])


class UnavailableStore(bluejeans.MemoryTokenStore):
    """A store that fails in the methods that `cannot` contains."""

    def __init__(self, cannot: set[str] | None = None) -> None:
        super().__init__()
        self.texts, self.cannot = self._values, cannot or set()

    def read(self, key: str) -> str | None:
        self.fail("read")
        return self.texts.get(key, (None, 0.0))[0]

    def write(self, key: str, text: str, seconds: float | None, fence: int) -> bool:
        self.fail("write")
        self.texts[key] = (text, float("inf"))
        return True

    def lock(self, key: str, seconds: float) -> Any:
        self.fail("lock")
        return super().lock(key, seconds)

    def fail(self, what: str) -> None:
        if what in self.cannot:
            raise bluejeans.TokenStoreError("it is down")
