"""Inputs of the command: IDs from arguments or the environment; secrets from the environment, a file or a prompt."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from ..configuration import Configuration, uses_default_host
from ..environment import VARIABLES, read_value, setting, setting_name
from . import terminal

if TYPE_CHECKING:
    from ..api.authentication_api import AuthenticationApi


def get_identity(arguments: argparse.Namespace, name: str) -> str | None:
    """Return an ID or a username from an argument or from the environment."""
    return getattr(arguments, name.lower(), None) or setting(name)


def read_secret(arguments: argparse.Namespace, name: str) -> str | None:
    """Return a secret from --secret-file, the environment or a prompt; None if there is none."""
    prompt = _prompt_for(name)
    if arguments.secret_file == "-":
        # A terminal would echo the secret.
        return terminal.prompt_secret(prompt) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
    if arguments.secret_file is not None:
        return read_value(arguments.secret_file, "--secret-file")
    return setting(name) or terminal.prompt_secret(prompt)


def require_secret(arguments: argparse.Namespace, name: str) -> str:
    """Return a secret as `read_secret` does, or raise a ValueError if there is none."""
    value = read_secret(arguments, name)
    if not value:
        variable = setting_name(name)
        raise ValueError(
            f"The {VARIABLES[name].description} is missing: set {variable} or {variable}_FILE, use --secret-file "
            "(- for standard input), or run this command on a terminal, which prompts for it"
        )
    return value


def _prompt_for(name: str) -> str:
    description = VARIABLES[name].description.capitalize()
    return f"{description} (empty if there is none)" if name == "MEETING_PASSCODE" else description


def make_configuration(arguments: argparse.Namespace, host: str | None = None) -> Configuration:
    """Return the settings from the arguments and the environment.

    host: host of the service (default: --host or the environment).
    """
    configuration = Configuration()
    if host := host or arguments.host:
        configuration.host = host
    configuration.ssl_ca_cert = arguments.ca
    if arguments.debug:
        configuration.debug = True
    return configuration


def find_base_url(arguments: argparse.Namespace) -> str | None:
    """Return the base URL that --host or the environment specifies, or None."""
    configuration = make_configuration(arguments)
    return None if uses_default_host(configuration) else configuration.base_url


def make_api(arguments: argparse.Namespace, host: str | None = None) -> AuthenticationApi:
    """Return the operations of the service; `host` is as in `make_configuration`."""
    from ..api.authentication_api import AuthenticationApi
    from ..api_client import ApiClient

    return AuthenticationApi(ApiClient(make_configuration(arguments, host)))
