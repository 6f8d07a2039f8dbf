from __future__ import annotations

from .model import Model, attribute


class InlineResponse200(Model):
    """The owner of a valid token, from `get_token_info`.

    The name is that of the 2019 SDK, whose generator had none for this response.
    """

    user: int | None = attribute(default=None, doc="The ID of the token owner.")
