"""Look up a host name and open a TCP connection to it before a deadline."""

from __future__ import annotations

import socket
import threading
import time
from typing import Any

from .deadline import TimeLeft, keeping_deadlines


def open_connection(host: str, port: int, deadline: float, options: Any = ()) -> socket.socket:
    """Connect to the first address of `host` that accepts, and return a socket that keeps `deadline`.

    Each address gets an equal share of the time that is left. Raises socket.timeout or another OSError.
    """
    addresses = resolve(host, port, deadline)
    for others, address in zip(reversed(range(len(addresses))), addresses):
        now = time.monotonic()
        share = max(deadline - now, 0) / (others + 1)
        try:
            sock = _connect(address, now + share, options)
        except OSError:
            if not others:
                raise
        else:
            # The TLS handshake and the proxy's response are part of connecting.
            sock.settimeout(TimeLeft(deadline))
            return sock
    raise OSError(f"{host} has no address")


def _connect(address: Any, deadline: float, options: Any) -> socket.socket:
    family, kind, protocol, _, where = address
    sock: socket.socket = keeping_deadlines(socket.socket)(family, kind, protocol)
    try:
        for option in options or ():
            sock.setsockopt(*option)
        sock.settimeout(TimeLeft(deadline))
        sock.connect(where)
    except BaseException:
        sock.close()
        raise
    return sock


def resolve(host: str, port: int, deadline: float) -> list[Any]:
    """Return what `socket.getaddrinfo` returns for `host`; raise socket.timeout if that takes too long."""
    try:
        return list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST))
    except OSError:
        pass
    found: Any = None

    def look_up() -> None:
        nonlocal found
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            found = error

    # A thread, because getaddrinfo accepts no timeout and ignores Ctrl-C.
    thread = threading.Thread(target=look_up, name=f"DNS of {host}", daemon=True)
    try:
        thread.start()
    except RuntimeError:
        # Python 3.12 starts no thread at interpreter exit; elsewhere the limit of threads may be reached.
        look_up()
    # Short waits, because a Ctrl-C that arrives just before a wait is noticed only after it.
    while found is None and (left := deadline - time.monotonic()) > 0:
        thread.join(min(left, 0.05))
    if found is None:
        raise socket.timeout(f"no response from DNS for {host} in time")
    if isinstance(found, OSError):
        raise found
    return list(found)
