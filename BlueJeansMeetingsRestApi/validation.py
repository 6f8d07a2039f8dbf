"""Validation of settings and arguments: times, counts, strings and base URLs."""

from __future__ import annotations

import functools
import math
import threading
from typing import Any

from .transport.urls import split_url


def validate_seconds(name: str, value: Any) -> float:
    """Return `value` as a float.

    name: name of the setting or argument, for the message of the exception.

    Raises TypeError if `value` is not a number, and ValueError if it is not a positive finite number.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{name} must be a number of seconds, not {value!r}")
    if not 0 < value < math.inf:
        raise ValueError(f"{name} must be a positive number of seconds, not {value!r}")
    return float(min(value, threading.TIMEOUT_MAX))


def validate_positive_integer(name: str, value: Any) -> int:
    """Return `value`, or raise a ValueError that contains `name` if it is not a positive integer."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"{name} must be a whole number from 1, not {value!r}")
    return value


def validate_string(name: str, value: Any) -> str:
    """Return `value`, an integer as its digits, or raise a ValueError that contains `name` if it is empty."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not value:
        raise ValueError(f"{name} must be a non-empty string")
    return value


@functools.lru_cache(maxsize=64)
def validate_base_url(name: str, host: str, allow_insecure_host: bool = False) -> str:
    """Return `host` with scheme and host name in lower case and no trailing slash.

    Raises a ValueError that contains `name` if secrets must not be sent to the host.
    """
    parts = split_url(name, host)
    if parts.scheme == "http" and not allow_insecure_host and not _is_loopback(parts.hostname or ""):
        advice = "use https://, or set Configuration.allow_insecure_host = True"
        raise ValueError(f"{name} {host!r} would send secrets in clear text: {advice}")
    return f"{parts.scheme}://{parts.netloc}{parts.path}".rstrip("/")


def _is_loopback(hostname: str) -> bool:
    import ipaddress

    try:
        return ipaddress.ip_address(hostname).is_loopback
    except ValueError:
        return hostname == "localhost" or hostname.endswith(".localhost")
