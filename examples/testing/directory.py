"""The service that the recipes test: it looks up users by ID and caches its token between calls."""

from __future__ import annotations

import time
from collections.abc import Callable

import BlueJeansMeetingsRestApi as bluejeans


class Directory:
    """Looks up usernames. It replaces its token when the token has expired or was refused earlier."""

    def __init__(
        self,
        api: bluejeans.AuthenticationApi,
        client_id: str,
        client_secret: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._api = api
        self._request = bluejeans.GrantRequestClient(client_id=client_id, client_secret=client_secret)
        self._clock = clock
        self._token = ""
        self._expires_at = clock()

    def name_of(self, user_id: int) -> str:
        try:
            return self._request_name(user_id)
        except bluejeans.UnauthorizedError:
            self._expires_at = self._clock()
            return self._request_name(user_id)

    def _request_name(self, user_id: int) -> str:
        user = self._api.api_client.call_api(
            "/v1/user/{id}",
            "GET",
            {"id": user_id},
            header_params={"Authorization": f"Bearer {self._valid_token()}"},
            response_type="object",
            _return_http_data_only=True,
        )
        return str(user["username"])

    def _valid_token(self) -> str:
        requested_at = self._clock()
        if requested_at >= self._expires_at:
            grant = self._api.get_token_by_client(self._request)
            self._token, self._expires_at = grant.access_token, requested_at + grant.expires_in
        return self._token
