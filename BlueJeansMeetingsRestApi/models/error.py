"""`Error`: the body of an error response of the service."""

from __future__ import annotations

from .model import Model, attribute


class Error(Model):
    """The body of an error response."""

    message: str | None = attribute(default=None, doc="The reason of the error.")
    code: int | None = attribute(default=None, doc="The error code of the service.")
