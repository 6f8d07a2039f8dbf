from __future__ import annotations

from .model import Model, attribute
from .partition import Partition


class GrantClientScope(Model):
    """The scope of a token of the client grant."""

    enterprise: int | None = attribute(default=None, doc="The ID of the enterprise.")
    partition_name: str | None = attribute(default=None, key="partitionName", doc="The partition's name.")
    partition: Partition | None = attribute(default=None, doc="The partition of the account.")
