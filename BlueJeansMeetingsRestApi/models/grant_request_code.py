from __future__ import annotations

from .model import Model, attribute


class GrantRequestCode(Model):
    """Exchanges an authorization code for a token (RFC 6749 section 4.1.3)."""

    grant_type: str | None = attribute(default="authorization_code", allowed=("authorization_code",), doc="The grant.")
    client_id: str | None = attribute(default=None, doc="The client ID of the application.")
    client_secret: str | None = attribute(default=None, secret=True, doc="The client secret.")
    redirect_uri: str | None = attribute(
        default=None, key="redirectUri", doc="A registered redirect URI, or one below it."
    )
    code: str | None = attribute(
        default=None, secret=True, doc="The authorization code, valid once and for 30 seconds."
    )
