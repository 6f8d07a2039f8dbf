"""Selection of the proxy for a host from the settings or the environment, NO_PROXY included."""

from __future__ import annotations

import base64
import os
import re
from typing import NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit

from .urls import split_url


class Proxy(NamedTuple):
    """The URL of a proxy without its credentials, the header that contains them, and the setting that specifies it."""

    url: str
    headers: dict[str, str]
    setting: str

    @property
    def is_secure(self) -> bool:
        """Whether the connection to the proxy uses TLS."""
        return self.url.startswith("https:")

    def __repr__(self) -> str:
        return f"{self.url} ({self.setting})"


def proxy_for(base_url: str, proxy: str | None, trust_env: bool) -> Proxy | None:
    """Return the proxy for `base_url`, or None.

    proxy: URL in the settings, which takes precedence over the environment.
    trust_env: whether to use the proxy variables of the environment.
    """
    if proxy:
        return _proxy(proxy, "Configuration.proxy")
    return _proxy_of_environment(urlsplit(base_url)) if trust_env else None


def _proxy(url: str, setting: str) -> Proxy:
    parts = split_url(setting, url, userinfo=True)
    userinfo, _, address = parts.netloc.rpartition("@")
    # urllib3 accepts only Latin-1 in credentials, and stores the password in an attribute.
    credentials = base64.b64encode(unquote(userinfo).encode()).decode("ascii")
    headers = {"Proxy-Authorization": f"Basic {credentials}"} if userinfo else {}
    return Proxy(f"{parts.scheme}://{address}", headers, setting)


def _proxy_of_environment(host: SplitResult) -> Proxy | None:
    # Avoid getproxies_environment if possible: it reads every variable, which takes as long as a call.
    if not any(name in os.environ or name.upper() in os.environ for name in (f"{host.scheme}_proxy", "all_proxy")):
        return None
    from urllib.request import getproxies_environment  # ignores HTTP_PROXY in CGI programs, where clients can set it

    proxies = getproxies_environment()
    scheme = host.scheme if proxies.get(host.scheme) else "all"
    url = proxies.get(scheme)
    port = host.port or (443 if host.scheme == "https" else 80)
    if not url or _is_bypassed((host.hostname or "").rstrip("."), port, proxies.get("no", "")):
        return None
    name = f"{scheme}_proxy"
    return _proxy(url if "://" in url else f"http://{url}", name if os.environ.get(name) else name.upper())


def _is_bypassed(host: str, port: int, no_proxy: str) -> bool:
    """Return whether NO_PROXY contains the host: its name, its domain, or a network (CIDR), with or without a port."""
    for entry in re.split(r"[,\s]+", no_proxy.lower()):
        # A port can follow an IPv6 address only if that is in brackets.
        parts = re.fullmatch(r"(\[.+\]|[^:]+)(?::(\d+))?", entry)
        name, only = parts.groups() if parts else (entry, None)
        if (not only or int(only) == port) and (name == "*" or _is_within(host, name.strip("[]"))):
            return True
    return False


def _is_within(host: str, name: str) -> bool:
    import ipaddress

    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        domain = name.lstrip("*").lstrip(".")
        return bool(domain) and f".{host}".endswith(f".{domain}")
    try:
        return address in ipaddress.ip_network(name, strict=False)
    except ValueError:
        return False
