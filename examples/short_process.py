"""A short process, such as a cloud function, with credentials that later calls reuse.

All settings come from the environment. With BLUEJEANS_TOKEN_STORE, consecutive processes use the same token.
"""

from __future__ import annotations

import sys

import BlueJeansMeetingsRestApi as bluejeans

# Created outside the function, so that later calls in a warm process reuse the token.
try:
    credentials = bluejeans.default_credentials()
except ValueError as error:
    sys.exit(str(error))


def handler(event: dict[str, str]) -> str:
    """Handle an event, as the entry point of the cloud function."""
    token = credentials.get_token(timeout=10)
    return f"{event['name']}: a token of {len(token.token)} characters"


if __name__ == "__main__":
    with credentials.api:
        print(handler({"name": "first"}))
        print(handler({"name": "second"}))
