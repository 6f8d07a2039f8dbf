"""`RESTClientObject`: sends a request, retries it by its `RetryPolicy`, and raises the `ApiException` of a failure."""

from __future__ import annotations

import functools
import io
import logging
import operator
import os
import time
from collections.abc import Iterable, Mapping
from typing import Any, Callable, Union
from urllib.parse import parse_qsl, urlsplit

import urllib3
from urllib3.exceptions import HTTPError, ProtocolError

from .configuration import PACKAGE_LOGGER, Configuration, is_warning_due, warn_about_default_host
from .exceptions import (
    ApiConnectionError,
    ApiProxyError,
    ApiResponseError,
    ApiTimeoutError,
    ApiTLSError,
    RedirectError,
    kind_of_status,
)
from .exceptions import ApiException as ApiException
from .redaction import chain, clear_frames, leaves_no_variables, scrub, secrets_in
from .transport import errors
from .transport import request as requests
from .transport.deadline import Attempt, sleep
from .transport.deadline import Limits as Limits
from .transport.pool import Pool, is_recorded, unread
from .transport.proxies import Proxy, proxy_for
from .transport.request import METHODS as METHODS
from .transport.request import Request as Request
from .transport.request import check_encodable as check_encodable
from .transport.response import TRUNCATED, HTTPHeaderDict, Response
from .transport.retry import RetryPolicy, parse_retry_after
from .transport.settings import ConnectionSettings
from .validation import validate_base_url, validate_seconds

RequestTimeout = Union[float, "tuple[float | None, float | None]", None]
Send = Callable[[Request], Response]

logger = logging.getLogger(f"{PACKAGE_LOGGER}.rest")

_SETTINGS = operator.attrgetter(*ConnectionSettings._fields)
_KINDS = {
    errors.CONNECTION: ApiConnectionError,
    errors.TIMEOUT: ApiTimeoutError,
    errors.TLS: ApiTLSError,
    errors.PROXY: ApiProxyError,
}


class RESTResponse(io.IOBase):
    """A response: `status`, `reason`, `headers`, `content` (bytes), `data` (text); `problem` if it is incomplete.

    request: the request that it responds to.
    """

    request: Request | None = None

    def __init__(self, resp: Any, content: bytes | None = None, problem: str = "") -> None:
        self.status: int = resp.status
        self.reason: str = resp.reason
        self.content: bytes = resp.data if content is None else content
        self.problem = problem
        self._headers: Mapping[str, str] = resp.headers

    @functools.cached_property
    def headers(self) -> HTTPHeaderDict:
        """All headers, by names in any case."""
        return HTTPHeaderDict(self._headers.items())

    @property
    def urllib3_response(self) -> urllib3.HTTPResponse:
        """The response as urllib3 has it."""
        return urllib3.HTTPResponse(self.content, self.headers, self.status, reason=self.reason)

    @property
    def data(self) -> str:
        """The body as text; bytes that are not UTF-8 become U+FFFD."""
        return self.content.decode("utf-8-sig", "replace")

    def getheaders(self) -> HTTPHeaderDict:
        """Return all headers."""
        return self.headers

    def getheader(self, name: str, default: str | None = None) -> str | None:
        """Return the header of that name, in any case."""
        return self.headers.get(name, default)


def _verb(method: str) -> Callable[..., Any]:
    """Return the method of `RESTClientObject` with the name of a method of HTTP."""

    def call(self: RESTClientObject, url: str, headers: Any = None, query_params: Any = None, **arguments: Any) -> Any:
        return self.request(method, url, query_params, headers, **arguments)

    call.__name__, call.__doc__ = method, f"Call `request` with the method {method}."
    return call


def _pairs(params: Mapping[str, Any] | Iterable[tuple[str, Any]] | None) -> list[tuple[str, Any]]:
    pairs: Any = params.items() if isinstance(params, Mapping) else params or ()
    return list(pairs)


class RESTClientObject:
    """Sends requests for one `Configuration`, over connections that it keeps.

    pools_size: for how many hosts it keeps connections. maxsize: how many for each of them;
    `Configuration.connection_pool_maxsize` if None.
    send: called with the `Request` of each attempt in place of the network, and returns its `Response`. It may raise an
    OSError or an HTTPError of urllib3, as the network does.
    """

    def __init__(
        self, configuration: Configuration, pools_size: int = 4, maxsize: int | None = None, send: Send | None = None
    ) -> None:
        self.configuration = configuration
        self._pools_size, self._maxsize = pools_size, maxsize or configuration.connection_pool_maxsize
        self._pools: dict[tuple[Any, ...], Pool] = {}
        self._send_instead = send

    def __getstate__(self) -> dict[str, Any]:
        # A copy opens its own connections.
        return {**vars(self), "_pools": {}}

    @property
    def pool_manager(self) -> Any:
        """Raise an error: programs of the 2019 SDK replace it in tests, and `ApiClient(send=...)` takes its place."""
        raise AttributeError(_NO_POOL_MANAGER)

    @pool_manager.setter
    def pool_manager(self, value: Any) -> None:
        raise AttributeError(_NO_POOL_MANAGER)

    def limits(self, request_timeout: RequestTimeout = None) -> Limits:
        """Return the time limits of a call that begins now. Raises ValueError or TypeError for an invalid timeout.

        request_timeout: the `_request_timeout` of `call_api`; a None in a pair stands for the configuration's value.
        """
        names = ("connect_timeout", "read_timeout", "call_timeout")
        connect, read, total = (
            validate_seconds(f"Configuration.{name}", getattr(self.configuration, name)) for name in names
        )
        if isinstance(request_timeout, (tuple, list)) and len(request_timeout) == 2:
            connect, read = (
                usual if part is None else validate_seconds("_request_timeout", part)
                for part, usual in zip(request_timeout, (connect, read))
            )
            total = max(total, connect + read)
        elif request_timeout is not None:
            total = read = validate_seconds("_request_timeout", request_timeout)
        return Limits(connect, read, time.monotonic() + total)

    def _pool(self, base_url: str) -> Pool:
        """Return the connections to a host, which are made on first use, and again in a forked child."""
        # Connections that were made with other settings are not used again.
        key = (os.getpid(), base_url, is_recorded(), _SETTINGS(self.configuration))
        pool = self._pools.get(key)
        if pool is None:
            self._close(list(reversed(self._pools))[self._pools_size - 1 :])
            made = Pool(ConnectionSettings(*key[3]), base_url, self._maxsize, recorded=key[2])
            # Two threads may both make one. `setdefault` chooses one of them; the other was never connected.
            pool = self._pools.setdefault(key, made)
        return pool

    def close(self) -> None:
        """Close all connections. The client stays usable and opens new ones."""
        self._close([key for key in list(self._pools) if key[0] == os.getpid()])

    def _close(self, keys: list[tuple[Any, ...]]) -> None:
        for key in keys:
            pool = self._pools.pop(key, None)
            if pool is not None:
                pool.close()

    def prepare(
        self,
        method: str,
        base_url: str,
        path: str,
        query: list[tuple[str, Any]],
        headers: Mapping[str, Any],
        body: Any,
        fields: list[tuple[str, Any]],
        **options: Any,
    ) -> Request:
        """Return a request that is ready to be sent; see `transport.request.prepare`."""
        try:
            return requests.prepare(method, base_url, path, query, headers, body, fields, **options)
        except requests.UnsupportedBodyError as error:
            raise ApiException(0, str(error)) from None

    @leaves_no_variables
    def request(
        self,
        method: str,
        url: str,
        query_params: Mapping[str, Any] | Iterable[tuple[str, Any]] | None = None,
        headers: Mapping[str, Any] | None = None,
        body: Any = None,
        post_params: Mapping[str, Any] | Iterable[tuple[str, Any]] | None = None,
        _preload_content: bool = True,
        _request_timeout: RequestTimeout = None,
    ) -> Any:
        """Send a request to a whole URL, as programs of the 2019 SDK do. Raises what `ApiClient.call_api` raises.

        Returns the `RESTResponse`, or urllib3's unread response if not `_preload_content`.
        """
        parts = urlsplit(url)
        base = validate_base_url("url", f"{parts.scheme}://{parts.netloc}", self.configuration.allow_insecure_host)
        path = url[len(base) :].partition("#")[0]
        query, fields = _pairs(query_params), _pairs(post_params)
        secrets = secrets_in([body, dict(parse_qsl(parts.query))])
        template = getattr(url, "template", "")  # of a `legacy.Url`
        prepared = self.prepare(
            method, base, path, query, headers or {}, body, fields, template=template, secrets=secrets
        )
        return self.send(prepared, _preload_content, self.limits(_request_timeout))

    GET = _verb("GET")
    HEAD = _verb("HEAD")
    OPTIONS = _verb("OPTIONS")
    POST = _verb("POST")
    PATCH = _verb("PATCH")
    PUT = _verb("PUT")
    DELETE = _verb("DELETE")

    def send(
        self,
        request: Request,
        preload_content: bool = True,
        limits: Limits | None = None,
        max_attempts: int | None = None,
    ) -> Any:
        """Return the `RESTResponse` to a request, or urllib3's unread response if not `preload_content`.

        Raises what `ApiClient.call_api` raises.
        """
        if is_warning_due(self.configuration, request.base_url) and request.secrets:
            warn_about_default_host()
        limits = limits or self.limits()
        policy = RetryPolicy(self.configuration.max_attempts if max_attempts is None else max_attempts)
        number = 1
        # The server may have closed a pooled connection already. A request that must not be sent twice uses a new one.
        fresh = not request.idempotent
        while True:
            attempt = Attempt(
                limits, fresh, not preload_content, self.configuration.max_response_bytes, request.successes
            )
            try:
                return self._attempt(request, attempt)
            except ApiException as error:
                error.attempts = number
                # A pooled connection that was closed does not mean that the service is busy: do not wait.
                stale = isinstance(error, ApiConnectionError) and attempt.reused
                pause = 0.0 if stale else policy.pause(number, error.retry_after)
                in_time = time.monotonic() + pause < limits.end
                if not error.retryable or number >= policy.attempts or not in_time:
                    raise
                logger.info("%s failed (%s), trying again in %.2f s", request, error.reason, pause)
            sleep(pause)
            number += 1
            fresh = True

    def _attempt(self, request: Request, attempt: Attempt) -> Any:
        """Send a request once, and return its response, or raise the kind of ApiException that explains the failure."""
        started = time.monotonic()
        try:
            response = self._exchange(request, attempt)
            logger.debug("%s -> %d in %.0f ms", request, response.status, (time.monotonic() - started) * 1000)
            return self._checked(response, request) if isinstance(response, Response) else response
        except HTTPError as error:
            failure = self._failure(error, request, attempt)
        try:
            # Raised outside of the handler, so that urllib3's error does not become a hidden `__context__`.
            raise failure
        finally:
            del failure  # otherwise it would refer to itself, through its traceback and this frame

    def _exchange(self, request: Request, attempt: Attempt) -> Any:
        if self._send_instead is None:
            return self._pool(request.base_url).exchange(request, attempt)
        try:
            response = self._send_instead(request)
        except OSError as error:
            raise ProtocolError("send failed", error) from error
        if not isinstance(response, Response):
            raise TypeError(f"send must return a Response, not {type(response).__name__}")
        if attempt.streamed and response.status in attempt.successes:
            return unread(response, request)
        response.decompress(attempt.max_bytes)
        return response

    def _failure(self, error: HTTPError, request: Request, attempt: Attempt) -> ApiException:
        """Return the kind of ApiException that stands for an error of urllib3."""
        failed = errors.describe_error(error, attempt.connected, self._proxy(request))
        secrets = request.secrets
        host = urlsplit(request.base_url).netloc
        failure: ApiException = _KINDS[failed.kind](
            0, f"{failed.what} {host} ({failed.why})", detail=f"{request}\n{failed.advice}".strip(), secrets=secrets
        )
        # Once there is a connection, the request may have been received.
        failure.retryable = failed.retryable and (request.idempotent or not attempt.connected)
        links = list(chain(error))
        for link in links:
            # The variables of urllib3's functions contain the request.
            clear_frames(link.__traceback__)
        shown = "".join(f"{link} {link.args}" for link in links)
        failure.__cause__ = error if scrub(shown, secrets) == shown else None
        return failure

    def _checked(self, response: Response, request: Request) -> RESTResponse:
        """Return a success that is complete; raise the exception that stands for any other response."""
        checked = RESTResponse(response, response.content, response.problem)
        checked.request = request
        success = response.status in request.successes
        if success and not response.problem:
            return checked
        kind, advice = (ApiResponseError, "") if success else self._refusal(request, response.status)
        raise kind(
            reason=response.problem if success else None,
            http_resp=checked,
            detail=f"{request}\n{advice}".strip(),
            secrets=request.secrets,
            retryable=request.idempotent
            and (response.problem == TRUNCATED or response.status in RetryPolicy().statuses),
            retry_after=parse_retry_after(response.getheader("Retry-After")),
        )

    def _refusal(self, request: Request, status: int) -> tuple[type[ApiException], str]:
        """Return the kind of ApiException for a status, and what to do about it."""
        proxy = self._proxy(request) if status == 407 else None
        if proxy:
            return ApiProxyError, f"The proxy is {proxy!r}. {errors.PROXY_CREDENTIALS}"
        kind = kind_of_status(status)
        redirected = "Nothing was sent to the redirect target, which is in `headers`. Check Configuration.host."
        return kind, redirected if kind is RedirectError else ""

    def _proxy(self, request: Request) -> Proxy | None:
        return proxy_for(request.base_url, self.configuration.proxy, self.configuration.trust_env)


_NO_POOL_MANAGER = (
    "rest_client.pool_manager does not exist. To replace the network in tests, pass a function that returns a "
    "Response: ApiClient(configuration, send=function)"
)
