"""Scopes that an application can request, and the requests that they allow."""

from __future__ import annotations

from collections.abc import Iterator

SCOPES = {  # with the descriptions on the consent page
    "list_meetings": "See your personal and scheduled meetings",
    "modify_meetings": "Schedule, change and cancel your meetings",
    "user_info": "See your profile, room and billing category",
    "meeting_history": "See your past meetings",
    "modify_user_info": "Change your profile",
}


def permissions(user: int, scopes: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Yield method and path pattern of the requests that `scopes` allow, in the order of the service."""
    own = rf"/v\d+/user/{user}"
    lists, modifies, info = (name in scopes for name in ("list_meetings", "modify_meetings", "user_info"))
    if lists:
        yield from (("GET", f"{own}/personal_meeting.*"), ("GET", f"{own}/scheduled_meeting.*"))
    if modifies:
        yield ("PUT", f"{own}/personal_meeting.*")
        yield from ((method, f"{own}/scheduled_meeting.*") for method in ("POST", "PUT", "DELETE"))
    if info:
        yield from (("GET", f"{own}/billing.*"), ("GET", f"{own}/room.*"), ("GET", f"{own}/?"))
