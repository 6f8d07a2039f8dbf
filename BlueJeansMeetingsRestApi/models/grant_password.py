from __future__ import annotations

from .grant_password_scope import GrantPasswordScope
from .model import Model, attribute


class GrantPassword(Model):
    """A token for a user, from `get_token_by_password`."""

    access_token: str | None = attribute(default=None, secret=True, promised=True, doc="The token to send.")
    expires_in: int | None = attribute(default=None, doc="The lifetime of the access token in seconds, from now.")
    refresh_token: str | None = attribute(default=None, secret=True, doc="Empty: this grant cannot be refreshed.")
    scope: GrantPasswordScope | None = attribute(default=None, doc="The scope of the token.")
