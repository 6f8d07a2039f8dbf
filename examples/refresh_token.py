"""An application refreshes its token before expiry. Save both new tokens: the old refresh token may be invalid now."""

import BlueJeansMeetingsRestApi as bluejeans
from settings import client, setting

request = bluejeans.GrantRequestRefresh(
    client_id=setting("BLUEJEANS_CLIENT_ID"),
    client_secret=setting("BLUEJEANS_CLIENT_SECRET"),
    refresh_token=setting("BLUEJEANS_REFRESH_TOKEN"),
)
with client() as api_client:
    api_client.configuration.api_key["access_token"] = setting("BLUEJEANS_ACCESS_TOKEN")
    grant = bluejeans.AuthenticationApi(api_client).get_token_by_refresh(request)
    print(f"The next token is good for {grant.expires_in} seconds")
