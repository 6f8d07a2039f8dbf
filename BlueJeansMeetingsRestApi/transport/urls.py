"""Parsing of the URLs of hosts and proxies; `validation.py` adds the rules of base URLs."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import SplitResult, parse_qsl, urlsplit

from ..redaction import scrub, secrets_in, without_userinfo

_HOST_NAME = re.compile(r"([^.]{1,63}\.)*[^.]{1,63}\.?")  # RFC 1035 section 2.3.4


def split_url(name: str, url: Any, *, userinfo: bool = False) -> SplitResult:
    """Return the parts of an http or https URL, with scheme and host name in lower case.

    name: name of the setting, for the message of the exception.
    userinfo: whether the URL may contain a username and password.

    Raises ValueError if it is not the URL of a host.
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
        # Python's own message may contain a part of a password.
        encoded = "; percent-encode special characters in the username and password" if userinfo else ""
        raise ValueError(f"{name} {shown} has an invalid host or port{encoded}") from None
    if parts.scheme not in ("http", "https") or not _HOST_NAME.fullmatch(parts.hostname or ""):
        raise ValueError(f"{name} {shown} must start with https:// (or http://) and a host name")
    if parts.username is not None and not userinfo:
        raise ValueError(f"{name} {shown} must not contain a username or password")
    if parts.query or parts.fragment or url.endswith(("?", "#")):
        raise ValueError(f"{name} {shown} must not have a query or fragment")
    before_host, at, address = parts.netloc.rpartition("@")
    # The zone of an IPv6 address is case-sensitive.
    name, percent, zone = address.partition("%")
    return parts._replace(netloc=f"{before_host}{at}{name.lower()}{percent}{zone}")
