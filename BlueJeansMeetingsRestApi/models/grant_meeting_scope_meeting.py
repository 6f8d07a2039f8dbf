from __future__ import annotations

from .model import Model, attribute


class GrantMeetingScopeMeeting(Model):
    """The meeting that a token is good for."""

    id: int | None = attribute(default=None, doc="The meeting's internal id.")
    leader_id: int | None = attribute(default=None, key="leaderId", doc="The user id of the meeting's moderator.")
    meeting_numeric_id: str | None = attribute(default=None, key="meetingNumericId", doc="The number people join by.")
    meeting_uri: str | None = attribute(default=None, key="meetingUri", doc="The meeting's path in the API.")
    is_moderator: bool | None = attribute(default=None, key="isModerator", doc="Whether a moderator asked.")
    endpoint_uri_set: list[object] | None = attribute(
        default=None, key="endpointUriSet", doc="The endpoints it is good for."
    )
    meeting_id: str | None = attribute(default=None, key="meetingId", doc="The id of this occurrence of the meeting.")
