"""`default_credentials()`: the credentials that environment variables specify."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Callable

from ..api.authentication_api import AuthenticationApi
from ..api_client import ApiClient
from ..configuration import Configuration
from ..environment import setting, setting_name
from ..redaction import leaves_no_variables
from ..token_stores import TokenStore, store_at
from .base import Credentials, CredentialsOptions
from .grants import ClientCredentials, MeetingCredentials, PasswordCredentials, StaticToken
from .refresher import Refresh
from .token import Clock


@leaves_no_variables
def default_credentials(
    *,
    api: AuthenticationApi | None = None,
    store: TokenStore | None = None,
    on_refresh: Callable[[Refresh], object] | None = None,
    allowed_hosts: Iterable[str] = (),
    refresh_in_background: bool = False,
    clock: Clock | None = None,
) -> Credentials:
    """Return the first credentials that the environment specifies: a token, a client, a user or a meeting.

    BLUEJEANS_ACCESS_TOKEN; BLUEJEANS_CLIENT_ID with BLUEJEANS_CLIENT_SECRET; BLUEJEANS_USERNAME with
    BLUEJEANS_PASSWORD; BLUEJEANS_MEETING_ID, with BLUEJEANS_MEETING_PASSCODE if it has one. BLUEJEANS_HOST is the
    URL of the service, and BLUEJEANS_TOKEN_STORE the path of a file or the URL of a Redis. With `_FILE` appended to its
    name, each variable can instead contain the path of a file that contains the value.

    The parameters are described in `Credentials`. Raises ValueError, which says what is missing.
    """
    own: dict[str, object] = {}
    host, token = setting("HOST"), setting("ACCESS_TOKEN")
    if host and api is None:
        configuration = Configuration()
        configuration.host = host
        own["host"] = client = ApiClient(configuration)
        api = AuthenticationApi(client)
    where = setting("TOKEN_STORE")
    if where and store is None and not token:
        own["store"] = store = store_at(where)
    if token:
        credentials: Credentials = StaticToken(token, api=api, allowed_hosts=allowed_hosts)
    else:
        credentials = _from_secrets(
            {
                "api": api,
                "store": store,
                "on_refresh": on_refresh,
                "allowed_hosts": allowed_hosts,
                "refresh_in_background": refresh_in_background,
                "clock": clock,
            }
        )
    for name, resource in own.items():
        credentials.own(name, resource)
    return credentials


def _from_secrets(options: CredentialsOptions) -> Credentials:
    if client := _pair("CLIENT_ID", "CLIENT_SECRET"):
        return ClientCredentials(*client, **options)
    if user := _pair("USERNAME", "PASSWORD"):
        return PasswordCredentials(*user, **options)
    if meeting := setting("MEETING_ID"):
        return MeetingCredentials(meeting, setting("MEETING_PASSCODE"), **options)
    names = [setting_name(name) for name in ("ACCESS_TOKEN", "CLIENT_ID", "USERNAME", "MEETING_ID")]
    raise ValueError(
        f"There are no credentials in the environment: set one of {', '.join(names)} (or {names[0]}_FILE …)"
    )


def _pair(first: str, second: str) -> tuple[str, str] | None:
    values = setting(first), setting(second)
    if values[0] and values[1]:
        return values[0], values[1]
    if values[0] or values[1]:
        missing, present = (first, second) if values[1] else (second, first)
        raise ValueError(f"{setting_name(present)} is set and {setting_name(missing)} is not: set both")
    return None
