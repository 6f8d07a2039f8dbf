"""One of several machines that share a token through Redis. BLUEJEANS_TOKEN_STORE is the URL of Redis."""

import BlueJeansMeetingsRestApi as bluejeans
from settings import client, setting

renewals: list[bluejeans.Renewal] = []
store = bluejeans.RedisTokenStore(setting("BLUEJEANS_TOKEN_STORE"))
credentials = bluejeans.ClientCredentials(
    setting("BLUEJEANS_CLIENT_ID"),
    setting("BLUEJEANS_CLIENT_SECRET"),
    api=bluejeans.AuthenticationApi(client()),
    store=store,
    on_renewal=renewals.append,
)
with credentials.api:
    credentials.get_token()
print("This machine got a token" if renewals else "Another machine had got a token")
