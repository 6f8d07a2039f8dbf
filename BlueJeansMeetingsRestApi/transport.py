"""The connections below urllib3: how long they may take, whom they trust, and which way they go.

A timeout of urllib3 bounds one `recv`, so a server that sends a byte now and then outlives it: our reader asks before
each `recv` how much of the call's time is left. And urllib3 writes the target of each request to its log and into its
errors: our connection adds the query, which may hold a token, after urllib3 has let go of it.
"""

from __future__ import annotations

import functools
import http.client
import io
import math
import os
import socket
import ssl
import threading
import time
from typing import Any
from urllib.parse import unquote, urlsplit

import certifi
import urllib3
from urllib3.util.ssl_ import create_urllib3_context

from .configuration import Configuration, split_url


class CurrentCall(threading.local):
    """What the connection needs to know of the call that this thread is making, and tells of it."""

    deadline = math.inf
    query = ""
    connected = False


call = CurrentCall()


class _BoundedReader(io.RawIOBase):
    """Reads from a socket for as long as the call that is under way has time."""

    def __init__(self, sock: socket.socket, file: io.RawIOBase) -> None:
        self._sock, self._file, self._silence = sock, file, sock.gettimeout() or math.inf

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = min(call.deadline - time.monotonic(), self._silence)
        if left <= 0:
            raise socket.timeout("timed out")
        self._sock.settimeout(left if left < math.inf else None)
        return self._file.readinto(buffer)

    def close(self) -> None:
        self._file.close()
        super().close()


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp: Any = io.BufferedReader(_BoundedReader(sock, self.fp.detach()))


class _OnOurTerms:
    """What our connections do differently, over HTTP and HTTPS alike."""

    response_class: Any = _Response
    # Others may set it on http.client's class, which would print each request with its secrets.
    debuglevel = 0

    def connect(self) -> None:
        super().connect()  # type: ignore[misc]
        call.connected = True

    def putrequest(self, method: str, url: str, *args: Any, **kwargs: Any) -> None:
        call.connected = self.sock is not None  # type: ignore[attr-defined]
        if call.query:
            url += ("&" if "?" in url else "?") + call.query
        super().putrequest(method, url, *args, **kwargs)  # type: ignore[misc]


def _on_our_terms(pool: Any) -> Any:
    connection = type(pool.ConnectionCls.__name__, (_OnOurTerms, pool.ConnectionCls), {})
    return type(pool.__name__, (pool,), {"ConnectionCls": connection})


_POOLS = {"http": _on_our_terms(urllib3.HTTPConnectionPool), "https": _on_our_terms(urllib3.HTTPSConnectionPool)}


def pool_manager(configuration: Configuration, pools_size: int, maxsize: int) -> urllib3.PoolManager:
    """urllib3's pools of our connections, with the TLS and the proxy of the configuration."""
    settings: dict[str, Any] = {"num_pools": pools_size, "maxsize": maxsize, "ssl_context": _ssl_context(configuration)}
    if configuration.assert_hostname is not None and configuration.base_url.startswith("https:"):
        settings["assert_hostname"] = configuration.assert_hostname  # urllib3 1.26 takes it for HTTPS alone
    manager = urllib3.PoolManager(**settings)
    proxy = configuration.proxy or (configuration.trust_env and _proxy_of_environment(configuration.base_url))
    if proxy:
        userinfo = urllib3.util.parse_url(proxy).auth
        headers = urllib3.make_headers(proxy_basic_auth=unquote(userinfo)) if userinfo else None
        manager = urllib3.ProxyManager(proxy, proxy_headers=headers, **settings)
    manager.pool_classes_by_scheme = _POOLS
    return manager


def _proxy_of_environment(base_url: str) -> str | None:
    """The proxy that HTTPS_PROXY or HTTP_PROXY names for the host, unless NO_PROXY excludes it."""
    from urllib.request import getproxies_environment, proxy_bypass_environment  # type: ignore[attr-defined]

    proxies, parts = getproxies_environment(), urlsplit(base_url)
    proxy: str | None = proxies.get(parts.scheme) or proxies.get("all")
    if not proxy or proxy_bypass_environment(parts.netloc, proxies):
        return None
    proxy = proxy if "://" in proxy else f"http://{proxy}"
    split_url(f"The environment's proxy for {parts.scheme}", proxy, userinfo=True)
    return proxy


def _ssl_context(configuration: Configuration) -> ssl.SSLContext:
    own = (configuration.verify_ssl, configuration.ssl_ca_cert, configuration.cert_file, configuration.key_file)
    return _shared_ssl_context() if own == (True, None, None, None) else _new_ssl_context(*own)


def _new_ssl_context(
    verify: bool = True, authorities: str | None = None, cert_file: str | None = None, key_file: str | None = None
) -> ssl.SSLContext:
    context: ssl.SSLContext = create_urllib3_context(cert_reqs=ssl.CERT_REQUIRED if verify else ssl.CERT_NONE)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    authorities = authorities or certifi.where()
    setting = f"ssl_ca_cert {authorities!r}"
    try:
        if verify:
            context.load_verify_locations(**{"capath" if os.path.isdir(authorities) else "cafile": authorities})
        if cert_file:
            setting = f"cert_file {cert_file!r} with key_file {key_file!r}"
            context.load_cert_chain(cert_file, key_file)
    except OSError as error:
        raise ValueError(f"Configuration.{setting} is not what it should be, in PEM: {error}") from None
    return context


# Reading certifi's authorities takes longer than a call, and they are the same for every client.
_shared_ssl_context = functools.lru_cache(maxsize=1)(_new_ssl_context)
