"""The settings that the environment has: `BLUEJEANS_…`, or a file that `BLUEJEANS_…_FILE` names."""

from __future__ import annotations

import os
from collections.abc import Mapping


def setting_name(name: str) -> str:
    """The variable of a setting."""
    return f"BLUEJEANS_{name}"


def setting(name: str, environment: Mapping[str, str] = os.environ) -> str | None:
    """The value of `BLUEJEANS_<name>`, or what the file holds that `BLUEJEANS_<name>_FILE` names; None if neither.

    Raises ValueError for a file that cannot be read, and where both are set.
    """
    variable = setting_name(name)
    value, path = environment.get(variable), environment.get(f"{variable}_FILE")
    if not path:
        return value or None
    if value:
        raise ValueError(f"{variable} and {variable}_FILE are both set: unset one of them")
    try:
        with open(path, encoding="utf-8") as file:
            return file.read().rstrip("\r\n") or None
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ValueError(f"{variable}_FILE names a file that cannot be read: {path!r} ({why})") from None
