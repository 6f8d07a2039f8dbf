from __future__ import annotations

from .model import Model, attribute


class GrantRequestMeeting(Model):
    """Asks for a token that is good for one meeting."""

    grant_type: str | None = attribute(
        default="meeting_passcode", required=True, allowed=("meeting_passcode",), doc="The grant."
    )
    meeting_numeric_id: str | None = attribute(default=None, key="meetingNumericId", required=True, doc="Its number.")
    meeting_passcode: str | None = attribute(
        default=None, key="meetingPasscode", secret=True, doc="The meeting's, if it has one."
    )
