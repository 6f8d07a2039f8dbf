"""An application revokes a token that it no longer needs."""

import BlueJeansMeetingsRestApi as bluejeans
from settings import client, setting

request = bluejeans.GrantRequestRevoke(
    client_id=setting("BLUEJEANS_CLIENT_ID"), client_secret=setting("BLUEJEANS_CLIENT_SECRET")
)
token = setting("BLUEJEANS_ACCESS_TOKEN")
with bluejeans.AuthenticationApi(client()) as api:
    for _ in range(2):
        try:
            api.revoke_access_token(request, access_token=token)
            print("The token is revoked")
        except bluejeans.BadRequestError:
            print("It was revoked before")
