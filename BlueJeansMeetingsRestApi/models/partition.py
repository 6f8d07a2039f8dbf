from __future__ import annotations

from .model import Model, attribute


class Partition(Model):
    """The part of the service that an account lives in."""

    id: int | None = attribute(default=None, doc="The partition's number.")
    name: str | None = attribute(default=None, doc="The partition's name.")
