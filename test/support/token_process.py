"""A process that asks for tokens; `test_credentials_processes.py` runs several at once.

Standard input: a line of JSON for each round, with `kind` and `arguments` of the credentials, `host`, `store`, and
`threads`. Standard output: a line of JSON with what each thread got, or the name of its exception.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
from typing import Any

import BlueJeansMeetingsRestApi as bluejeans

kept: dict[str, bluejeans.Credentials] = {}


def credentials_of(plan: dict[str, Any]) -> bluejeans.Credentials:
    """The same ones in each round that says the same."""
    key = json.dumps(plan)
    if key not in kept:
        configuration = bluejeans.Configuration()
        configuration.host, configuration.trust_env = plan["host"], False
        vars(configuration).update(plan.get("settings", {}))
        options: dict[str, Any] = {"api": bluejeans.AuthenticationApi(bluejeans.ApiClient(configuration))}
        if plan.get("store"):
            kind, where, *more = plan["store"]
            options["store"] = getattr(bluejeans, kind)(where, **(more[0] if more else {}))
        kept[key] = getattr(bluejeans, plan["kind"])(**plan["arguments"], **options)
    return kept[key]


def ask(plan: dict[str, Any]) -> list[str]:
    credentials, told = credentials_of(plan), []
    barrier = threading.Barrier(plan["threads"])

    def call() -> None:
        barrier.wait()
        try:
            told.append(credentials.get_token().token)
        except bluejeans.ApiException as error:
            told.append(type(error).__name__)

    threads = [threading.Thread(target=call) for _ in range(plan["threads"])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return told


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    print("ready", flush=True)
    for line in sys.stdin:
        print(json.dumps(ask(json.loads(line))), flush=True)
