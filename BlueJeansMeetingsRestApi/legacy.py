"""Compatibility with programs that replace parts of the 2019 SDK: their own `call_api`, `request` or `POST`, and mocks.

A call of an unmodified client does not use this module.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Callable, NamedTuple

if TYPE_CHECKING:
    from .rest import RequestTimeout

# The arguments of `ApiClient.call_api` that the 2019 SDK did not have.
_NEW_ARGUMENTS = {"idempotent", "redirect_is_answer", "_max_attempts"}


def call_api(replacement: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """Call a program's own `call_api` with the arguments of 2019, and with the new ones only if it accepts them."""
    parameters = inspect.signature(replacement).parameters
    accepts_all = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())
    refused = set() if accepts_all else _NEW_ARGUMENTS - parameters.keys()
    return replacement(*arguments, **{name: value for name, value in options.items() if name not in refused})


class Url(str):
    """A URL that is shown without its path parameters. template: its path with placeholders."""

    template = ""


class Request(NamedTuple):
    """The arguments of a program's own `request`, as the 2019 SDK passed them."""

    method: str
    url: str
    query: list[tuple[str, Any]]
    headers: dict[str, Any]
    body: Any
    fields: list[tuple[str, Any]]

    def __repr__(self) -> str:
        return f"{self.method} {getattr(self.url, 'template', '')}"

    def with_header(self, name: str, value: str) -> Request:
        """Return the request with one more header."""
        return self._replace(headers={**self.headers, name: value})


class NoLimits(NamedTuple):
    """The timeout that the program's own `request` receives, instead of limits that it does not know."""

    request_timeout: RequestTimeout

    def left(self) -> None:
        """Return None, because the time left is unknown."""


class Sender:
    """Sends through the client's own `request`, with the steps of `RESTClientObject`."""

    limits = NoLimits

    def __init__(self, client: Any) -> None:
        self._client = client

    def prepare(
        self,
        method: str,
        base_url: str,
        path: str,
        query: list[tuple[str, Any]],
        headers: Mapping[str, Any],
        body: Any,
        fields: list[tuple[str, Any]],
        template: str,
        **_: Any,
    ) -> Request:
        """Return a request, whose URL is shown as `template`."""
        url = Url(base_url + path)
        url.template = template
        return Request(method, url, query, dict(headers), body, fields)

    def send(self, request: Request, preload_content: bool, limits: NoLimits, max_attempts: int | None) -> Any:
        """Return what the client's `request` returns. It makes its own number of attempts."""
        return self._client.request(
            request.method,
            request.url,
            query_params=request.query,
            headers=dict(request.headers),
            post_params=request.fields,
            body=request.body,
            _preload_content=preload_content,
            _request_timeout=limits.request_timeout,
        )


def request(client: Any, method: str, url: str, body: Any, post_params: Any, **options: Any) -> Any:
    """Send a request through the client's `RESTClientObject`: the method named like the HTTP method, or `request`."""
    send = getattr(client.rest_client, method.upper(), None) or functools.partial(client.rest_client.request, method)
    # Programs' own methods have no parameters for content that the HTTP method does not have.
    content = {"body": body} if body is not None else {}
    return send(url, **options, **content, **({"post_params": post_params} if post_params else {}))
