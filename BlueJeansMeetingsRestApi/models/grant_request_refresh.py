from __future__ import annotations

from .model import Model, attribute


class GrantRequestRefresh(Model):
    """Exchanges a refresh token for new tokens (RFC 6749 section 6)."""

    grant_type: str | None = attribute(default="refresh_token", allowed=("refresh_token",), doc="The grant.")
    client_id: str | None = attribute(default=None, doc="The application's id.")
    client_secret: str | None = attribute(default=None, secret=True, doc="The secret that goes with `client_id`.")
    refresh_token: str | None = attribute(default=None, secret=True, doc="The last one received.")
