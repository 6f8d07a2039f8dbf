"""What a program or a person may ask of the sandbox beyond the service: what it saw, and to fail on purpose."""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from .service import Refusal, Service

# The names that may be called by `Controls.call`, and so by POST /sandbox/<name>.
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
RECALLED = 500  # requests that a follower of the journal is told of from before it came
HEARTBEAT = 15.0  # seconds, after which a follower of the journal is written to, to find out whether it is still there


@dataclass(frozen=True)
class Seen:
    """One request that the sandbox answered. No secret is in it.

    status: of the answer; 0 where the connection was dropped instead. seconds: from the request's head to the answer's.
    request, response: the bodies, None where there was none. at: when it was answered, in seconds since the epoch.
    fault: whether `fail_next` changed the answer.
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
    """What happens to the answer of one request.

    status: in place of its own; None for its own answer. delay: seconds before it. drip: seconds over which the body
    comes in small pieces. drop: the connection is closed without an answer. body: what is sent as it is, in place of
    the service's wording of `message`.
    """

    status: int | None = 503
    message: str = "The sandbox was asked to fail."
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | None = None
    delay: float = 0.0
    drip: float = 0.0
    drop: bool = False

    def __post_init__(self) -> None:
        if self.status is not None and not (isinstance(self.status, int) and 200 <= self.status <= 599):
            raise ValueError("status has to be from 200 to 599, or null for the answer's own.")
        if not (isinstance(self.headers, Mapping) and isinstance(self.body, (str, type(None)))):
            raise ValueError("headers has to be an object, and body text.")
        for name in ("delay", "drip"):
            seconds = getattr(self, name)
            if not (isinstance(seconds, (int, float)) and 0 <= seconds <= threading.TIMEOUT_MAX):
                raise ValueError(f"{name} has to be a number of seconds.")


class Controls:
    """The switches of the sandbox, and its journal."""

    def __init__(self, service: Service, on_request: Callable[[Seen], None] | None = None) -> None:
        self.service = service
        self.closing = threading.Event()
        self._on_request = on_request
        self.journal: list[Seen] = []
        self._faults: deque[Fault] = deque()
        self._changed = threading.Condition()

    def call(self, name: str, arguments: Mapping[str, Any]) -> Any:
        """Use a control by its name; Refusal if there is none of that name."""
        if name not in NAMES:
            raise Refusal(404, f"There is no control {name!r}.")
        try:
            return getattr(self, name)(**arguments)
        finally:
            self._tell_followers()

    def close(self) -> None:
        """Let nobody wait for a delayed answer, nor for what comes next."""
        self.closing.set()
        self._tell_followers()

    def requests(self) -> list[dict[str, Any]]:
        return [asdict(seen) for seen in list(self.journal)]

    def reset(self) -> None:
        self.service.reset()
        # Another list, so that followers know, and that what was asked before is not noted in it when it is answered.
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
        asked = {
            "clientId": accounts.client_id,
            "redirectUri": redirect_uri or accounts.redirect_uris[0],
            "scope": scope,
            "state": state or "",
        }
        target = self.service.decide_authorization(asked, accounts.username, accounts.password, allow=True)
        return dict(parse_qsl(target.partition("?")[2]))["code"]

    def note(self, seen: Seen, journal: list[Seen]) -> None:
        """Add a request to the journal that there was when it came."""
        journal.append(seen)
        self._tell_followers()
        if self._on_request is not None:
            self._on_request(seen)

    def next_fault(self) -> Fault | None:
        try:
            return self._faults.popleft()
        except IndexError:
            return None

    def in_pieces(self, body: bytes, seconds: float) -> Iterator[bytes]:
        """The body in ten pieces a second, the last after so many seconds."""
        pieces = max(1, min(len(body), math.ceil(seconds * 10)))
        for n in range(pieces):
            self.closing.wait(seconds / pieces)
            yield body[len(body) * n // pieces : len(body) * (n + 1) // pieces]

    def state(self) -> dict[str, int]:
        """How many tokens are good, and how much is yet to fail."""
        return {
            "tokens": self.service.count_valid_tokens(),
            "faults": len(self._faults),
            "refreshes_to_reject": self.service.refreshes_to_reject,
        }

    def follow(self) -> Iterator[tuple[str, Any]]:
        """The journal's last requests, and what comes then, until the sandbox closes: names of events, and their data.

        `reset` where the journal starts, `request` for each request, `state` where that has changed, and `heartbeat`.
        """
        journal: list[Seen] | None = None
        told = 0
        state: dict[str, int] = {}

        def is_behind() -> bool:
            return (
                self.closing.is_set()
                or journal is not self.journal
                or told < len(self.journal)
                or state != self.state()
            )

        while not self.closing.is_set():
            if journal is not self.journal:
                journal = self.journal
                told = max(0, len(journal) - RECALLED)
                yield "reset", None
            while told < len(journal):
                yield "request", asdict(journal[told])
                told += 1
            if state != self.state():
                state = self.state()
                yield "state", state
            with self._changed:
                on_time = self._changed.wait_for(is_behind, HEARTBEAT)
            if not on_time:
                yield "heartbeat", None

    def _tell_followers(self) -> None:
        with self._changed:
            self._changed.notify_all()
