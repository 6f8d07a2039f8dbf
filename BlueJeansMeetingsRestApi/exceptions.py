"""Exceptions: every failed call raises a kind of `ApiException`.

ApiException
├── ApiStatusError                the service responded with an error status:
│   ├── RedirectError             3xx; redirects are not followed
│   ├── BadRequestError           400
│   ├── UnauthorizedError         401
│   ├── ForbiddenError            403
│   ├── NotFoundError             404
│   ├── ConflictError             409
│   ├── UnprocessableEntityError  422
│   ├── RateLimitError            429
│   └── ServiceError              5xx
├── ApiConnectionError            no response was received, `status` is 0:
│   ├── ApiTimeoutError           the deadline passed
│   ├── ApiTLSError               no trusted TLS connection
│   └── ApiProxyError             the connection through the proxy failed
├── ApiResponseError              the response is not what the operation returns
└── ReauthenticationRequired      the user has to sign in again
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterable, Mapping
from typing import Any

from .models.error import Error
from .redaction import scrub

_MAX_CHARACTERS = 1000


class ApiException(Exception):
    """A failed call. Its text contains no secret; it can be pickled and copied.

    status: the HTTP status; 0 if no response was received.
    reason: the reason phrase of the status, or what happened.
    body, headers: the response as received, which may contain secrets; None if no response was received.
    detail: the method and path template of the request, the service's message and advice, without secrets.
    error: the body as an `Error` model; None if the body is not one.
    retryable: whether the same call may succeed later.
    retry_after: the time in seconds after which to try again; None if the service does not specify one.
    attempts: the number of requests that were sent or tried.

    The constructor's `detail` is the caller's own text; the `secrets` of the request are masked in the server's text.
    """

    def __init__(
        self,
        status: int | None = None,
        reason: str | None = None,
        http_resp: Any = None,
        *,
        detail: str = "",
        secrets: Iterable[str] = (),
        retryable: bool = False,
        retry_after: float | None = None,
    ) -> None:
        self.status = status if http_resp is None else http_resp.status
        phrase = str(reason or getattr(http_resp, "reason", None) or "")
        # A standard reason phrase is never a repeated secret, even if it contains a secret by chance.
        is_standard = phrase == http.client.responses.get(self.status or 0)
        self.reason = phrase if is_standard else _printable(phrase, secrets)
        body = getattr(http_resp, "data", None)
        self.body: str | None = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
        self.headers: Mapping[str, str] | None = getattr(http_resp, "headers", None)
        if self.headers is None and (getheaders := getattr(http_resp, "getheaders", None)):
            self.headers = getheaders()
        # The service's message, or the error of RFC 6749 section 5.2. Nothing else of the body is shown.
        messages = map(_json_object(self.body).get, ("message", "error_description", "error"))
        texts = [_printable(text, secrets) for text in messages if text and isinstance(text, str)]
        self.detail = "\n".join(filter(None, [detail, *texts]))
        self.retryable = retryable
        self.retry_after = retry_after
        self.attempts = 1
        super().__init__(self.status, self.reason)

    @property
    def error(self) -> Error | None:
        content = _json_object(self.body)
        message = content.pop("message", None)
        if not isinstance(message, str):
            return None
        error = Error(message=message, code=content.pop("code", None))
        error.additional_properties.update(content)
        return error

    def __str__(self) -> str:
        return f"({self.status})\nReason: {self.reason}\n" + (f"{self.detail}\n" if self.detail else "")


class ApiStatusError(ApiException):
    """The service responded with a status other than success."""


class RedirectError(ApiStatusError):
    """3xx: the service redirects to another URL. Nothing was sent there."""


class BadRequestError(ApiStatusError):
    """400: the request is invalid, or its token was revoked before."""


class UnauthorizedError(ApiStatusError):
    """401: the credentials, the code or the token are invalid or have expired."""


class ForbiddenError(ApiStatusError):
    """403: the token does not permit this request."""


class NotFoundError(ApiStatusError):
    """404: the path does not exist; check `Configuration.host`."""


class ConflictError(ApiStatusError):
    """409: the request conflicts with the current state of the resource."""


class UnprocessableEntityError(ApiStatusError):
    """422: the request is well-formed, but its content is invalid."""


class RateLimitError(ApiStatusError):
    """429: too many requests; `retry_after` contains the service's `Retry-After`, if any."""


class ServiceError(ApiStatusError):
    """5xx: the service failed."""


class ApiConnectionError(ApiException):
    """No response was received; urllib3's error is the `__cause__`, unless its text contains a secret."""


class ApiTimeoutError(ApiConnectionError):
    """The call did not end before its deadline."""


class ApiTLSError(ApiConnectionError):
    """No trusted TLS connection could be established."""


class ApiProxyError(ApiConnectionError):
    """The proxy could not be reached or refused the connection."""


class ApiResponseError(ApiException):
    """The response is not what the operation returns."""


class ReauthenticationRequired(ApiException):
    """The credentials can no longer be used: the user has to sign in again."""


def kind_of_status(status: int) -> type[ApiStatusError]:
    """Return the exception class for an HTTP error status."""
    by_status = {400: BadRequestError, 401: UnauthorizedError, 403: ForbiddenError, 404: NotFoundError}
    by_status |= {409: ConflictError, 422: UnprocessableEntityError, 429: RateLimitError}
    by_hundred = {3: RedirectError, 5: ServiceError}
    return by_status.get(status) or by_hundred.get(status // 100, ApiStatusError)


def _printable(text: str, secrets: Iterable[str]) -> str:
    """Return the server's text in one line of limited length, without secrets and control characters."""
    text = scrub(text, secrets)
    printable = "".join(c if c.isprintable() else " " for c in text[:_MAX_CHARACTERS])
    return printable if len(text) <= _MAX_CHARACTERS else f"{printable}…"


def _json_object(body: str | None) -> dict[str, Any]:
    try:
        content = json.loads(body or "")
    except (ValueError, RecursionError):
        content = None
    return content if isinstance(content, dict) else {}
