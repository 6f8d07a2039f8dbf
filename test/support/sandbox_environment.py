"""The environment variables that the sandbox command prints, with tokens and a code that a user would add."""

from __future__ import annotations

import json

import urllib3

from BlueJeansMeetingsRestApi.sandbox import Sandbox

SECRETS = {
    "BLUEJEANS_CLIENT_SECRET",
    "BLUEJEANS_PASSWORD",
    "BLUEJEANS_CODE",
    "BLUEJEANS_ACCESS_TOKEN",
    "BLUEJEANS_REFRESH_TOKEN",
}


def environment(sandbox: Sandbox) -> dict[str, str]:
    """Return the environment variables for a sandbox, with new tokens and a new code."""
    application = {"client_id": sandbox.client_id, "client_secret": sandbox.client_secret}
    code = {"grant_type": "authorization_code", "code": sandbox.authorize(), "redirectUri": sandbox.redirect_uri}
    with urllib3.PoolManager() as http:
        body = json.dumps({**application, **code})
        response = http.request("POST", f"{sandbox.url}/oauth2/token", body=body)
    tokens = json.loads(response.data)
    return {
        "BLUEJEANS_HOST": sandbox.url,
        "BLUEJEANS_CLIENT_ID": sandbox.client_id,
        "BLUEJEANS_CLIENT_SECRET": sandbox.client_secret,
        "BLUEJEANS_USERNAME": sandbox.username,
        "BLUEJEANS_PASSWORD": sandbox.password,
        "BLUEJEANS_USER_ID": str(sandbox.user_id),
        "BLUEJEANS_MEETING_ID": sandbox.meeting_numeric_id,
        "BLUEJEANS_MEETING_PASSCODE": sandbox.moderator_passcode,
        "BLUEJEANS_OPEN_MEETING_ID": sandbox.open_meeting_numeric_id,
        "BLUEJEANS_REDIRECT_URI": sandbox.redirect_uri,
        "BLUEJEANS_CODE": sandbox.authorize("user_info"),
        "BLUEJEANS_ACCESS_TOKEN": tokens["access_token"],
        "BLUEJEANS_REFRESH_TOKEN": tokens["refresh_token"],
    }
