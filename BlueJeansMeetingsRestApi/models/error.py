from __future__ import annotations

from .model import Model, attribute


class Error(Model):
    """What the service says when it refuses a request."""

    message: str | None = attribute(default=None, doc="What was wrong.")
    code: int | None = attribute(default=None, doc="The service's number for it.")
