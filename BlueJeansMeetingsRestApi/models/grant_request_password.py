from __future__ import annotations

from .model import Model, attribute


class GrantRequestPassword(Model):
    """Requests a token for a user by username and password (RFC 6749 section 4.3)."""

    grant_type: str | None = attribute(default="password", allowed=("password",), doc="The grant.")
    username: str | None = attribute(default=None, doc="The username.")
    password: str | None = attribute(default=None, secret=True, doc="The user's password.")
