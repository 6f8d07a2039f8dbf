"""A web application whose workers share a token through a file. Run it with: gunicorn --workers 4 gunicorn_app

It needs the client settings and BLUEJEANS_TOKEN_STORE, the path of the file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import BlueJeansMeetingsRestApi as bluejeans
from settings import client, setting

credentials = bluejeans.ClientCredentials(
    setting("BLUEJEANS_CLIENT_ID"),
    setting("BLUEJEANS_CLIENT_SECRET"),
    api=bluejeans.AuthenticationApi(client()),
    store=bluejeans.FileTokenStore(setting("BLUEJEANS_TOKEN_STORE")),
    renew_in_background=True,
)


def application(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
    """Return a page with the expiry of the token, as a Unix timestamp."""
    token = credentials.get_token()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"good until {token.expires_at:.0f}\n".encode()]
