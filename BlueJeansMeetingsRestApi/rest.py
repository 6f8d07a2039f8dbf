"""One HTTP request, from its parts to a whole answer or to the exception that says why there is none."""

from __future__ import annotations

import email.utils
import functools
import io
import json
import logging
import operator
import os
import random
import re
import time
import zlib
from collections.abc import Iterable, Mapping
from typing import Any, Callable, NamedTuple, Union
from urllib.parse import parse_qsl, urlencode, urlsplit

import urllib3
from urllib3._collections import HTTPHeaderDict
from urllib3.exceptions import HTTPError
from urllib3.util import parse_url

from . import transport
from .configuration import PACKAGE_LOGGER, Configuration, base_url, is_warning_due, seconds, warn_about_default_host
from .connection_errors import CREDENTIALS_OF_A_PROXY, RETRYABLE_STATUSES, meaning_of
from .exceptions import ApiConnectionError, ApiProxyError, ApiResponseError, RedirectError, kind_of_status
from .exceptions import ApiException as ApiException
from .proxies import proxy_for
from .redaction import chain, leaves_no_variables, scrub, secrets_in

RequestTimeout = Union[float, "tuple[float | None, float | None]", None]

logger = logging.getLogger(f"{PACKAGE_LOGGER}.rest")

_CUT = "the answer was cut off"
# The characters that RFC 9110 (section 5) leaves for names and values of headers, and RFC 3986 for a URL.
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_NOT_IN_HEADERS = re.compile(r"[\r\n\0]|[^\0-\xff]")
# What urllib3 would send as it is: no character that it encodes, and no `.` or `..` that it resolves.
_PLAIN_PATH = re.compile(r"(?!.*/\.)(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-F]{2})*")
_NOT_IN_UTF_8 = re.compile("[\ud800-\udfff]")
_TO_JSON = json.JSONEncoder(allow_nan=False).encode
# The settings that a `transport.Service` is made by.
_WAY = operator.attrgetter(
    "proxy",
    "trust_env",
    "verify_ssl",
    "ssl_ca_cert",
    "cert_file",
    "key_file",
    "key_password",
    "assert_hostname",
    "ssl_context",
)
METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PATCH", "PUT", "DELETE")


class RESTResponse(io.IOBase):
    """An answer: `status`, `reason`, `headers`, `content` (bytes), `data` (text); `problem` if it is not whole.

    request: what it is the answer to.
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
        """All headers, by names in any case of letters."""
        return HTTPHeaderDict(self._headers.items())

    @property
    def urllib3_response(self) -> urllib3.HTTPResponse:
        """The answer as urllib3 has it."""
        return urllib3.HTTPResponse(self.content, self.headers, self.status, reason=self.reason)

    @property
    def data(self) -> str:
        """The body as text; bytes that are not UTF-8 become U+FFFD."""
        return self.content.decode("utf-8-sig", "replace")

    def getheaders(self) -> HTTPHeaderDict:
        """All headers."""
        return self.headers

    def getheader(self, name: str, default: str | None = None) -> str | None:
        """The header of that name, in any case of letters."""
        return self.headers.get(name, default)


class Request(NamedTuple):
    """A request that is ready to be sent. Its text shows no content: tracebacks print the variables of our frames.

    path: what is below `base_url`, up to the query, which may hold secrets. head: its headers as they go over the wire.
    made_of: the data in the body and in the headers, and the pairs of names and values in the query and in a form.
    """

    method: str
    base_url: str
    path: str
    query: str
    head: str
    body: bytes
    made_of: tuple[Any, Any, list[tuple[str, Any]]]
    idempotent: bool
    successes: range

    def __repr__(self) -> str:
        return f"{self.method} {self.base_url}{scrub(self.path)}"

    @property
    def secrets(self) -> list[str]:
        """What is secret in it: looked for once something has gone wrong."""
        body, headers, pairs = self.made_of
        pairs = [*pairs, *parse_qsl(self.query)]
        return list(secrets_in([body, headers, *({name: value} for name, value in pairs)]))

    def over(self, service: transport.Service) -> bytes:
        """What goes over the wire on that way."""
        path = f"{self.path}{'&' if '?' in self.path else '?'}{self.query}" if self.query else self.path
        head = f"{self.method} {service.target}{path} HTTP/1.1\r\n{service.head}{self.head}\r\n"
        return head.encode("latin-1") + self.body


class Limits(NamedTuple):
    """The time that a call has: seconds to connect and of silence, and when it ends on the monotonic clock."""

    connect: float
    read: float
    end: float

    def left(self) -> float:
        """Seconds until it ends; not zero, which would be no time limit."""
        return max(self.end - time.monotonic(), 0.001)


def _verb(method: str) -> Callable[..., Any]:
    """The method of `RESTClientObject` that is named as a method of HTTP."""

    def call(self: RESTClientObject, url: str, headers: Any = None, query_params: Any = None, **arguments: Any) -> Any:
        return self.request(method, url, query_params, headers, **arguments)

    call.__name__, call.__doc__ = method, f"`request` with the method {method}."
    return call


def _pairs(params: Mapping[str, Any] | Iterable[tuple[str, Any]] | None) -> list[tuple[str, Any]]:
    return list(params.items() if isinstance(params, Mapping) else params or ())


class RESTClientObject:
    """Sends requests for one `Configuration`, over connections that it keeps."""

    def __init__(self, configuration: Configuration, pools_size: int = 4, maxsize: int | None = None) -> None:
        self.configuration = configuration
        self._services_size, self._maxsize = pools_size, maxsize or configuration.connection_pool_maxsize
        self._services: dict[tuple[int, str, Any], transport.Service] = {}

    def limits(self, request_timeout: RequestTimeout = None) -> Limits:
        """The time that a call which begins now has; ValueError or TypeError for what is no time.

        request_timeout: as `_request_timeout` of `call_api`; a None in a pair is the configuration's.
        """
        names = ("connect_timeout", "read_timeout", "call_timeout")
        connect, read, total = (seconds(f"Configuration.{name}", getattr(self.configuration, name)) for name in names)
        if isinstance(request_timeout, (tuple, list)) and len(request_timeout) == 2:
            connect, read = (
                usual if part is None else seconds("_request_timeout", part)
                for part, usual in zip(request_timeout, (connect, read))
            )
            total = max(total, connect + read)
        elif request_timeout is not None:
            total = read = seconds("_request_timeout", request_timeout)
        return Limits(connect, read, time.monotonic() + total)

    def _service(self, base_url: str) -> transport.Service:
        """The way to a service, made when first asked for, and anew in a forked child: connections are not shared."""
        # Who changes how the service is reached does not want the connections that were made before.
        key = (os.getpid(), base_url, _WAY(self.configuration))
        service = self._services.get(key)
        if service is None:
            self._close(list(reversed(self._services))[self._services_size - 1 :])
            # Two threads may both make one; `setdefault` lets one of them win, and the other was never connected.
            service = self._services.setdefault(key, transport.Service(self.configuration, base_url, self._maxsize))
        return service

    def close(self) -> None:
        """Close all connections. The client stays usable and opens new ones."""
        self._close([key for key in list(self._services) if key[0] == os.getpid()])

    def _close(self, keys: list[tuple[int, str, Any]]) -> None:
        for key in keys:
            service = self._services.pop(key, None)
            if service is not None:
                service.pool.close()

    def prepare(
        self,
        method: str,
        base_url: str,
        path: str,
        query: list[tuple[str, Any]],
        headers: Mapping[str, Any],
        body: Any,
        fields: list[tuple[str, Any]],
        idempotent: bool | None = None,
        redirect_is_answer: bool = False,
    ) -> Request:
        """A request that is ready to be sent. A file among the form fields is a tuple of name, content and type."""
        method = method.upper()
        if method not in METHODS:
            raise ValueError(f"The HTTP method must be one of {', '.join(METHODS)}, not {method!r}")
        if fields and body:
            raise ValueError("body parameter cannot be used with post_params parameter.")
        lines = _header_lines(headers)
        if method in ("GET", "HEAD"):
            if body or fields:
                raise ValueError(f"A {method} request cannot have a body or form fields")
            body = None
        content, lines["Content-Type"] = _encode(lines.get("Content-Type"), body, fields)
        path, _, written = _encoded(path).partition("?")
        # A marker such as `?Client` is part of the endpoint's name; a query with values may hold a token.
        if written and "=" not in written:
            path, written = f"{path}?{written}", ""
        return Request(
            method=method,
            base_url=base_url,
            path=path,
            query="&".join(filter(None, (written, urlencode(query)))) if written or query else "",
            head=_head(method, base_url, lines, content),
            body=content or b"",
            made_of=(body, lines, [*query, *fields]),
            idempotent=method not in ("POST", "PATCH") if idempotent is None else idempotent,
            successes=range(200, 400 if redirect_is_answer else 300),
        )

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
        """Send a request to a whole URL, as clients of the 2019 SDK do. Raises what `ApiClient.call_api` does.

        Returns the `RESTResponse`, or urllib3's unread response if not `_preload_content`.
        """
        parts = urlsplit(url)
        base = base_url("url", f"{parts.scheme}://{parts.netloc}", self.configuration.allow_insecure_host)
        path = url[len(base) :].partition("#")[0]
        query, fields = _pairs(query_params), _pairs(post_params)
        prepared = self.prepare(method, base, path, query, headers or {}, body, fields)
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
        """The `RESTResponse` to a request, or urllib3's unread response if not `preload_content`; see `call_api`."""
        if is_warning_due(self.configuration, request.base_url) and request.secrets:
            warn_about_default_host()
        connect, read, end = limits or self.limits()
        most = self.configuration.max_attempts if max_attempts is None else max_attempts
        attempt = 1
        # A kept connection may have ended without a sign. What must not be sent twice does not try one.
        fresh = not request.idempotent
        while True:
            call = transport.Call(end, connect, read, fresh)
            try:
                return self._send(request, call, preload_content)
            except ApiException as error:
                error.attempts = attempt
                # That a kept connection had ended says nothing of the service: there is nothing to wait for.
                ended = isinstance(error, ApiConnectionError) and call.reused
                pause = 0.0 if ended else _pause(error, attempt)
                in_time = time.monotonic() + pause < end
                if not error.retryable or attempt >= most or not in_time:
                    raise
                logger.info("%s failed (%s), trying again in %.2f s", request, error.reason, pause)
            time.sleep(pause)
            attempt += 1
            fresh = True

    def _send(self, request: Request, call: transport.Call, preload_content: bool) -> Any:
        """One try, or the kind of ApiException that says why it gave nothing."""
        started = time.monotonic()
        try:
            service = self._service(request.base_url)
            answer = service.pool.exchange(call, request.method, request.over(service))
            logger.debug("%s -> %d in %.0f ms", request, answer.status, (time.monotonic() - started) * 1000)
            if preload_content or answer.status not in request.successes:
                return self._whole(answer, request)
            return answer.unread()
        except HTTPError as error:
            failure = self._failure(error, request, call)
        try:
            # Raised out here, lest the error of urllib3 comes along as a hidden `__context__`.
            raise failure
        finally:
            del failure  # or it would hold itself, by its traceback and this frame, and the connection's remains

    def _failure(self, error: HTTPError, request: Request, call: transport.Call) -> ApiException:
        """The kind of ApiException that an error of urllib3 is."""
        kind, may_pass, what, why, advice = meaning_of(error, call.connected, proxy_for(self.configuration))
        secrets = request.secrets
        failure: ApiException
        if call.status and kind is ApiConnectionError:
            failure = ApiResponseError(call.status, f"{_CUT} ({why})", detail=str(request))
        else:
            host = urlsplit(request.base_url).netloc
            failure = kind(0, f"{what} {host} ({why})", detail=f"{request}\n{advice}".strip(), secrets=secrets)
        # Once connected, the request may have arrived.
        failure.retryable = may_pass and (request.idempotent or not call.connected)
        shown = "".join(f"{link} {link.args}" for link in chain(error))
        failure.__cause__ = error if scrub(shown, secrets) == shown else None
        return failure

    def _whole(self, answer: transport.Response, request: Request) -> RESTResponse:
        """The answer read to its end, if it is a success and whole; the exception that it stands for otherwise."""
        # Unpacked at once: a variable that holds the body would show in a traceback with variables.
        response = RESTResponse(answer, *_read(answer, self.configuration.max_response_bytes))
        response.request = request
        problem = response.problem
        if answer.status in request.successes and not problem:
            return response
        kind, advice = self._refusal(answer.status, request)
        raise kind(
            reason=problem if answer.status in request.successes else None,
            http_resp=response,
            detail=f"{request}\n{advice}".strip(),
            secrets=request.secrets,
            retryable=request.idempotent and (problem == _CUT or answer.status in RETRYABLE_STATUSES),
            retry_after=_retry_after(answer.headers.get("Retry-After")),
        )

    def _refusal(self, status: int, request: Request) -> tuple[type[ApiException], str]:
        """The kind of ApiException that an answer is which does not do, and what to do about it."""
        if status in request.successes:
            return ApiResponseError, ""
        proxy = proxy_for(self.configuration)
        if status == 407 and proxy:
            return ApiProxyError, f"The proxy is {proxy!r}. {CREDENTIALS_OF_A_PROXY}"
        kind = kind_of_status(status)
        elsewhere = "Nothing was sent to where it points, which is in `headers`. Check Configuration.host."
        return kind, elsewhere if kind is RedirectError else ""


def check_encodable(name: str, value: Any) -> None:
    """Raise a ValueError that names what holds a text without an encoding. Python's own would quote the text."""
    if isinstance(value, str) and _NOT_IN_UTF_8.search(value):
        raise ValueError(f"{name!r} holds a character that has no encoding in UTF-8")


def _header_lines(headers: Mapping[str, Any]) -> dict[str, str]:
    """Each header once, whatever the case of its letters: the last of them counts."""
    by_name = {name.lower(): (name, _header_value(name, value)) for name, value in headers.items() if value is not None}
    lines = dict(by_name.values())
    if (content_type := by_name.get("content-type")) is not None:
        del lines[content_type[0]]
        lines["Content-Type"] = content_type[1]
    return lines


def _header_value(name: str, value: Any) -> str:
    text = str(value)
    if not _HEADER_NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name of an HTTP header")
    if _NOT_IN_HEADERS.search(text):
        raise ValueError(f"The header {name!r} holds a character that no HTTP header may hold")
    return text


def _encoded(path: str) -> str:
    """A path as HTTP has it, with its query; urllib3 knows how."""
    path = path if path.startswith("/") else f"/{path}"
    return path if _PLAIN_PATH.fullmatch(path) else str(parse_url(f"https://host{path}").request_uri)


def _head(method: str, base_url: str, headers: Mapping[str, str], content: bytes | None) -> str:
    """The lines of a request's headers. How long it is and where it ends is not for the caller to say."""
    lines = [f"{name}: {value}\r\n" for name, value in headers.items() if name.lower() not in transport.FRAMING]
    given = {name.lower() for name in headers}
    if "accept-encoding" not in given:
        lines.append("Accept-Encoding: identity\r\n")
    if content is not None or method in ("POST", "PUT", "PATCH"):
        lines.append(f"Content-Length: {len(content or b'')}\r\n")
    return "".join(lines) if "host" in given else f"Host: {_host(base_url)}\r\n{''.join(lines)}"


@functools.lru_cache(maxsize=64)
def _host(base_url: str) -> str:
    """The value of the header `Host`."""
    parts = urlsplit(base_url)
    name = (parts.hostname or "").rstrip(".")
    port = "" if parts.port in (None, 443 if parts.scheme == "https" else 80) else f":{parts.port}"
    return f"[{name.partition('%')[0]}]{port}" if ":" in name else name + port


def _encode(content_type: str | None, body: Any, fields: list[tuple[str, Any]]) -> tuple[bytes | None, str]:
    """The body's bytes, and the Content-Type that says what they are."""
    if content_type is None and fields:
        has_file = any(isinstance(value, tuple) for _, value in fields)
        content_type = "multipart/form-data" if has_file else "application/x-www-form-urlencoded"
    if content_type == "application/x-www-form-urlencoded" and not isinstance(body, (str, bytes)):
        return urlencode(fields).encode("ascii"), content_type
    if content_type == "multipart/form-data":
        return urllib3.encode_multipart_formdata(fields)
    content_type = content_type or "application/json"
    if "json" in content_type.lower() and not fields:
        return None if body is None else _TO_JSON(body).encode("ascii"), content_type
    if isinstance(body, (str, bytes)):
        import six

        check_encodable("body", body)
        return six.ensure_binary(body), content_type
    if body is None and not fields:
        return None, content_type
    raise ApiException(0, f"{content_type} takes text or bytes as `body`; a form's Content-Type takes `post_params`")


def _read(answer: transport.Response, limit: int) -> tuple[bytes, str]:
    """The body, decompressed and no longer than `limit` bytes, and what is wrong with it if anything is."""
    content, whole = answer.content(limit)
    if not whole:
        return content, _CUT
    encoding = ", ".join(answer.headers.get_all("Content-Encoding", ["identity"])).strip().lower()
    if encoding in ("gzip", "x-gzip", "deflate") and content:
        # Not left to urllib3: before 2.6 it decompresses whatever comes, however much that makes.
        decoder = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
        try:
            content = decoder.decompress(content, limit + 1)
        except zlib.error:
            return b"", f"the answer is no {encoding}"
        if not decoder.eof and len(content) <= limit:
            return content, _CUT
    elif content and encoding != "identity":
        return b"", "the answer has a Content-Encoding that was not asked for"
    too_long = f"the answer is longer than Configuration.max_response_bytes ({limit})"
    return content[:limit], too_long if len(content) > limit else ""


def _pause(error: ApiException, attempt: int) -> float:
    """Seconds to wait: what the service asks for, or by chance up to a bound that doubles (full jitter)."""
    return random.uniform(0, 0.25 * 2**attempt) if error.retry_after is None else error.retry_after


def _retry_after(value: str | None) -> float | None:
    """Seconds from now that a Retry-After header names (RFC 9110 section 10.2.3); None if it is no such header."""
    if not value:
        return None
    if value.strip().isdecimal():
        return float(value)
    try:
        moment = email.utils.parsedate_tz(value)
        return None if moment is None else max(0.0, email.utils.mktime_tz(moment) - time.time())
    except (ValueError, TypeError, OverflowError, IndexError):  # such as a month 99
        return None
