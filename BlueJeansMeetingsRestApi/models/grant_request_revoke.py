from __future__ import annotations

from .model import Model, attribute


class GrantRequestRevoke(Model):
    """Identifies the application that revokes a token."""

    client_id: str | None = attribute(default=None, required=True, doc="The client ID of the application.")
    client_secret: str | None = attribute(default=None, required=True, secret=True, doc="The client secret.")
