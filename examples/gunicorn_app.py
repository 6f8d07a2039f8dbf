"""A web application whose workers share a token by way of a file. Run it with: gunicorn --workers 4 gunicorn_app

It needs BLUEJEANS_TOKEN_STORE, the path of the file, beside the client's settings.
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
    refresh_in_background=True,
)


def application(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
    """Say until when the token is good."""
    token = credentials.get_token()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"good until {token.expires_at:.0f}\n".encode()]
