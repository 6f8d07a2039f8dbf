"""What the command is given: identities by arguments and the environment, secrets by all ways but arguments."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from ..configuration import Configuration, uses_default_host
from ..environment import content_of, setting, setting_name
from . import terminal

if TYPE_CHECKING:
    from ..api.authentication_api import AuthenticationApi

# The secret of an identity, and how a person is asked for it.
SECRETS = {
    "CLIENT_SECRET": "The client's secret",
    "PASSWORD": "The user's password",
    "MEETING_PASSCODE": "The meeting's passcode, nothing if it has none",
    "ACCESS_TOKEN": "",
}


def identity(arguments: argparse.Namespace, name: str) -> str | None:
    """An identity, from an argument or from the environment."""
    return getattr(arguments, name.lower(), None) or setting(name)


def secret(arguments: argparse.Namespace, name: str) -> str | None:
    """A secret: from the file that is named, from the environment, or from the person; None if from nobody."""
    if arguments.secret_file is not None:
        return _content_of(arguments.secret_file, SECRETS[name])
    return setting(name) or terminal.ask(SECRETS[name])


def needed(arguments: argparse.Namespace, name: str) -> str:
    """A secret that has to be there; ValueError if it is not."""
    value = secret(arguments, name)
    if not value:
        variable = setting_name(name)
        raise ValueError(
            f"{SECRETS[name]} is needed: set {variable} or {variable}_FILE, give --secret-file (- for standard input), "
            "or run this on a terminal, which asks for it"
        )
    return value


def _content_of(path: str, what: str) -> str | None:
    if path == "-":
        # A terminal would show it.
        return terminal.ask(what) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
    return content_of(path, "--secret-file")


def configuration(arguments: argparse.Namespace, host: str | None = None) -> Configuration:
    """The settings that the arguments and the environment make, for another host where one is given."""
    made = Configuration()
    if host := host or arguments.host:
        made.host = host
    made.ssl_ca_cert = arguments.ca
    if arguments.debug:
        made.debug = True
    return made


def base_url(arguments: argparse.Namespace) -> str | None:
    """Return the base URL that --host or the environment specifies, or None."""
    made = configuration(arguments)
    return None if uses_default_host(made) else made.base_url


def api(arguments: argparse.Namespace, host: str | None = None) -> AuthenticationApi:
    """The operations of the service that is meant."""
    from ..api.authentication_api import AuthenticationApi
    from ..api_client import ApiClient

    return AuthenticationApi(ApiClient(configuration(arguments, host)))
