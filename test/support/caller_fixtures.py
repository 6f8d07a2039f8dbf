"""Fixtures that run `caller.py`; a conftest.py imports the ones that its tests use."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from support.caller_process import Caller, Outcome


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Caller]]:
    """Return a function that starts a program that makes one call, or `calls`, to a host; see `caller.py`."""
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
    """Return a function that runs such a program until it exits, and returns the outcome of its last call.

    The outcome must be one of the exceptions in the test's `fault` marker (no exception if the marker has none), and
    must arrive before the deadline.
    """
    marker = request.node.get_closest_marker("fault")

    def call(host: str, *args: Any, **settings: Any) -> Outcome:
        settings.setdefault("call_timeout", 5)
        outcome = start(host, *args, **settings).outcomes()[-1]
        assert outcome.kind in (marker.args[3:] or ("",)), outcome.output
        assert outcome.seconds < settings["call_timeout"] + 1
        return outcome

    return call
