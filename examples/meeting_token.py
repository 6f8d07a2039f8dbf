"""Get tokens for a meeting with the moderator passcode, and for a meeting without a passcode."""

import os

import BlueJeansMeetingsRestApi as bluejeans
from settings import client, setting

requests = [
    bluejeans.GrantRequestMeeting(
        meeting_numeric_id=setting("BLUEJEANS_MEETING_ID"), meeting_passcode=setting("BLUEJEANS_MEETING_PASSCODE")
    )
]
if os.environ.get("BLUEJEANS_OPEN_MEETING_ID"):
    requests.append(bluejeans.GrantRequestMeeting(meeting_numeric_id=os.environ["BLUEJEANS_OPEN_MEETING_ID"]))

with bluejeans.AuthenticationApi(client()) as api:
    for request in requests:
        scope = api.get_token_by_meeting(request).scope
        assert scope is not None
        assert scope.meeting is not None
        role = "moderator" if scope.meeting.is_moderator else "attendee"
        print(f"A token for meeting {scope.meeting.meeting_numeric_id}, as {role}")
