from __future__ import annotations

from .grant_code_scope import GrantCodeScope
from .model import Model, attribute


class GrantCode(Model):
    """Tokens for the user who approved the application, from `get_token_by_code`."""

    access_token: str | None = attribute(default=None, secret=True, promised=True, doc="The token to send.")
    refresh_token: str | None = attribute(default=None, secret=True, doc="The token to refresh the access token with.")
    expires_in: int | None = attribute(default=None, doc="The lifetime of the access token in seconds, from now.")
    scope: GrantCodeScope | None = attribute(default=None, doc="The scope of the token.")
