"""The service on this machine, for development and tests: all eight endpoints, with the service's own rules.

    from BlueJeansMeetingsRestApi.sandbox import Sandbox

    with Sandbox() as sandbox:
        print(sandbox.url, sandbox.client_id, sandbox.client_secret)

It listens on loopback only and keeps everything in memory.
"""

from __future__ import annotations

import json
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from ..environment import missing
from .controls import Controls, Seen
from .service import Accounts as Accounts
from .service import Refusal as Refusal
from .service import Service


class Sandbox:
    """The service, from `start()` (or entering a `with` block) to `close()` (or leaving it).

    port: 0 for any that is free. tls: over HTTPS; `ca_cert` names the file of the authority to trust.
    process: in a child process, which ends with this one. accounts: who and what the service knows.
    lifetime: seconds that every access token is good for; None for what the service gives.
    clock: seconds that tokens and codes age by. on_request: called with each request that was answered. Both are for
        the service in this process alone.

    Raises ImportError where the extra is not installed, and OSError where the port is taken. What it is asked for and
    cannot do, such as to expire a token that there is not, raises `Refusal`.
    """

    def __init__(
        self,
        port: int = 0,
        tls: bool = False,
        *,
        process: bool = False,
        accounts: Accounts | None = None,
        lifetime: int | None = None,
        clock: Callable[[], float] = time.monotonic,
        on_request: Callable[[Seen], None] | None = None,
    ) -> None:
        self.accounts = accounts = accounts or Accounts()
        self.client_id = accounts.client_id
        self.client_secret = accounts.client_secret
        self.username = accounts.username
        self.password = accounts.password
        self.user_id = accounts.user_id
        self.enterprise_id = accounts.enterprise_id
        self.meeting_numeric_id = accounts.meeting_numeric_id
        self.moderator_passcode = accounts.moderator_passcode
        self.attendee_passcode = accounts.attendee_passcode
        self.open_meeting_numeric_id = accounts.open_meeting_numeric_id
        self.redirect_uri = accounts.redirect_uris[0]
        self.url = ""
        self.ca_cert: str | None = None
        self._settings = (port, tls, lifetime)
        self._runs_in_child = process
        self._clock = clock
        self._on_request = on_request
        self._running: _Here | _Child | None = None

    def __enter__(self) -> Sandbox:
        return self.start()

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Sandbox at {self.url or 'no address, as it is not started'}>"

    def start(self) -> Sandbox:
        """Serve, from when this returns."""
        if self._running is None:
            self._running = (
                _Child(self.accounts, *self._settings)
                if self._runs_in_child
                else _Here(self.accounts, *self._settings, self._clock, self._on_request)
            )
            self.url, self.ca_cert = self._running.url, self._running.ca_cert
        return self

    def close(self) -> None:
        """Stop serving. Connections that clients keep open end."""
        if self._running is not None:
            self._running.close()
            self._running = None

    def _control(self, name: str, **arguments: Any) -> Any:
        if self._running is None:
            raise RuntimeError("The sandbox is not running: enter it with `with`, or call start()")
        return self._running.control(name, arguments)

    @property
    def requests(self) -> list[Seen]:
        """What was asked of the service so far, without secrets."""
        return [Seen(**seen) for seen in self._control("requests")]

    def reset(self) -> None:
        """Forget tokens, codes, requests, faults and the time that was let pass."""
        self._control("reset")

    def advance(self, seconds: float) -> None:
        """Let tokens and codes age by so many seconds."""
        self._control("advance", seconds=seconds)

    def authorize(self, scope: str = "", redirect_uri: str | None = None, state: str | None = None) -> str:
        """A code, as if the user had signed in and allowed these scopes (by commas; the usual ones if empty)."""
        return str(self._control("authorize", scope=scope, redirect_uri=redirect_uri, state=state))

    def expire_tokens(self, token: str | None = None) -> None:
        """Let every access token expire now, or this one. Refresh tokens stay good."""
        self._control("expire_tokens", token=token)

    def revoke_tokens(self, token: str | None = None) -> None:
        """Take back every access token, or this one, and its refresh token with it."""
        self._control("revoke_tokens", token=token)

    def reject_next_refresh(self, count: int = 1) -> None:
        """Refuse the next refresh grants with 401, whatever refresh token they bring."""
        self._control("reject_next_refresh", count=count)

    def fail_next(
        self,
        count: int = 1,
        *,
        status: int | None = 503,
        message: str = "The sandbox was asked to fail.",
        headers: Mapping[str, str] | None = None,
        body: str | None = None,
        delay: float = 0.0,
        drip: float = 0.0,
        drop: bool = False,
    ) -> None:
        """Answer the next `count` requests so: with this status and the service's wording of `message`, or with `body`
        as it is, after `delay` seconds, the body in small pieces over `drip` seconds; or `drop` the connection without
        an answer. With the status None the request is handled as ever, and its own answer is late, slow or lost.
        """
        fault = {"status": status, "message": message, "headers": dict(headers or {}), "body": body}
        self._control("fail_next", count=count, **fault, delay=delay, drip=drip, drop=drop)


class _Here:
    """The service in this process."""

    def __init__(
        self,
        accounts: Accounts,
        port: int,
        tls: bool,
        lifetime: int | None,
        clock: Callable[[], float],
        on_request: Callable[[Seen], None] | None,
    ) -> None:
        try:
            from .server import Server
        except ImportError as error:
            raise missing("The sandbox", str(error.name), "sandbox") from error
        self._controls = Controls(Service(accounts, clock, lifetime), on_request)
        self._server = Server(self._controls, port, tls)
        self.url, self.ca_cert = self._server.url, self._server.ca_cert

    def control(self, name: str, arguments: dict[str, Any]) -> Any:
        return self._controls.call(name, arguments)

    def close(self) -> None:
        self._server.close()


class _Child:
    """The service in a process of its own, asked by way of POST /sandbox/<name>."""

    def __init__(self, accounts: Accounts, port: int, tls: bool, lifetime: int | None) -> None:
        command = [sys.executable, "-m", __name__, "--child", f"--port={port}", *(["--tls"] if tls else [])]
        command += [] if lifetime is None else [f"--lifetime={lifetime}"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        # On its standard input and not among its arguments, which every user of the machine can read.
        self._process.stdin.write(json.dumps(asdict(accounts)) + "\n")
        self._process.stdin.flush()
        ready = self._process.stdout.readline()
        if not ready:
            self.close()
            raise OSError(f"The sandbox did not start; its process ended with {self._process.returncode}")
        self.url, self.ca_cert = json.loads(ready)
        # The environment's proxies lead elsewhere.
        trust = urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=self.ca_cert))
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), trust)

    def control(self, name: str, arguments: dict[str, Any]) -> Any:
        request = urllib.request.Request(
            f"{self.url}/sandbox/{name}", json.dumps(arguments).encode(), {"Content-Type": "application/json"}
        )
        try:
            with self._opener.open(request) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                raise Refusal(error.code, json.load(error)["message"]) from None

    def close(self) -> None:
        with self._process:  # closes its standard input, which ends it, and waits
            pass
