from __future__ import annotations

from .model import Model, attribute


class GrantMeetingScopeMeeting(Model):
    """The meeting that a token is valid for."""

    id: int | None = attribute(default=None, doc="The internal ID of the meeting.")
    leader_id: int | None = attribute(default=None, key="leaderId", doc="The user ID of the moderator.")
    meeting_numeric_id: str | None = attribute(
        default=None, key="meetingNumericId", doc="The number that participants join with."
    )
    meeting_uri: str | None = attribute(default=None, key="meetingUri", doc="The meeting's path in the API.")
    is_moderator: bool | None = attribute(
        default=None, key="isModerator", doc="Whether the passcode was the moderator's."
    )
    endpoint_uri_set: list[object] | None = attribute(
        default=None, key="endpointUriSet", doc="The endpoints that the token is valid for."
    )
    meeting_id: str | None = attribute(default=None, key="meetingId", doc="The ID of this occurrence of the meeting.")
