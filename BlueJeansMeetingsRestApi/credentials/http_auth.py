"""Adapters for requests and httpx, and the check of the hosts that may receive a token."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

from ..configuration import Configuration
from ..redaction import leaves_no_variables
from ..validation import validate_base_url
from .token import TokenProvider

R = TypeVar("R")
Origin = tuple[str, str, int]


class BearerAuth:
    """Authorizes requests of `requests` and `httpx` with the tokens of any provider: pass it as `auth`.

    provider: an object with the methods `get_token` and `invalidate`.
    hosts: URLs of the hosts that its tokens may be sent to; the host of a new `Configuration` if None.

    `requests` sends a request once more, with another token, if the service refuses the first one (401).
    """

    def __init__(self, provider: TokenProvider, hosts: Iterable[str] | None = None) -> None:
        if not isinstance(provider, TokenProvider):
            kind = type(provider).__name__
            raise TypeError(f"provider must have the methods get_token and invalidate, got {kind}")
        self._provider = provider
        self._hosts = origins("hosts", [Configuration().base_url] if hosts is None else hosts)

    def __call__(self, request: R) -> R:
        """Authorize a request. Raises ValueError for a host that must not get the token."""
        return authorize(request, self)

    def authorization_for(self, url: str) -> str:
        """Return the `Authorization` header for a request to `url`."""
        check_host(url, self._hosts)
        return f"Bearer {self._provider.get_token().token}"

    def invalidate(self, token: str | None = None) -> None:
        """Tell the provider that the service refused this token."""
        self._provider.invalidate(token)


class Authorizer(Protocol):
    """Provides the header for a URL."""

    def authorization_for(self, url: str) -> str:
        """Return the `Authorization` header for a request to `url`."""
        ...

    def invalidate(self, token: str | None = None) -> None:
        """Stop using this token, because the service refused it."""


@leaves_no_variables
def authorize(request: R, authorizer: Authorizer) -> R:
    """Add the header to a request of `requests` or `httpx`; `requests` repeats a request that is refused."""
    authorized: Any = request
    authorized.headers["Authorization"] = authorizer.authorization_for(str(authorized.url))
    if hasattr(authorized, "register_hook"):
        authorized.register_hook("response", lambda response, **kw: _send_again_if_refused(authorizer, response, **kw))
    return request


@leaves_no_variables
def _send_again_if_refused(authorizer: Authorizer, response: Any, **options: Any) -> Any:
    request = response.request
    # A redirect to another host was sent without the token. A stream cannot be sent twice.
    sent = request.headers.get("Authorization", "").partition(" ")[2]
    if response.status_code != 401 or not sent or not isinstance(request.body, (str, bytes, type(None))):
        return response
    authorizer.invalidate(sent)
    again = request.copy()
    again.headers["Authorization"] = authorizer.authorization_for(request.url)
    _ = response.content  # reading it returns the connection to the pool
    second = response.connection.send(again, **options)
    second.history.append(response)
    second.request = again
    return second


def check_host(url: str, allowed: Collection[Origin]) -> None:
    """Raise a ValueError if the host of `url` is not among the allowed ones. The first of them is the token's own."""
    if origin(url) not in allowed:
        own, other = ("{}://{}:{}".format(*one) for one in (next(iter(allowed)), origin(url)))
        raise ValueError(f"Refusing to send the token for {own} to {other}; add {other} to allowed_hosts to allow it")


def origins(name: str, hosts: Iterable[str]) -> tuple[Origin, ...]:
    """Return the origins of a list of URLs. Raises TypeError or ValueError, which contain the parameter's name."""
    if isinstance(hosts, (str, bytes)) or not isinstance(hosts, Iterable):
        raise TypeError(f"{name} must be a list of URLs, got {type(hosts).__name__}; pass {name}=[url]")
    return tuple(origin(validate_base_url(name, host)) for host in hosts)


def origin(url: str) -> Origin:
    """Return scheme, host and port (RFC 6454).

    Raises ValueError for a URL in which other programs could find another host.
    """
    parts = urlsplit(url)
    if any(c <= " " or c == "\\" for c in url) or "@" in parts.netloc:
        raise ValueError("A token is not sent to a URL that contains a username, a backslash or a space")
    return parts.scheme, parts.hostname or "", parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0)
