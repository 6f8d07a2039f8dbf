from __future__ import annotations

from .grant_refresh_scope import GrantRefreshScope
from .model import Model, attribute


class GrantRefresh(Model):
    """The next tokens, from `get_token_by_refresh`."""

    access_token: str | None = attribute(default=None, secret=True, promised=True, doc="The token to send.")
    refresh_token: str | None = attribute(default=None, secret=True, doc="The token that gets the next access token.")
    expires_in: int | None = attribute(default=None, doc="Seconds from now for which the access token is good.")
    scope: GrantRefreshScope | None = attribute(default=None, doc="What the token is good for.")
