"""What the rows of docs/RELIABILITY.md share.

A test that is a row has the marker `fault(row, fault, what_happens, *exceptions)`. The fixture `call` holds it to that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from support.caller_process import GRANT, Caller, Outcome
from support.recording_server import RecordingServer, http_response


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Caller]]:
    """Starts a program that makes one call, or `calls`, to a host; see `caller.py`."""
    running = []

    def start(
        host: str,
        operation: str = "get_token_by_client",
        calls: list[dict[str, Any]] | None = None,
        environment: dict[str, str] | None = None,
        dns_hangs: bool = False,
        dictionaries: bool = False,
        options: dict[str, Any] | None = None,
        **settings: Any,
    ) -> Caller:
        one = {"operation": operation, "dictionaries": dictionaries, "options": options or {}}
        plan = {"settings": {"host": host, **settings}, "calls": calls or [one], "dns_hangs": dns_hangs}
        running.append(Caller(tmp_path / f"outcomes-{len(running)}.json", plan, environment or {}))
        return running[-1]

    yield start
    for caller in running:
        caller.stop()


@pytest.fixture
def call(start: Callable[..., Caller], request: pytest.FixtureRequest) -> Callable[..., Outcome]:
    """Runs such a program to its end, and returns what came of the last call.

    It is the exception that the test's marker names (or none, where it names none), and came in time.
    """
    marker = request.node.get_closest_marker("fault")

    def call(host: str, *args: Any, **settings: Any) -> Outcome:
        settings.setdefault("call_timeout", 5)
        outcome = start(host, *args, **settings).outcomes()[-1]
        assert outcome.kind in (marker.args[3:] or ("",)), outcome.output
        assert outcome.seconds < settings["call_timeout"] + 1
        return outcome

    return call


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    """A server that answers each request with a token, until it is told otherwise."""
    with RecordingServer([http_response(GRANT)]) as server:
        yield server
