from __future__ import annotations

from .grant_client_scope import GrantClientScope
from .model import Model, attribute


class GrantClient(Model):
    """A token for an enterprise, from `get_token_by_client`."""

    access_token: str | None = attribute(default=None, secret=True, promised=True, doc="The token to send.")
    expires_in: int | None = attribute(default=None, doc="The lifetime of the access token in seconds, from now.")
    scope: GrantClientScope | None = attribute(default=None, doc="The scope of the token.")
