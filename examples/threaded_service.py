"""A service whose threads share one token; the first thread that finds it due refreshes it for all."""

from concurrent.futures import ThreadPoolExecutor

import BlueJeansMeetingsRestApi as bluejeans
from settings import configured, setting

renewals: list[bluejeans.Renewal] = []
configuration = configured()
configuration.credentials = bluejeans.ClientCredentials(
    setting("BLUEJEANS_CLIENT_ID"), setting("BLUEJEANS_CLIENT_SECRET"), on_renewal=renewals.append
)
user = setting("BLUEJEANS_USER_ID")

with bluejeans.ApiClient(configuration) as client, ThreadPoolExecutor(16) as threads:
    calls = [
        threads.submit(client.call_api, "/v1/user/{id}", "GET", {"id": user}, response_type="object")
        for _ in range(100)
    ]
    succeeded = sum(call.result()[1] == 200 for call in calls)

print(f"{succeeded} calls were answered, with {len(renewals)} token")
