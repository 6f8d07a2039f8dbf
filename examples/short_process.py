"""A short process, such as a function in a cloud: the credentials outlive a call, and start with none.

All is in the environment; with BLUEJEANS_TOKEN_STORE, one process after the other uses the same token.
"""

from __future__ import annotations

import sys

import BlueJeansMeetingsRestApi as bluejeans

# Outside the function, so that the next call of a warm process has the token.
try:
    credentials = bluejeans.default_credentials()
except ValueError as error:
    sys.exit(str(error))


def handler(event: dict[str, str]) -> str:
    """What the cloud calls."""
    token = credentials.get_token(timeout=10)
    return f"{event['name']}: a token of {len(token.token)} characters"


if __name__ == "__main__":
    with credentials.api:
        print(handler({"name": "first"}))
        print(handler({"name": "second"}))
