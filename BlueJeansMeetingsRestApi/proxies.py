"""Which proxy leads to the service, and which setting says so."""

from __future__ import annotations

import base64
import os
import re
from typing import NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit

from .configuration import Configuration, split_url


class Proxy(NamedTuple):
    """A proxy without its credentials, the header that carries them, and the setting that names it."""

    url: str
    headers: dict[str, str]
    setting: str

    def __repr__(self) -> str:
        return f"{self.url}, which {self.setting} names"


def proxy_for(configuration: Configuration) -> Proxy | None:
    """The proxy of the configuration, or the one that the environment has for its host; None for the direct way."""
    if configuration.proxy:
        return _proxy(configuration.proxy, "Configuration.proxy")
    return _proxy_of_environment(urlsplit(configuration.base_url)) if configuration.trust_env else None


def _proxy(url: str, setting: str) -> Proxy:
    parts = split_url(setting, url, userinfo=True)
    userinfo, _, address = parts.netloc.rpartition("@")
    # Not left to urllib3, which takes no character beyond Latin-1 and would hold the password in an attribute.
    credentials = base64.b64encode(unquote(userinfo).encode()).decode("ascii")
    headers = {"Proxy-Authorization": f"Basic {credentials}"} if userinfo else {}
    return Proxy(f"{parts.scheme}://{address}", headers, setting)


def _proxy_of_environment(host: SplitResult) -> Proxy | None:
    # What comes next reads every variable there is, which takes as long as a call.
    if not any(name in os.environ or name.upper() in os.environ for name in (f"{host.scheme}_proxy", "all_proxy")):
        return None
    from urllib.request import getproxies_environment  # knows which of the variables a CGI client could have set

    proxies = getproxies_environment()
    scheme = host.scheme if proxies.get(host.scheme) else "all"
    url = proxies.get(scheme)
    port = host.port or (443 if host.scheme == "https" else 80)
    if not url or _is_bypassed((host.hostname or "").rstrip("."), port, proxies.get("no", "")):
        return None
    name = f"{scheme}_proxy"
    return _proxy(url if "://" in url else f"http://{url}", name if os.environ.get(name) else name.upper())


def _is_bypassed(host: str, port: int, no_proxy: str) -> bool:
    """Whether NO_PROXY has the host: its name, a domain above it, or a network (CIDR), with `:port` or for all."""
    for entry in re.split(r"[,\s]+", no_proxy.lower()):
        # An IPv6 address has a port behind it only if it stands in brackets.
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
