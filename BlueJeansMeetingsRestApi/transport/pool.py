"""The connections to one host: their pool, their TLS settings, and the proxy in between."""

from __future__ import annotations

import functools
import io
import queue
from typing import Any
from urllib.parse import urlsplit

import urllib3
from urllib3.util import Retry, Timeout

from .connection import URLLIB3_1, connection_class
from .deadline import Attempt
from .proxies import proxy_for
from .request import Payload, Request
from .response import Response
from .settings import ConnectionSettings
from .streamed import UnreadResponse
from .tls import tls_context, warn_if_unverified

_NO_RETRIES = Retry(False, redirect=False)


class _IdleConnections:
    """The pooled connections, with the methods that urllib3 calls of a queue.

    Its own is filled with None, and takes locks: a tenth of the time of a client's first call, a twentieth of each.
    """

    def __init__(self, maxsize: int) -> None:
        self._maxsize, self._connections = maxsize, list[Any]()

    def get(self, block: bool = False, timeout: Any = None) -> Any:
        """Return a connection; raise queue.Empty to have a new one made. timeout: the `Attempt`."""
        try:
            connection = self._connections.pop()
        except IndexError:
            raise queue.Empty from None
        if getattr(timeout, "fresh", False):
            connection.close()
            raise queue.Empty
        return connection

    def put(self, connection: Any, block: bool = False) -> None:
        """Take a connection back; raise queue.Full if there are enough."""
        if connection is None:
            return
        if getattr(connection, "unread", False):
            connection.close()  # its caller released it before the end of the response
        if len(self._connections) >= self._maxsize:
            raise queue.Full
        self._connections.append(connection)

    def qsize(self) -> int:
        return len(self._connections)


class _ResponseCls(urllib3.HTTPResponse):
    """The class that urllib3 1.26 calls to convert a response."""

    @classmethod
    def from_httplib(cls, response: Any, **options: Any) -> Any:
        return response.of_urllib3(**options) if isinstance(response, UnreadResponse) else response


def _pool_class(pool: Any) -> Any:
    attributes = {"ConnectionCls": connection_class(pool), "QueueCls": _IdleConnections}
    return type(pool.__name__, (pool,), {**attributes, **({"ResponseCls": _ResponseCls} if URLLIB3_1 else {})})


_URLLIB3_POOLS = {"http": urllib3.HTTPConnectionPool, "https": urllib3.HTTPSConnectionPool}


@functools.lru_cache(maxsize=1)
def _pool_classes() -> dict[str, Any]:
    return {scheme: _pool_class(pool) for scheme, pool in _URLLIB3_POOLS.items()}


def is_recorded() -> bool:
    """Return whether a recorder, such as vcrpy, has replaced urllib3's classes of connections."""
    return not urllib3.HTTPConnectionPool.ConnectionCls.__module__.startswith("urllib3.")


class Pool:
    """Sends requests to the host of `base_url`, over connections that it keeps.

    maxsize: how many idle connections it keeps. recorded: whether requests go through urllib3's own connections, which
    a recorder has replaced.
    """

    def __init__(self, settings: ConnectionSettings, base_url: str, maxsize: int, recorded: bool = False) -> None:
        parts = urlsplit(base_url)
        secure = parts.scheme == "https"
        proxy = proxy_for(base_url, settings.proxy, settings.trust_env)
        options: dict[str, Any] = {"maxsize": maxsize}
        proxy_context: Any = tls_context(proxy.url, settings, is_proxy=True) if proxy and proxy.is_secure else None
        if secure:
            options["ssl_context"] = tls_context(base_url, settings)
            if settings.assert_hostname is not None and settings.ssl_context is None:
                options["assert_hostname"] = settings.assert_hostname
            warn_if_unverified(settings, parts.netloc)
        elif proxy_context is not None:
            # A proxy that forwards requests takes the place of the service.
            options["ssl_context"] = proxy_context
        for context in (proxy_context, options.get("ssl_context")):
            if recorded and context is not None:
                context.requires_deadline = False
        classes = _URLLIB3_POOLS if recorded else _pool_classes()
        self._pool: Any
        if proxy:
            manager = urllib3.ProxyManager(
                proxy.url, proxy_headers=proxy.headers, proxy_ssl_context=proxy_context, **options
            )
            manager.pool_classes_by_scheme = classes
            self._pool = manager.connection_from_url(base_url)
        else:
            self._pool = classes[parts.scheme](parts.hostname, parts.port, **options)
        self._recorded = recorded
        # A proxy that forwards requests needs whole URLs.
        self._prefix = base_url if proxy is not None and not secure else parts.path

    def exchange(self, request: Request, attempt: Attempt) -> Any:
        """Send a request once, and return the `Response`, or urllib3's to an attempt that is streamed.

        Raises an HTTPError of urllib3 if that fails.
        """
        if self._recorded:
            return self._exchange_recorded(request, attempt)
        payload = Payload(request.body)
        payload.request, payload.attempt, payload.prefix = request, attempt, self._prefix
        response = self._pool.urlopen(
            request.method,
            self._prefix + request.public_path,
            body=payload,
            headers=dict(request.public_headers),
            retries=_NO_RETRIES,
            redirect=False,
            assert_same_host=False,
            timeout=attempt,
            pool_timeout=attempt,
            release_conn=not attempt.streamed,
            preload_content=False,
        )
        if isinstance(response, Response):
            response.decompress(attempt.max_bytes)
        return response

    def _exchange_recorded(self, request: Request, attempt: Attempt) -> Any:
        """Send a request as any other program that uses urllib3, so that the recorder sees all of it."""
        response = self._pool.urlopen(
            request.method,
            self._prefix + request.target,
            body=request.body or None,
            headers=dict(request.headers),
            retries=_NO_RETRIES,
            redirect=False,
            assert_same_host=False,
            timeout=Timeout(connect=attempt.limits.connect, read=attempt.limits.read),
            preload_content=False,
            decode_content=False,
        )
        attempt.connected, attempt.status = True, response.status
        if attempt.streamed and response.status in attempt.successes:
            return response
        whole = Response(
            response.status,
            response.headers,
            response.read(attempt.max_bytes + 1, decode_content=False),
            response.reason,
        )
        response.release_conn()
        whole.decompress(attempt.max_bytes)
        return whole

    def close(self) -> None:
        """Close the idle connections."""
        self._pool.close()


def unread(response: Response, request: Request) -> urllib3.HTTPResponse:
    """Return a response as urllib3 returns one whose body was not read yet."""
    return urllib3.HTTPResponse(
        io.BytesIO(response.content),
        response.headers,
        response.status,
        response.version,
        reason=response.reason,
        preload_content=False,
        request_method=request.method,
    )
