from __future__ import annotations

from .grant_code_scope_app_permissions import GrantCodeScopeAppPermissions
from .model import Model, attribute
from .partition import Partition


class GrantCodeScope(Model):
    """The scope of a token of the code grant."""

    user: int | None = attribute(default=None, doc="The ID of the user.")
    app_permissions: list[GrantCodeScopeAppPermissions] | None = attribute(
        default=None, key="appPermissions", doc="The requests that the token permits."
    )
    partition_name: str | None = attribute(default=None, key="partitionName", doc="The partition's name.")
    partition: Partition | None = attribute(default=None, doc="The partition of the account.")
    bearer_permissions: str | None = attribute(default=None, key="bearerPermissions", doc="Scopes, comma-delimited.")
    client_id: str | None = attribute(default=None, key="clientId", doc="The client ID of the application.")
