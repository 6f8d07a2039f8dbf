from __future__ import annotations

from .grant_code_scope_app_permissions import GrantCodeScopeAppPermissions
from .model import Model, attribute
from .partition import Partition


class GrantCodeScope(Model):
    """What a token of the code grant is good for."""

    user: int | None = attribute(default=None, doc="The user's id.")
    app_permissions: list[GrantCodeScopeAppPermissions] | None = attribute(
        default=None, key="appPermissions", doc="The requests it allows."
    )
    partition_name: str | None = attribute(default=None, key="partitionName", doc="The partition's name.")
    partition: Partition | None = attribute(default=None, doc="Where the account lives.")
    bearer_permissions: str | None = attribute(default=None, key="bearerPermissions", doc="Scopes, comma-delimited.")
    client_id: str | None = attribute(default=None, key="clientId", doc="The application's id.")
