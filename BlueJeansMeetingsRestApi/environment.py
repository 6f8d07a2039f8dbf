"""What the environment has: settings in `BLUEJEANS_…`, or in a file that `BLUEJEANS_…_FILE` names, and packages."""

from __future__ import annotations

import os


def setting_name(name: str) -> str:
    """The variable of a setting."""
    return f"BLUEJEANS_{name}"


def setting(name: str) -> str | None:
    """The value of `BLUEJEANS_<name>`, or what the file holds that `BLUEJEANS_<name>_FILE` names; None if neither.

    Raises ValueError for a file that cannot be read, and where both are set.
    """
    variable = setting_name(name)
    value, path = os.environ.get(variable), os.environ.get(f"{variable}_FILE")
    if not path:
        return value or None
    if value:
        raise ValueError(f"{variable} and {variable}_FILE are both set: unset one of them")
    return content_of(path, f"{variable}_FILE") or None


def content_of(path: str, named_by: str) -> str:
    """What the file holds, without the end of its line; a ValueError that says what names it if it cannot be read."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read().rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
    # Not with its name, which is the secret itself where somebody has mixed up the two.
    raise ValueError(f"{named_by} names a file that cannot be read: {why}")


def missing(what: str, package: str, extra: str) -> ImportError:
    """The error that says how to install what an extra brings."""
    line = f'pip install "BlueJeansMeetingsRestApi[{extra}]"'
    return ImportError(f"{what} needs {package}, which is not installed: {line}")
