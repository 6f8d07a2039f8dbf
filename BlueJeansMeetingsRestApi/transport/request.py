"""`Request`: an immutable value, ready to be sent, with its body as JSON, as a form or as multipart data."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode, urlsplit

from urllib3 import encode_multipart_formdata
from urllib3.util import parse_url

from ..redaction import SECRET_NAMES, secrets_in
from .deadline import Attempt

METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PATCH", "PUT", "DELETE")
# The characters that RFC 9110 (section 5) permits in names and values of headers, and RFC 3986 in a URL.
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_NOT_IN_HEADERS = re.compile(r"[\r\n\0]|[^\0-\xff]")
# A path that urllib3 sends unchanged: without characters that it encodes, and without `.` or `..`, which it resolves.
_PLAIN_PATH = re.compile(r"(?!.*/\.)(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-F]{2})*")
_NOT_IN_UTF_8 = re.compile("[\ud800-\udfff]")
_TO_JSON = json.JSONEncoder(allow_nan=False).encode
# The headers that this module sets by itself.
_FRAMING = ("content-length", "transfer-encoding")
# The headers that urllib3, and tools that instrument it, may see. All others may contain secrets.
_PUBLIC_HEADERS = frozenset(("accept", "accept-encoding", "accept-language", "content-type", "user-agent"))
_FORM, _MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"
SUCCESSES, _SUCCESSES_WITH_REDIRECTS = range(200, 300), range(200, 400)


class UnsupportedBodyError(ValueError):
    """The Content-Type does not go with the body or the form fields."""


class Request:
    """A request that is ready to be sent. Its `repr` shows no content, because tracebacks print variables.

    method, headers, body: what is sent, with `headers` by name. base_url: scheme, host and path of the service.
    path: the path below `base_url`. query: the query, which may contain secrets.
    public_headers: the headers without a secret. lines: all headers as they are sent.
    template: the path as errors, logs and urllib3 may show it, with placeholders for parameters.
    secrets: the secrets in the request, which are masked in the server's text.
    idempotent: whether it can be sent again after a failure. successes: the HTTP statuses that count as success.
    """

    __slots__ = (
        *("method", "base_url", "path", "query", "headers", "public_headers", "lines"),
        *("body", "template", "secrets", "idempotent", "successes"),
    )
    method: str
    base_url: str
    path: str
    query: str
    headers: Mapping[str, str]
    public_headers: Mapping[str, str]
    lines: str
    body: bytes
    template: str
    secrets: tuple[str, ...]
    idempotent: bool
    successes: range

    def __init__(
        self,
        method: str,
        base_url: str,
        path: str,
        query: str = "",
        headers: Mapping[str, str] = MappingProxyType({}),
        body: bytes = b"",
        template: str = "",
        secrets: tuple[str, ...] = (),
        idempotent: bool = True,
        successes: range = SUCCESSES,
    ) -> None:
        assign = object.__setattr__  # because __setattr__ refuses
        assign(self, "method", method)
        assign(self, "base_url", base_url)
        assign(self, "path", path)
        assign(self, "query", query)
        assign(self, "headers", MappingProxyType(headers))
        assign(self, "public_headers", {name: headers[name] for name in headers if name.lower() in _PUBLIC_HEADERS})
        assign(self, "lines", _lines(headers))
        assign(self, "body", body)
        assign(self, "template", template or path)
        assign(self, "secrets", secrets)
        assign(self, "idempotent", idempotent)
        assign(self, "successes", successes)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"A Request cannot be changed, so {name} cannot be set")

    def __reduce__(self) -> tuple[Any, ...]:
        return Request, tuple({**self._arguments(), "headers": dict(self.headers)}.values())

    def _arguments(self) -> dict[str, Any]:
        """Return the arguments of the constructor in their order."""
        return {name: getattr(self, name) for name in self.__slots__ if name not in ("public_headers", "lines")}

    def __repr__(self) -> str:
        return f"{self.method} {self.base_url}{self.template}"

    def with_header(self, name: str, value: str) -> Request:
        """Return the request with one more header."""
        headers = {**self.headers, name: header_value(name, value)}
        secrets = (*self.secrets, *secrets_in({name: value}))
        return Request(**{**self._arguments(), "headers": headers, "secrets": secrets})

    @property
    def url(self) -> str:
        """The whole URL, with the query."""
        return f"{self.base_url}{self.target}"

    @property
    def target(self) -> str:
        """The path below `base_url`, with the query."""
        return f"{self.path}{'&' if '?' in self.path else '?'}{self.query}" if self.query else self.path

    @property
    def public_path(self) -> str:
        """The template, encoded for a URL."""
        return self.path if self.template == self.path else _encoded_path(self.template)

    def message(self, prefix: str, headers: Mapping[str, str]) -> bytes:
        """Return the bytes to send.

        prefix: what precedes `path` in the first line.
        headers: the public headers, with those that were added or changed on the way, such as `traceparent`.
        """
        lines = self.lines if headers == self.public_headers else self._lines_with(headers)
        return f"{self.method} {prefix}{self.target} HTTP/1.1\r\n{lines}\r\n".encode("latin-1") + self.body

    def _lines_with(self, headers: Mapping[str, Any]) -> str:
        added = {
            name.lower(): (name, header_value(name, value))
            for name, value in headers.items()
            if name.lower() not in _FRAMING and self.public_headers.get(name) != value
        }
        kept = {name: value for name, value in self.headers.items() if name.lower() not in added}
        return _lines({**kept, **dict(added.values())})


class Payload(bytes):
    """The body of a request, as urllib3 passes it on, with what its connection needs to send it.

    prefix: what precedes the path in the request's first line.
    """

    request: Request
    attempt: Attempt
    prefix: str

    def __repr__(self) -> str:
        # urllib3's frames have it as a variable, which some tracebacks print.
        return f"<{len(self)} bytes>"

    __str__ = __repr__


def prepare(
    method: str,
    base_url: str,
    path: str,
    query: list[tuple[str, Any]],
    headers: Mapping[str, Any],
    body: Any,
    fields: list[tuple[str, Any]],
    idempotent: bool | None = None,
    redirect_is_answer: bool = False,
    template: str = "",
    secrets: Iterable[str] = (),
) -> Request:
    """Return a request that is ready to be sent. Raises ValueError for a request that cannot be sent.

    template: `path` with placeholders for parameters. secrets: those in the path and in the body.

    body: data for JSON, or text or bytes of the Content-Type in `headers`; fields: those of a form.
    A file among the fields is a tuple of its name, content and type.
    """
    method = method.upper()
    if method not in METHODS:
        raise ValueError(f"The HTTP method must be one of {', '.join(METHODS)}, not {method!r}")
    if fields and body:
        raise ValueError("body parameter cannot be used with post_params parameter.")
    # Each header once, whatever the case of its name: the last one counts.
    given = {name.lower(): (name, header_value(name, value)) for name, value in headers.items() if value is not None}
    if method in ("GET", "HEAD"):
        if body or fields:
            raise ValueError(f"A {method} request cannot have a body or form fields")
        body = None
    found = [*secrets]
    found += secrets_in([{name: given[name][1]} for name in SECRET_NAMES.intersection(given)])
    found += secrets_in([{name: value} for name, value in (*query, *fields)])
    content, content_type = _encode(given["content-type"][1] if "content-type" in given else None, body, fields)
    given["content-type"] = ("Content-Type", content_type)
    whole = path
    path, _, written = _encoded_path(path).partition("?")
    # A marker such as `?Client` is part of the endpoint's name; a query with values may contain a token.
    if written and "=" not in written:
        path, written = f"{path}?{written}", ""
    all_headers = _all_headers(method, base_url, given, content)
    return Request(
        method=method,
        base_url=base_url,
        path=path,
        query="&".join(filter(None, (written, urlencode(query)))) if written or query else "",
        headers=all_headers,
        body=content or b"",
        template=_without_values(template or whole),
        secrets=tuple(found),
        idempotent=method not in ("POST", "PATCH") if idempotent is None else idempotent,
        successes=_SUCCESSES_WITH_REDIRECTS if redirect_is_answer else SUCCESSES,
    )


def check_encodable(name: str, value: Any) -> None:
    """Raise a ValueError that contains only `name` if `value` is text without an encoding in UTF-8."""
    if isinstance(value, str) and _NOT_IN_UTF_8.search(value):
        raise ValueError(f"{name!r} contains a character that has no encoding in UTF-8")


def header_value(name: str, value: Any) -> str:
    """Return the value of a header as text. Raises ValueError if HTTP does not permit the name or the value."""
    text = value.decode("latin-1") if isinstance(value, bytes) else str(value)
    if not _HEADER_NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not a valid name of an HTTP header")
    if _NOT_IN_HEADERS.search(text):
        raise ValueError(f"The header {name!r} contains a character that HTTP does not permit")
    return text


def _all_headers(
    method: str, base_url: str, given: dict[str, tuple[str, str]], content: bytes | None
) -> dict[str, str]:
    """Return all headers to send. The caller cannot set those that determine the length of the body."""
    for name in _FRAMING:
        given.pop(name, None)
    headers = {} if "host" in given else {"Host": _host(base_url)}
    headers.update(given.values())
    if "accept-encoding" not in given:
        headers["Accept-Encoding"] = "identity"
    if content is not None or method in ("POST", "PUT", "PATCH"):
        headers["Content-Length"] = str(len(content or b""))
    return headers


def _lines(headers: Mapping[str, str]) -> str:
    return "".join([f"{name}: {value}\r\n" for name, value in headers.items()])


def _without_values(path: str) -> str:
    """Return the path with its query only if that is a marker such as `?Client`, which contains no values."""
    return path.partition("?")[0] if "=" in path else path


@functools.lru_cache(maxsize=256)
def _encoded_path(path: str) -> str:
    """Return a path with its query, percent-encoded by urllib3 if that is needed."""
    path = path if path.startswith("/") else f"/{path}"
    return path if _PLAIN_PATH.fullmatch(path) else str(parse_url(f"https://host{path}").request_uri)


@functools.lru_cache(maxsize=64)
def _host(base_url: str) -> str:
    """Return the value of the header `Host`."""
    parts = urlsplit(base_url)
    name = (parts.hostname or "").rstrip(".")
    port = "" if parts.port in (None, 443 if parts.scheme == "https" else 80) else f":{parts.port}"
    return f"[{name.partition('%')[0]}]{port}" if ":" in name else name + port


def _encode(content_type: str | None, body: Any, fields: list[tuple[str, Any]]) -> tuple[bytes | None, str]:
    """Return the bytes of the body, and the Content-Type that describes them."""
    if content_type is None and fields:
        has_file = any(isinstance(value, tuple) for _, value in fields)
        content_type = _MULTIPART if has_file else _FORM
    if content_type == _FORM and not isinstance(body, (str, bytes)):
        return urlencode(fields).encode("ascii"), content_type
    if content_type == _MULTIPART:
        return encode_multipart_formdata(fields)
    content_type = content_type or "application/json"
    if "json" in content_type.lower() and not fields:
        return None if body is None else _TO_JSON(body).encode("ascii"), content_type
    if isinstance(body, (str, bytes)):
        check_encodable("body", body)
        return body.encode() if isinstance(body, str) else body, content_type
    if body is None and not fields:
        return None, content_type
    raise UnsupportedBodyError(
        f"{content_type} takes text or bytes as `body`; a form's Content-Type takes `post_params`"
    )
