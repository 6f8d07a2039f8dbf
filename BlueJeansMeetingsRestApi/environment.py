"""Environment variables that the package reads, and errors about optional packages that are not installed."""

from __future__ import annotations

import os
from typing import NamedTuple


class Variable(NamedTuple):
    """An environment variable `BLUEJEANS_<name>`; `BLUEJEANS_<name>_FILE` may contain the path of its value instead.

    description: noun phrase for documentation and prompts.
    used_for: "connection", "credentials", "store" or "demo".
    """

    description: str
    used_for: str
    is_secret: bool = False


VARIABLES = {
    "HOST": Variable("URL of the service", "connection"),
    "ACCESS_TOKEN": Variable("access token", "credentials", is_secret=True),
    "CLIENT_ID": Variable("client ID", "credentials"),
    "CLIENT_SECRET": Variable("client secret", "credentials", is_secret=True),
    "USERNAME": Variable("username", "credentials"),
    "PASSWORD": Variable("password", "credentials", is_secret=True),
    "MEETING_ID": Variable("meeting ID", "credentials"),
    "MEETING_PASSCODE": Variable("meeting passcode", "credentials", is_secret=True),
    "TOKEN_STORE": Variable("path of a token file, or URL of a Redis server", "store"),
    "CODE": Variable("authorization code", "demo", is_secret=True),
    "REDIRECT_URI": Variable("redirect URI of the authorization code", "demo"),
}


def setting_name(name: str) -> str:
    """Return the name of the environment variable of a setting."""
    return f"BLUEJEANS_{name}"


def setting(name: str) -> str | None:
    """Return the value of a variable in `VARIABLES`, or the content of the file that its `_FILE` variable specifies.

    Returns None if neither is set. Raises ValueError if the file cannot be read, or if both variables are set.
    """
    assert name in VARIABLES, name
    variable = setting_name(name)
    value, path = os.environ.get(variable), os.environ.get(f"{variable}_FILE")
    if not path:
        return value or None
    if value:
        raise ValueError(f"{variable} and {variable}_FILE are both set: unset one of them")
    return read_value(path, f"{variable}_FILE") or None


def read_value(path: str, source: str) -> str:
    """Return the content of a file without the trailing newline.

    source: option or variable that contains the path, for the message of the exception.

    Raises ValueError if the file cannot be read.
    """
    try:
        with open(path, encoding="utf-8") as file:
            return file.read().rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
    # Omit the path because a user may pass the secret itself by mistake.
    raise ValueError(f"{source} names a file that cannot be read: {reason}")


def missing(feature: str, package: str, extra: str) -> ImportError:
    """Return an error that contains the pip command for an extra that is not installed."""
    command = f'pip install "BlueJeansMeetingsRestApi[{extra}]"'
    return ImportError(f"{feature} needs {package}, which is not installed: {command}")
