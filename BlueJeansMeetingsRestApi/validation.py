"""Validation of settings and arguments: times, counts, strings and URLs."""

from __future__ import annotations

import functools
import math
import re
import threading
from typing import Any
from urllib.parse import SplitResult, parse_qsl, urlsplit

from .redaction import scrub, secrets_in, without_userinfo

_HOST_NAME = re.compile(r"([^.]{1,63}\.)*[^.]{1,63}\.?")  # RFC 1035 section 2.3.4


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
    """Return `value`, or raise a ValueError that specifies `name` if it is not a positive integer."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"{name} must be a whole number from 1, not {value!r}")
    return value


def validate_string(name: str, value: Any) -> str:
    """Return `value`, an integer as its digits, or raise a ValueError that specifies `name` if it is empty."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not value:
        raise ValueError(f"{name} must be a non-empty string")
    return value


def split_url(name: str, url: Any, *, userinfo: bool = False) -> SplitResult:
    """Return the parts of an http or https URL, with scheme and host name in lower case.

    Raises a ValueError that specifies `name` if `url` is not the URL of a host.
    """
    query = dict(parse_qsl(str(url).partition("?")[2]))
    shown = repr(scrub(without_userinfo(url), secrets_in(query)) if isinstance(url, str) else url)
    if not isinstance(url, str) or any(c <= " " or not c.isascii() for c in url):
        seen = "" if any(c < " " for c in str(url)) else f"{shown} "
        raise ValueError(f"{name} {seen}must be a URL of ASCII characters without spaces, such as https://example.com")
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        # Omit Python's message because it may contain a part of a password.
        encoded = "; what is special in a user name or password has to be percent-encoded" if userinfo else ""
        raise ValueError(f"{name} {shown} has a host or a port that is none{encoded}") from None
    if parts.scheme not in ("http", "https") or not _HOST_NAME.fullmatch(parts.hostname or ""):
        raise ValueError(f"{name} {shown} must start with https:// (or http://) and a host name")
    if parts.username is not None and not userinfo:
        raise ValueError(f"{name} {shown} must not hold a user name or password")
    if parts.query or parts.fragment or url.endswith(("?", "#")):
        raise ValueError(f"{name} {shown} must not have a query or fragment behind it")
    before_host, at, address = parts.netloc.rpartition("@")
    # The zone of an IPv6 address is case-sensitive.
    host, percent, zone = address.partition("%")
    return parts._replace(netloc=f"{before_host}{at}{host.lower()}{percent}{zone}")


@functools.lru_cache(maxsize=64)
def validate_base_url(name: str, host: str, allow_insecure_host: bool = False) -> str:
    """Return `host` with scheme and host name in lower case and no trailing slash.

    Raises a ValueError that specifies `name` if secrets must not be sent to the host.
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
