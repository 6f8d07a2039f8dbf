from __future__ import annotations

from .model import Model, attribute


class GrantRequestRevoke(Model):
    """Names the application that takes back a token it was granted."""

    client_id: str | None = attribute(default=None, required=True, doc="The application's id.")
    client_secret: str | None = attribute(
        default=None, required=True, secret=True, doc="The secret that goes with `client_id`."
    )
