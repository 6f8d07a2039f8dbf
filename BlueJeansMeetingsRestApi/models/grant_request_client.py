from __future__ import annotations

from .model import Model, attribute


class GrantRequestClient(Model):
    """Requests a token for an enterprise (RFC 6749 section 4.4)."""

    grant_type: str | None = attribute(default="client_credentials", allowed=("client_credentials",), doc="The grant.")
    client_id: str | None = attribute(default=None, doc="The client ID that an administrator created.")
    client_secret: str | None = attribute(default=None, secret=True, doc="The client secret.")
