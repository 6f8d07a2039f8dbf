"""Settings from the environment and a client, shared by the examples."""

import os
import sys

import BlueJeansMeetingsRestApi as bluejeans


def setting(name: str) -> str:
    """Return the value of an environment variable, or exit with a message if it is not set."""
    value = os.environ.get(name)
    if not value:
        sys.exit(f"Set the environment variable {name}")
    return value


def configured() -> bluejeans.Configuration:
    """Return a configuration for BLUEJEANS_HOST, or for the live service if that is not set."""
    return bluejeans.Configuration()


def client() -> bluejeans.ApiClient:
    """Return a client with this configuration."""
    return bluejeans.ApiClient(configured())
