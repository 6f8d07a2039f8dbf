from __future__ import annotations

from .model import Model, attribute


class GrantRequestRefresh(Model):
    """Exchanges a refresh token for new tokens (RFC 6749 section 6)."""

    grant_type: str | None = attribute(default="refresh_token", allowed=("refresh_token",), doc="The grant.")
    client_id: str | None = attribute(default=None, doc="The client ID of the application.")
    client_secret: str | None = attribute(default=None, secret=True, doc="The client secret.")
    refresh_token: str | None = attribute(default=None, secret=True, doc="The newest refresh token.")
