from __future__ import annotations

from .model import Model, attribute


class GrantCodeScopeAppPermissions(Model):
    """A kind of request that a token permits."""

    method: str | None = attribute(default=None, doc="The HTTP method.")
    allowed_regex: str | None = attribute(default=None, key="allowedRegex", doc="A pattern of the paths.")
