"""A backend service gets a token for its enterprise and calls another endpoint with it."""

import BlueJeansMeetingsRestApi as bluejeans
from settings import client, setting

with client() as api_client:
    grant = bluejeans.AuthenticationApi(api_client).get_token_by_client(
        bluejeans.GrantRequestClient(
            client_id=setting("BLUEJEANS_CLIENT_ID"), client_secret=setting("BLUEJEANS_CLIENT_SECRET")
        )
    )
    assert grant.scope is not None
    print(f"A token for enterprise {grant.scope.enterprise}, good for {grant.expires_in} seconds")

    user = api_client.call_api(
        "/v1/user/{id}",
        "GET",
        path_params={"id": setting("BLUEJEANS_USER_ID")},
        header_params={"Accept": "application/json", "Authorization": f"Bearer {grant.access_token}"},
        response_type="object",
        _return_http_data_only=True,
    )
    print(f"User {user['id']} is called {user['username']}")
