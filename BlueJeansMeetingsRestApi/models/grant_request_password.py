from __future__ import annotations

from .model import Model, attribute


class GrantRequestPassword(Model):
    """Asks for a token with a user's name and password (RFC 6749 section 4.3)."""

    grant_type: str | None = attribute(default="password", allowed=("password",), doc="The grant.")
    username: str | None = attribute(default=None, doc="The user's name.")
    password: str | None = attribute(default=None, secret=True, doc="The user's password.")
