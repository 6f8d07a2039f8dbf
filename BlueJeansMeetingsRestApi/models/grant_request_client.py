from __future__ import annotations

from .model import Model, attribute


class GrantRequestClient(Model):
    """Asks for a token with the id and secret of an enterprise's client (RFC 6749 section 4.4)."""

    grant_type: str | None = attribute(default="client_credentials", allowed=("client_credentials",), doc="The grant.")
    client_id: str | None = attribute(default=None, doc="The id that an enterprise administrator gave the client.")
    client_secret: str | None = attribute(default=None, secret=True, doc="The secret that goes with `client_id`.")
