from __future__ import annotations

from .model import Model, attribute
from .partition import Partition


class GrantClientScope(Model):
    """What a token of the client grant is good for."""

    enterprise: int | None = attribute(default=None, doc="The enterprise's id.")
    partition_name: str | None = attribute(default=None, key="partitionName", doc="The partition's name.")
    partition: Partition | None = attribute(default=None, doc="Where the account lives.")
