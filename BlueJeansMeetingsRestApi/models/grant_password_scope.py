from __future__ import annotations

from .model import Model, attribute
from .partition import Partition


class GrantPasswordScope(Model):
    """What a token of the password grant is good for."""

    user: int | None = attribute(default=None, doc="The user's id.")
    partition_name: str | None = attribute(default=None, key="partitionName", doc="The partition's name.")
    partition: Partition | None = attribute(default=None, doc="Where the account lives.")
