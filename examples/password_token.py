"""A script signs in with a username and password and looks up the owner of the token."""

import sys

import BlueJeansMeetingsRestApi as bluejeans
from settings import client, setting

request = bluejeans.GrantRequestPassword(username=setting("BLUEJEANS_USERNAME"), password=setting("BLUEJEANS_PASSWORD"))
with bluejeans.AuthenticationApi(client()) as api:
    try:
        grant = api.get_token_by_password(request)
    except bluejeans.UnauthorizedError:
        sys.exit("The name or the password is wrong")
    info = api.get_token_info(access_token=grant.access_token)
    print(f"A token for user {info.user}, good for {grant.expires_in} seconds")
