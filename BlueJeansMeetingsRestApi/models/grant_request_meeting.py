from __future__ import annotations

from .model import Model, attribute


class GrantRequestMeeting(Model):
    """Requests a token that is valid for one meeting."""

    grant_type: str | None = attribute(
        default="meeting_passcode", required=True, allowed=("meeting_passcode",), doc="The grant."
    )
    meeting_numeric_id: str | None = attribute(
        default=None, key="meetingNumericId", required=True, doc="The meeting ID."
    )
    meeting_passcode: str | None = attribute(
        default=None, key="meetingPasscode", secret=True, doc="The passcode, if the meeting has one."
    )
