"""An application exchanges an authorization code for tokens, within 30 seconds after it was issued."""

import sys

import BlueJeansMeetingsRestApi as bluejeans
from settings import client, setting

request = bluejeans.GrantRequestCode(
    client_id=setting("BLUEJEANS_CLIENT_ID"),
    client_secret=setting("BLUEJEANS_CLIENT_SECRET"),
    redirect_uri=setting("BLUEJEANS_REDIRECT_URI"),
    code=setting("BLUEJEANS_CODE"),
)
with bluejeans.AuthenticationApi(client()) as api:
    try:
        grant = api.get_token_by_code(request)
    except bluejeans.UnauthorizedError:
        sys.exit("The code is wrong, was used, or is older than 30 seconds: let the user sign in again")
    assert grant.scope is not None
    print(f"Tokens for user {grant.scope.user}, who allowed {grant.scope.bearer_permissions}")
