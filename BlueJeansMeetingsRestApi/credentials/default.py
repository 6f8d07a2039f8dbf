"""`default_credentials()`: the credentials that environment variables specify."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Callable

from ..api.authentication_api import AuthenticationApi
from ..configuration import Configuration
from ..environment import setting, setting_name
from ..redaction import leaves_no_variables
from ..token_stores import TokenStore, store_at
from .attempt import Refresh
from .base import Credentials, CredentialsOptions
from .grants import ClientCredentials, MeetingCredentials, PasswordCredentials, StaticToken
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
    BLUEJEANS_PASSWORD; BLUEJEANS_MEETING_ID, with BLUEJEANS_MEETING_PASSCODE if it has one. BLUEJEANS_TOKEN_STORE is
    the path of a file or the URL of a Redis server. With `_FILE` appended to its name, each variable can instead
    contain the path of a file that contains the value. Tokens are requested from the host of `api`, or of the client
    that uses the credentials; otherwise of a new `Configuration`, which reads BLUEJEANS_HOST.

    The parameters are described in `Credentials`. Raises ValueError if a variable is missing.
    """
    if api is None:
        Configuration().check()  # report an invalid BLUEJEANS_HOST here instead of at the first request
    if token := setting("ACCESS_TOKEN"):
        return StaticToken(token, api=api, allowed_hosts=allowed_hosts)
    where = setting("TOKEN_STORE")
    own_store = store_at(where) if where and store is None else None
    options: CredentialsOptions = {
        "api": api,
        "store": store if own_store is None else own_store,
        "on_refresh": on_refresh,
        "allowed_hosts": allowed_hosts,
        "refresh_in_background": refresh_in_background,
        "clock": clock,
    }
    credentials = _from_secrets(options)
    if own_store is not None:
        credentials.own("store", own_store)
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
