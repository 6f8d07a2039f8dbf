from __future__ import annotations

from .grant_meeting_scope import GrantMeetingScope
from .model import Model, attribute


class GrantMeeting(Model):
    """A token for one meeting, from `get_token_by_meeting`."""

    access_token: str | None = attribute(default=None, secret=True, promised=True, doc="The token to send.")
    expires_in: int | None = attribute(default=None, doc="The lifetime of the access token in seconds, from now.")
    scope: GrantMeetingScope | None = attribute(default=None, doc="The scope of the token.")
