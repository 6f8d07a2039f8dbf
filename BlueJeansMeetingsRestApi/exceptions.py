"""Every failure of a call is an `ApiException` that says which kind.

ApiException
├── ApiStatusError                the service said no, with an HTTP status:
│   ├── RedirectError             3xx, which no JSON operation follows
│   ├── BadRequestError           400
│   ├── UnauthorizedError         401
│   ├── ForbiddenError            403
│   ├── NotFoundError             404
│   ├── ConflictError             409
│   ├── UnprocessableEntityError  422
│   ├── RateLimitError            429
│   └── ServiceError              5xx
├── ApiConnectionError            no answer came, `status` is 0:
│   ├── ApiTimeoutError           not in time
│   ├── ApiTLSError               no connection that can be trusted
│   └── ApiProxyError             the proxy stood in the way
├── ApiResponseError              an answer came, but not what the operation promises
└── ReauthenticationRequired      only a person who signs in again can help
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterable, Mapping
from typing import Any

from .models.error import Error
from .redaction import scrub

_MOST_CHARACTERS = 1000


class ApiException(Exception):
    """A call that did not give what it promises. Its text shows no secret; it can be pickled and copied.

    status: the HTTP status; 0 where no answer came. reason: its reason phrase, or what happened instead.
    body, headers: the answer as it came, which may hold anything; None where no answer came.
    error: the body as the service's `Error` model; None where it is none.
    retryable: whether the same call may succeed later.
    retry_after: seconds after which the service asks to be called again; None where it does not say.
    attempts: how many requests were tried.
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
        # HTTP's own phrase echoes nothing, even where a secret is a word of it.
        self.reason = phrase if phrase == http.client.responses.get(self.status or 0) else _legible(phrase, secrets)
        body = getattr(http_resp, "data", None)
        self.body: str | None = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
        self.headers: Mapping[str, str] | None = getattr(http_resp, "headers", None)
        if self.headers is None and hasattr(http_resp, "getheaders"):
            self.headers = http_resp.getheaders()
        # The service's own words, or those of RFC 6749 section 5.2.
        said = map(_json_object(self.body).get, ("message", "error_description", "error"))
        texts = (_legible(text, secrets) for text in (detail, *said) if text and isinstance(text, str))
        self.detail = "\n".join(texts)
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
    """The service answered with a status that is no success."""


class RedirectError(ApiStatusError):
    """3xx: the answer points elsewhere. Nothing was sent there."""


class BadRequestError(ApiStatusError):
    """400: the request is wrong, or its token was revoked before."""


class UnauthorizedError(ApiStatusError):
    """401: the credentials, the code or the token are wrong or have expired."""


class ForbiddenError(ApiStatusError):
    """403: the token does not allow this."""


class NotFoundError(ApiStatusError):
    """404: there is nothing at this path; check `Configuration.host`."""


class ConflictError(ApiStatusError):
    """409: the request contradicts the state of what it is about."""


class UnprocessableEntityError(ApiStatusError):
    """422: the request is well-formed, and its content is refused."""


class RateLimitError(ApiStatusError):
    """429: too many requests; `retry_after` says when to come back, where the service does."""


class ServiceError(ApiStatusError):
    """5xx: the service failed."""


class ApiConnectionError(ApiException):
    """No answer came; urllib3's error is the `__cause__`, unless its text would show a secret."""


class ApiTimeoutError(ApiConnectionError):
    """The call did not end in the time it had."""


class ApiTLSError(ApiConnectionError):
    """No connection was made that can be trusted."""


class ApiProxyError(ApiConnectionError):
    """The proxy could not be reached, or refused to connect."""


class ApiResponseError(ApiException):
    """An answer came, but not what the operation promises."""


class ReauthenticationRequired(ApiException):
    """The credentials are spent: a person has to sign in again."""


def kind_of_status(status: int) -> type[ApiStatusError]:
    """The kind of exception that an HTTP status which is no success stands for."""
    by_status = {400: BadRequestError, 401: UnauthorizedError, 403: ForbiddenError, 404: NotFoundError}
    by_status |= {409: ConflictError, 422: UnprocessableEntityError, 429: RateLimitError}
    by_hundred = {3: RedirectError, 5: ServiceError}
    return by_status.get(status) or by_hundred.get(status // 100, ApiStatusError)


def _legible(text: str, secrets: Iterable[str]) -> str:
    """`text` without secrets, and without what a server could do to a terminal or fill a log with."""
    text = scrub(text, secrets)
    legible = "".join(c if c.isprintable() or c == "\n" else " " for c in text[:_MOST_CHARACTERS])
    return legible if len(text) <= _MOST_CHARACTERS else f"{legible}…"


def _json_object(body: str | None) -> dict[str, Any]:
    try:
        content = json.loads(body or "")
    except (ValueError, RecursionError):
        content = None
    return content if isinstance(content, dict) else {}
