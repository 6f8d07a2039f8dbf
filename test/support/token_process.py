"""A process that requests tokens; the tests of credentials run several at once.

Standard input: a line of JSON for each round, with `kind` and `arguments` of the credentials, `host`, `store`, and
`threads`. Standard output: a line of JSON with the token of each thread or the name of its exception.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
from typing import Any

import BlueJeansMeetingsRestApi as bluejeans

credentials_by_plan: dict[str, bluejeans.Credentials] = {}


def credentials_of(plan: dict[str, Any]) -> bluejeans.Credentials:
    """Return the credentials for a plan; equal plans share credentials."""
    key = json.dumps(plan)
    if key not in credentials_by_plan:
        configuration = bluejeans.Configuration()
        configuration.host, configuration.trust_env = plan["host"], False
        vars(configuration).update(plan.get("settings", {}))
        options: dict[str, Any] = {"api": bluejeans.AuthenticationApi(bluejeans.ApiClient(configuration))}
        if plan.get("store"):
            kind, where, *more = plan["store"]
            options["store"] = getattr(bluejeans, kind)(where, **(more[0] if more else {}))
        credentials_by_plan[key] = getattr(bluejeans, plan["kind"])(**plan["arguments"], **options)
    return credentials_by_plan[key]


def get_tokens(plan: dict[str, Any]) -> list[str]:
    credentials, results = credentials_of(plan), []
    barrier = threading.Barrier(plan["threads"])

    def call() -> None:
        barrier.wait()
        try:
            results.append(credentials.get_token().token)
        except bluejeans.ApiException as error:
            results.append(type(error).__name__)

    threads = [threading.Thread(target=call) for _ in range(plan["threads"])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    print("ready", flush=True)
    for line in sys.stdin:
        print(json.dumps(get_tokens(json.loads(line))), flush=True)
