from __future__ import annotations

from .model import Model, attribute


class GrantRequestCode(Model):
    """Exchanges an authorization code for a token (RFC 6749 section 4.1.3)."""

    grant_type: str | None = attribute(default="authorization_code", allowed=("authorization_code",), doc="The grant.")
    client_id: str | None = attribute(default=None, doc="The application's id.")
    client_secret: str | None = attribute(default=None, secret=True, doc="The secret that goes with `client_id`.")
    redirect_uri: str | None = attribute(default=None, key="redirectUri", doc="A registered URL, or one below.")
    code: str | None = attribute(default=None, secret=True, doc="The authorization code, good once and for 30 seconds.")
