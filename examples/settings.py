"""What the examples share: settings from the environment, and a client that they configure."""

import os
import sys

import BlueJeansMeetingsRestApi as bluejeans


def setting(name: str) -> str:
    """The value of an environment variable; the script ends with a line that names it where there is none."""
    value = os.environ.get(name)
    if not value:
        sys.exit(f"Set the environment variable {name}")
    return value


def configured() -> bluejeans.Configuration:
    """Settings for BLUEJEANS_HOST, or for the live service where that is not set."""
    return bluejeans.Configuration()


def client() -> bluejeans.ApiClient:
    """A client with these settings."""
    return bluejeans.ApiClient(configured())
