"""The authorization response: validate the URL that the browser was redirected to.

A response is accepted if it returns the `state` of the request. The service's denial has no `state`; it is accepted in
exactly the service's format, and only if the user sees the result. Thus another site can at most abort a sign-in while
the user watches, and the user starts again. It can never inject its own code.
"""

from __future__ import annotations

import hmac
import queue
import threading
import time
import webbrowser
from typing import Callable, NamedTuple
from urllib.parse import parse_qs, urlsplit

from ..exceptions import ApiException, ApiResponseError, ApiTimeoutError, ReauthenticationRequired

_RESULT_PAGE_TIMEOUT = 2.0  # seconds to wait until the result page has been sent


class AuthorizationResponse(NamedTuple):
    """An authorization response (RFC 6749 section 4.1.2): a code, or an error instead."""

    code: str = ""
    error: ApiException | None = None

    def __repr__(self) -> str:
        return f"AuthorizationResponse(error={self.error!r})"


def parse_response(url: str, state: str, *, is_visible: bool = True) -> AuthorizationResponse:
    """Return the authorization response in the URL that the browser was redirected to.

    state: `state` of the request.
    is_visible: whether the user sees the result; only then is a denial without `state` accepted.

    Raises ValueError if the URL is not a response to the request with this `state`.
    """
    fields = parse_qs(urlsplit(url).query, keep_blank_values=True)

    def get(name: str) -> str:
        values = fields.get(name, [])
        return values[0] if len(values) == 1 else ""  # RFC 6749 section 3.1: a parameter must not be repeated

    error = get("error")
    is_denial_of_the_service = is_visible and error == "401" and not fields.keys() & {"state", "code"}
    if not hmac.compare_digest(get("state").encode(), state.encode()) and not is_denial_of_the_service:
        raise ValueError("The URL is not a response to this sign-in: its `state` is missing or different")
    if error in ("access_denied", "401"):
        detail = "Start a new sign-in."
        return AuthorizationResponse(error=ReauthenticationRequired(0, "access was denied", detail=detail))
    if error:
        detail = "".join(c for c in f"{error}: {get('error_description')}" if c.isprintable())
        return AuthorizationResponse(error=ApiResponseError(0, "the browser returned an error", detail=detail))
    if not get("code"):
        return AuthorizationResponse(error=ApiResponseError(0, "the browser returned without a code"))
    return AuthorizationResponse(get("code"))


class ReceivedResponse:
    """An accepted response and its result.

    succeeded: whether the sign-in succeeded, once `settled` is set.
    settled: set when the result is known.
    shown: set when the user has seen the result.
    """

    def __init__(self, response: AuthorizationResponse) -> None:
        self.response = response
        self.succeeded = False
        self.settled, self.shown = threading.Event(), threading.Event()


class PendingSignIn:
    """Accepts one response, from any thread, until its `with` block is left.

    The sign-in has succeeded if the block is left without an exception.
    """

    def __init__(self, state: str) -> None:
        self._state = state
        self._lock = threading.Lock()
        self._received: ReceivedResponse | None = None
        self._is_closed = False
        # A response, an error of the function that opens the browser, or None if no browser opens.
        self._events: queue.SimpleQueue[ReceivedResponse | Exception | None] = queue.SimpleQueue()

    def __enter__(self) -> PendingSignIn:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with self._lock:
            self._is_closed = True
        if self._received is not None:
            self._received.succeeded = kind is None
            self._received.settled.set()
            self._received.shown.wait(_RESULT_PAGE_TIMEOUT)

    def receive(self, url: str, *, is_visible: bool = True) -> ReceivedResponse | None:
        """Accept the response in a URL and return it, or return None if the sign-in has finished already.

        Raises ValueError as `parse_response` does.
        """
        received = ReceivedResponse(parse_response(url, self._state, is_visible=is_visible))
        with self._lock:
            if self._is_closed or self._received is not None:
                return None
            self._received = received
        self._events.put(received)
        return received

    def open_browser(self, open_browser: Callable[[str], object], url: str) -> None:
        """Open a browser; `wait` reports if that fails."""
        try:
            if open_browser(url) is False:
                self._events.put(None)
        except webbrowser.Error:
            self._events.put(None)
        except Exception as error:
            self._events.put(error)

    def wait(self, deadline: float) -> AuthorizationResponse | None:
        """Return the response, or None if no browser opens.

        deadline: time on the monotonic clock.

        Raises ApiTimeoutError at the deadline, and the exception of the function that opens the browser.
        """
        try:
            event = self._events.get(timeout=max(deadline - time.monotonic(), 0.0))
        except queue.Empty:
            raise ApiTimeoutError(0, "timed out waiting for the sign-in", detail="Start a new sign-in.") from None
        if isinstance(event, Exception):
            raise event
        return None if event is None else event.response
