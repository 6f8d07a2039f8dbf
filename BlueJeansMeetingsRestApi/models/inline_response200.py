from __future__ import annotations

from .model import Model, attribute


class InlineResponse200(Model):
    """The owner of a valid token, from `get_token_info`.

    The name is that of the 2019 SDK: its generator had none for this answer.
    """

    user: int | None = attribute(default=None, doc="The id of the user the token belongs to.")
