"""Commands behind the methods of `Sandbox`: list the received requests, inject faults, advance the clock."""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from .service import Refusal, Service

# The methods that `Controls.call`, and therefore POST /sandbox/<name>, may call.
NAMES = (
    "advance",
    "authorize",
    "expire_tokens",
    "fail_next",
    "reject_next_refresh",
    "requests",
    "reset",
    "revoke_tokens",
)
RECALLED = 500  # earlier requests that a new follower of the journal receives
HEARTBEAT = 15.0  # seconds between messages to an idle follower, which detect a closed connection


@dataclass(frozen=True)
class ReceivedRequest:
    """A request that the sandbox received, and its response. Secrets are masked.

    status: HTTP status of the response; 0 if the connection was dropped.
    seconds: time from the request's headers to the response's headers.
    request, response: the bodies as JSON data; None if there was none.
    at: Unix timestamp of the response.
    fault: whether `fail_next` changed the response.
    """

    method: str
    path: str
    grant: str | None
    status: int
    seconds: float
    request: Any = None
    response: Any = None
    at: float = 0.0
    fault: bool = False

    def __str__(self) -> str:
        grant = f" {self.grant}" if self.grant else ""
        return f"{self.method} {self.path}{grant} -> {self.status or 'dropped'} in {self.seconds * 1000:.0f} ms"


@dataclass
class Fault:
    """A fault in the response to one request. `Sandbox.fail_next` describes the attributes."""

    status: int | None = 503
    message: str = "Fault injected by the sandbox."
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | None = None
    delay: float = 0.0
    drip: float = 0.0
    drop: bool = False

    def __post_init__(self) -> None:
        if self.status is not None and not (isinstance(self.status, int) and 200 <= self.status <= 599):
            raise ValueError("status must be from 200 to 599, or null to process the request normally.")
        if not (isinstance(self.headers, Mapping) and isinstance(self.body, (str, type(None)))):
            raise ValueError("headers must be an object, and body a string.")
        for name in ("delay", "drip"):
            seconds = getattr(self, name)
            if not (isinstance(seconds, (int, float)) and 0 <= seconds <= threading.TIMEOUT_MAX):
                raise ValueError(f"{name} must be a number of seconds.")


class Controls:
    """The controls of the sandbox, and its journal of requests."""

    def __init__(self, service: Service, on_request: Callable[[ReceivedRequest], None] | None = None) -> None:
        self.service = service
        self.closing = threading.Event()
        self._on_request = on_request
        self.journal: list[ReceivedRequest] = []
        self._faults: deque[Fault] = deque()
        self._changed = threading.Condition()

    def call(self, name: str, arguments: Mapping[str, Any]) -> Any:
        """Call the control `name`; raise Refusal if there is no such control."""
        if name not in NAMES:
            raise Refusal(404, f"There is no control {name!r}.")
        try:
            return getattr(self, name)(**arguments)
        finally:
            self._notify_followers()

    def close(self) -> None:
        """Interrupt delayed responses and followers of the journal."""
        self.closing.set()
        self._notify_followers()

    def requests(self) -> list[dict[str, Any]]:
        return [asdict(received) for received in list(self.journal)]

    def reset(self) -> None:
        self.service.reset()
        # Start a new list: followers detect it, and requests in flight stay in the old one.
        self.journal = []
        self._faults.clear()

    def advance(self, seconds: float) -> None:
        self.service.advance(seconds)

    def expire_tokens(self, token: str | None = None) -> None:
        self.service.expire_tokens(token)

    def revoke_tokens(self, token: str | None = None) -> None:
        self.service.revoke_tokens(token)

    def reject_next_refresh(self, count: int = 1) -> None:
        self.service.reject_next_refresh(count)

    def fail_next(self, count: int = 1, **fault: Any) -> None:
        self._faults.extend([Fault(**fault)] * count)

    def authorize(self, scope: str = "", redirect_uri: str | None = None, state: str | None = None) -> str:
        accounts = self.service.accounts
        request = {
            "clientId": accounts.client_id,
            "redirectUri": redirect_uri or accounts.redirect_uris[0],
            "scope": scope,
            "state": state or "",
        }
        target = self.service.decide_authorization(request, accounts.username, accounts.password, allow=True)
        return dict(parse_qsl(target.partition("?")[2]))["code"]

    def record(self, received: ReceivedRequest, journal: list[ReceivedRequest]) -> None:
        """Append a request to `journal`, the one that was current when the request arrived."""
        journal.append(received)
        self._notify_followers()
        if self._on_request is not None:
            self._on_request(received)

    def next_fault(self) -> Fault | None:
        try:
            return self._faults.popleft()
        except IndexError:
            return None

    def drip(self, body: bytes, seconds: float) -> Iterator[bytes]:
        """Yield `body` in ten pieces per second, the last one after `seconds` seconds."""
        pieces = max(1, min(len(body), math.ceil(seconds * 10)))
        for n in range(pieces):
            self.closing.wait(seconds / pieces)
            yield body[len(body) * n // pieces : len(body) * (n + 1) // pieces]

    def state(self) -> dict[str, int]:
        """Return the numbers of valid tokens, pending faults and refreshes to reject."""
        return {
            "tokens": self.service.count_valid_tokens(),
            "faults": len(self._faults),
            "refreshes_to_reject": self.service.refreshes_to_reject,
        }

    def follow(self) -> Iterator[tuple[str, Any]]:
        """Yield the latest requests of the journal and then new ones, as pairs of event name and data.

        The events are `reset` (start of the journal), `request`, `state` (after a change) and `heartbeat`.
        """
        journal: list[ReceivedRequest] = []  # not the current one, so that the first event is `reset`
        sent = 0
        state: dict[str, int] = {}

        def is_behind() -> bool:
            return (
                self.closing.is_set()
                or journal is not self.journal
                or sent < len(self.journal)
                or state != self.state()
            )

        while not self.closing.is_set():
            if journal is not self.journal:
                journal = self.journal
                sent = max(0, len(journal) - RECALLED)
                yield "reset", None
            while sent < len(journal):
                yield "request", asdict(journal[sent])
                sent += 1
            if state != self.state():
                state = self.state()
                yield "state", state
            with self._changed:
                on_time = self._changed.wait_for(is_behind, HEARTBEAT)
            if not on_time:
                yield "heartbeat", None

    def _notify_followers(self) -> None:
        with self._changed:
            self._changed.notify_all()
