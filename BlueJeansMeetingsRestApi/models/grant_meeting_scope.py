from __future__ import annotations

from .grant_meeting_scope_meeting import GrantMeetingScopeMeeting
from .model import Model, attribute
from .partition import Partition


class GrantMeetingScope(Model):
    """The scope of a token of the meeting grant."""

    meeting: GrantMeetingScopeMeeting | None = attribute(default=None, doc="The meeting.")
    partition_name: str | None = attribute(default=None, key="partitionName", doc="The partition's name.")
    partition: Partition | None = attribute(default=None, doc="The partition of the account.")
