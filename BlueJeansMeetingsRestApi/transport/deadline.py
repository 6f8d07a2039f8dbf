"""The deadline of an attempt, and sockets that keep it in each wait.

A timeout of urllib3 limits one `recv`, so a server that sends one byte at a time can delay a response indefinitely. The
sockets of this module accept a deadline as their timeout: `sock.settimeout(TimeLeft(deadline))`.
"""

from __future__ import annotations

import functools
import math
import os
import socket
import ssl
import sys
import time
from typing import Any, Callable, NamedTuple

from urllib3.exceptions import HTTPError
from urllib3.util import Timeout, wait_for_write

# Seconds after which a wait is interrupted and resumed. Python up to 3.13 handles Ctrl-C on Windows only between waits.
LONGEST_WAIT = 0.1 if sys.platform == "win32" and sys.version_info < (3, 14) else math.inf
# The shortest timeout of a socket, in seconds: 0 would make it non-blocking.
_SHORTEST_WAIT = 0.001


class UnsupportedUrllib3Error(HTTPError):
    """urllib3 does not connect through `_new_conn`, so that nothing would keep the deadline."""

    def __init__(self) -> None:
        from importlib.metadata import version

        super().__init__(
            f"urllib3 {version('urllib3')} does not connect through `_new_conn`, so no connection would have a time "
            "limit: install another version of urllib3, or a newer one of this package"
        )


class Limits(NamedTuple):
    """The time limits of a call: to connect and of silence, in seconds, and its deadline on the monotonic clock."""

    connect: float
    read: float
    end: float

    def left(self) -> float:
        """Return the seconds until the deadline, but no less than a millisecond."""
        return max(self.end - time.monotonic(), _SHORTEST_WAIT)


class TimeLeft(float):
    """The seconds until a deadline, which it carries, for `settimeout` of the sockets of this module."""

    deadline: float

    def __new__(cls, deadline: float) -> TimeLeft:
        """Measure the time until `deadline`, which is on the monotonic clock."""
        self = super().__new__(cls, max(deadline - time.monotonic(), _SHORTEST_WAIT))
        self.deadline = deadline
        return self


class ConnectTimeout(float):
    """The time limit to connect, in seconds, with the attempt that it belongs to."""

    attempt: Attempt


class Attempt(Timeout):
    """One attempt of a call: its time limits, and how far it got. urllib3 takes it for a `Timeout`.

    limits: the time limits; `limits.end` bounds the whole attempt.
    fresh: whether it needs a new connection instead of a pooled one.
    streamed: whether the body of a success is left unread. max_bytes: how much of any other body is read.
    successes: the HTTP statuses that count as success.
    opened: whether it opened a connection. connected: whether the service may have received some of the request.
    status: the HTTP status of the response, or 0 before it is known.
    """

    def __init__(
        self,
        limits: Limits,
        fresh: bool = False,
        streamed: bool = False,
        max_bytes: int = 1 << 20,
        successes: range = range(200, 300),
    ) -> None:
        self.limits, self.deadline = limits, limits.end
        self.fresh, self.streamed, self.max_bytes, self.successes = fresh, streamed, max_bytes, successes
        self.opened = self.connected = False
        self.status = 0

    def __repr__(self) -> str:
        return f"Attempt({self.limits!r})"

    __str__ = __repr__

    @property
    def reused(self) -> bool:
        """Whether the request was sent over a pooled connection."""
        return self.connected and not self.opened

    def clone(self) -> Attempt:
        """Return the attempt itself, which urllib3 would otherwise copy."""
        return self

    def start_connect(self) -> float:
        """Do nothing: the connection measures the time by itself."""
        return 0.0

    @property
    def connect_timeout(self) -> ConnectTimeout:
        """The time limit to connect, through which the connection finds the attempt."""
        seconds = ConnectTimeout(self.limits.connect)
        seconds.attempt = self
        return seconds

    @property
    def read_timeout(self) -> float:
        """The time limit of silence, in seconds."""
        return self.limits.read

    def connect_deadline(self) -> float:
        """Return the moment until which a connection that is opened now must be complete."""
        return min(self.deadline, time.monotonic() + self.limits.connect)

    def limit(self, sock: Any) -> None:
        """Let the next wait of `sock` end with the attempt, or after the time limit of silence."""
        now = time.monotonic()
        if now >= self.deadline:
            raise socket.timeout("timed out")
        deadline = min(self.deadline, now + self.limits.read)
        if isinstance(sock, _KeepsDeadline):
            sock.deadline = deadline  # as settimeout does, without a system call
        else:
            sock.settimeout(TimeLeft(deadline))


def sleep(seconds: float) -> None:
    """Sleep so that Ctrl-C interrupts it on every system."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        time.sleep(min(left, LONGEST_WAIT))


class _KeepsDeadline:
    """A socket for which a `TimeLeft` as timeout bounds all that follows, not each wait by itself."""

    deadline: float | None = None

    def settimeout(self, value: float | None) -> None:
        self.deadline = getattr(value, "deadline", None)
        super().settimeout(value)  # type: ignore[misc]

    def gettimeout(self) -> float | None:
        # `ssl` reads it, and sets it on the socket that replaces this one.
        return super().gettimeout() if self.deadline is None else TimeLeft(self.deadline)  # type: ignore[misc]

    def _wait(self, wait: Callable[..., Any], *args: Any) -> Any:
        if self.deadline is None:
            return wait(*args)
        while (left := self.deadline - time.monotonic()) > 0:
            super().settimeout(min(left, LONGEST_WAIT))  # type: ignore[misc]
            try:
                return wait(*args)
            except socket.timeout as error:
                if error.errno:  # the system's ETIMEDOUT
                    raise
        raise socket.timeout("timed out")

    def connect(self, address: Any) -> None:
        if self.deadline is not None:
            super().settimeout(min(TimeLeft(self.deadline), LONGEST_WAIT))  # type: ignore[misc]
        try:
            super().connect(address)  # type: ignore[misc]
        except socket.timeout as error:
            if error.errno or self.deadline is None:
                raise
            # Connecting continues in the background. A second call of connect is an error on some systems.
            self._wait(self._finish_connecting)

    def _finish_connecting(self) -> None:
        if not wait_for_write(self, super().gettimeout()):  # type: ignore[misc,arg-type]
            raise socket.timeout("timed out")
        error = self.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)  # type: ignore[attr-defined]
        if error:
            raise OSError(error, os.strerror(error))

    def recv(self, *args: Any) -> Any:
        return self._wait(super().recv, *args)  # type: ignore[misc]

    def recv_into(self, *args: Any) -> Any:
        return self._wait(super().recv_into, *args)  # type: ignore[misc]

    def send(self, *args: Any) -> Any:
        return self._wait(super().send, *args)  # type: ignore[misc]

    def sendall(self, data: Any, *args: Any) -> None:
        # socket's own starts over when a wait was interrupted. TLS on Python 3.9 cannot send an empty message.
        sent = 0
        while sent < len(data):
            sent += self.send(data[sent:] if sent else data, *args)


class _KeepsDeadlineInTLS(_KeepsDeadline):
    def do_handshake(self, *args: Any) -> None:
        self._wait(super().do_handshake, *args)  # type: ignore[misc]


@functools.lru_cache(maxsize=8)
def keeping_deadlines(cls: Any) -> Any:
    """Return a subclass of a class of sockets, such as gevent's, for which a `TimeLeft` is a deadline."""
    mixin = _KeepsDeadlineInTLS if issubclass(cls, ssl.SSLSocket) else _KeepsDeadline
    return type(cls.__name__, (mixin, cls), {})


def keeps_deadlines(sock: Any) -> bool:
    """Return whether a `TimeLeft` is a deadline for this socket."""
    return isinstance(sock, _KeepsDeadline)
