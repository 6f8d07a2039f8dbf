from __future__ import annotations

from .grant_refresh_scope import GrantRefreshScope
from .model import Model, attribute


class GrantRefresh(Model):
    """The next tokens, from `get_token_by_refresh`."""

    access_token: str | None = attribute(default=None, secret=True, promised=True, doc="The token to send.")
    refresh_token: str | None = attribute(default=None, secret=True, doc="The token to refresh the access token with.")
    expires_in: int | None = attribute(default=None, doc="The lifetime of the access token in seconds, from now.")
    scope: GrantRefreshScope | None = attribute(default=None, doc="The scope of the token.")
