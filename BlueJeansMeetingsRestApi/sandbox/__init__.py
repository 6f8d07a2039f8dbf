"""`Sandbox`: a local imitation of the service for development and tests, with all eight endpoints.

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
from .controls import Controls, ReceivedRequest
from .service import Accounts as Accounts
from .service import Refusal as Refusal
from .service import Service


class Sandbox:
    """The service, from `start()` (or entering a `with` block) to `close()` (or leaving it).

    port: TCP port on loopback; 0 for any free port.
    tls: serve HTTPS; `ca_cert` is then the path of the CA certificate to trust.
    process: run in a child process, which exits with this one.
    accounts: the users, clients and meetings of the service.
    lifetime: lifetime of every access token, in seconds; None for the service's own lifetimes.
    clock: function that returns the time in seconds by which tokens and codes expire; only without `process`.
    on_request: function that is called with every request after its response; only without `process`.

    Raises ImportError if the extra is not installed, OSError if the port is in use, and `Refusal` for a command that
    cannot be carried out, for example `expire_tokens("unknown")`.
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
        on_request: Callable[[ReceivedRequest], None] | None = None,
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
        self._running: _InProcess | _ChildProcess | None = None

    def __enter__(self) -> Sandbox:
        return self.start()

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Sandbox at {self.url or 'no address, not started'}>"

    def start(self) -> Sandbox:
        """Start the service; it accepts requests when this returns."""
        if self._running is None:
            self._running = (
                _ChildProcess(self.accounts, *self._settings)
                if self._runs_in_child
                else _InProcess(self.accounts, *self._settings, self._clock, self._on_request)
            )
            self.url, self.ca_cert = self._running.url, self._running.ca_cert
        return self

    def close(self) -> None:
        """Stop the service and close all connections."""
        if self._running is not None:
            self._running.close()
            self._running = None

    def _control(self, name: str, **arguments: Any) -> Any:
        if self._running is None:
            raise RuntimeError("The sandbox is not running; use it in a `with` block or call start()")
        return self._running.control(name, arguments)

    @property
    def requests(self) -> list[ReceivedRequest]:
        """The requests that the service received so far, without secrets."""
        return [ReceivedRequest(**received) for received in self._control("requests")]

    def reset(self) -> None:
        """Reset tokens, codes, recorded requests, faults and the clock."""
        self._control("reset")

    def advance(self, seconds: float) -> None:
        """Advance the clock of tokens and codes by `seconds` seconds."""
        self._control("advance", seconds=seconds)

    def authorize(self, scope: str = "", redirect_uri: str | None = None, state: str | None = None) -> str:
        """Return an authorization code, as if the user had signed in and approved.

        scope: comma-delimited scopes; the default scopes if empty.
        """
        return str(self._control("authorize", scope=scope, redirect_uri=redirect_uri, state=state))

    def expire_tokens(self, token: str | None = None) -> None:
        """Expire every access token now, or only `token`. Refresh tokens stay valid."""
        self._control("expire_tokens", token=token)

    def revoke_tokens(self, token: str | None = None) -> None:
        """Revoke every access token, or only `token`, together with its refresh token."""
        self._control("revoke_tokens", token=token)

    def reject_next_refresh(self, count: int = 1) -> None:
        """Refuse the next `count` refresh grants with 401, even with a valid refresh token."""
        self._control("reject_next_refresh", count=count)

    def fail_next(
        self,
        count: int = 1,
        *,
        status: int | None = 503,
        message: str = "Fault injected by the sandbox.",
        headers: Mapping[str, str] | None = None,
        body: str | None = None,
        delay: float = 0.0,
        drip: float = 0.0,
        drop: bool = False,
    ) -> None:
        """Inject a fault into the next `count` responses.

        status: HTTP status of the response; None to process the request normally, for example to delay its response.
        message: message of the JSON error body.
        headers: additional response headers.
        body: response body that replaces the JSON error body.
        delay: time before the response, in seconds.
        drip: time over which the body is sent in small pieces, in seconds.
        drop: close the connection without a response.
        """
        fault = {"status": status, "message": message, "headers": dict(headers or {}), "body": body}
        self._control("fail_next", count=count, **fault, delay=delay, drip=drip, drop=drop)


class _InProcess:
    """Run the service in this process."""

    def __init__(
        self,
        accounts: Accounts,
        port: int,
        tls: bool,
        lifetime: int | None,
        clock: Callable[[], float],
        on_request: Callable[[ReceivedRequest], None] | None,
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


class _ChildProcess:
    """Run the service in a child process, controlled through POST /sandbox/<name>."""

    def __init__(self, accounts: Accounts, port: int, tls: bool, lifetime: int | None) -> None:
        command = [sys.executable, "-m", __name__, "--child", f"--port={port}", *(["--tls"] if tls else [])]
        command += [] if lifetime is None else [f"--lifetime={lifetime}"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        # Send the accounts through standard input, because every user of the machine can read arguments.
        self._process.stdin.write(json.dumps(asdict(accounts)) + "\n")
        self._process.stdin.flush()
        ready = self._process.stdout.readline()
        if not ready:
            self.close()
            raise OSError(f"The sandbox did not start; its process exited with status {self._process.returncode}")
        self.url, self.ca_cert = json.loads(ready)
        # Ignore the proxies of the environment: the service is on this machine.
        trust = urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=self.ca_cert))
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), trust)

    def control(self, name: str, arguments: dict[str, Any]) -> Any:
        request = urllib.request.Request(
            f"{self.url}/sandbox/{name}", json.dumps(arguments).encode(), {"Content-Type": "application/json"}
        )
        try:
            with self._opener.open(request) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            with error:
                raise Refusal(error.code, json.load(error)["message"]) from None

    def close(self) -> None:
        with self._process:  # leaving the block closes standard input, on which the child exits, and waits
            pass
