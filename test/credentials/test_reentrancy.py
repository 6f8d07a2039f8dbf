"""Calls of `get_token` in a thread that is already in one: from a signal handler, a log handler or `fetch` itself."""

from __future__ import annotations

import inspect
import linecache
import logging
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import FrameType, SimpleNamespace
from typing import Any

import pytest

import BlueJeansMeetingsRestApi as bluejeans
from BlueJeansMeetingsRestApi.credentials.attempt import Attempt
from BlueJeansMeetingsRestApi.credentials.shared_token import SharedToken
from support.credentials import TIMEOUT

FILES = {inspect.getfile(one) for one in (bluejeans.TokenRefresher, SharedToken, Attempt)}


def granted(_: float = 0.0) -> Any:
    return SimpleNamespace(access_token="a-token", expires_in=3600, refresh_token=None)


def in_thread(function: Callable[[], Any]) -> Any:
    """Return the result of a function that must not wait for itself."""
    pool = ThreadPoolExecutor(1)
    try:
        return pool.submit(function).result(TIMEOUT)
    finally:
        pool.shutdown(wait=False)


def is_possible(frame: FrameType) -> bool:
    """Return whether Python can run a signal handler before this line.

    It does not while it releases a lock or enters a `finally`.
    """
    line = linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip()
    return not line.startswith(("with ", "inside.discard(", "if runs_here:", "self._finish("))


def at_line(number: int, action: Callable[[], None]) -> Callable[..., Any]:
    """Return a trace function that calls `action` before a line of the refresher, as a signal handler would be."""
    left = [number]

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        if frame.f_code.co_filename not in FILES:
            return None
        if event == "line" and is_possible(frame):
            left[0] -= 1
            if left[0] == 0:
                sys.settrace(None)
                action()
        return trace

    return trace


def test_fetch_that_calls_get_token_gets_an_error_at_once() -> None:
    errors = []

    def fetch(_: float) -> Any:
        with pytest.raises(bluejeans.ApiException, match="called again in the thread that is refreshing") as caught:
            refresher.get_token()
        errors.append(caught.value)
        return granted()

    refresher = bluejeans.TokenRefresher(fetch)
    assert in_thread(refresher.get_token).token == "a-token"
    assert [error.status for error in errors] == [0]


@pytest.mark.usefixtures("no_token_in_any_log")
@pytest.mark.fault(73, "a log handler uses the credentials that log", "the valid token, without waiting")
def test_log_handler_gets_the_new_token() -> None:
    tokens = []

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            tokens.append(refresher.get_token().token)

    refresher = bluejeans.TokenRefresher(granted)
    logger, handler = logging.getLogger("BlueJeansMeetingsRestApi.credentials"), Handler()
    logger.addHandler(handler)
    level = logger.level
    logger.setLevel(logging.INFO)
    try:
        assert in_thread(refresher.get_token).token == "a-token"
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
    assert tokens == ["a-token"]


@pytest.mark.usefixtures("no_token_in_any_log")
@pytest.mark.fault(73, "a log handler asks while no token is valid", "an error, without waiting", "ApiException")
def test_log_handler_without_a_valid_token_gets_an_error() -> None:
    store = bluejeans.MemoryTokenStore()
    errors: list[Exception] = []

    def fail(key: str) -> None:
        raise bluejeans.TokenStoreError("it is down")

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            try:
                refresher.get_token()
            except bluejeans.ApiException as error:
                errors.append(error)

    store.read = fail  # type: ignore[assignment]
    refresher = bluejeans.TokenRefresher(granted, store)
    logger, handler = logging.getLogger("BlueJeansMeetingsRestApi.credentials"), Handler()
    logger.addHandler(handler)
    try:
        assert in_thread(refresher.get_token).token == "a-token"
    finally:
        logger.removeHandler(handler)
    assert len(errors) == 1


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="the system has no timer signals")
def test_signal_handler_in_the_refreshing_thread_does_not_wait() -> None:
    outcomes: list[str] = []

    def handle(*_: Any) -> None:
        try:
            outcomes.append(refresher.get_token().token)
        except bluejeans.ApiException as error:
            outcomes.append(str(error.reason))
        called.set()

    def fetch(_: float) -> Any:
        signal.raise_signal(signal.SIGALRM)
        assert called.wait(TIMEOUT)
        return granted()

    called = threading.Event()
    refresher = bluejeans.TokenRefresher(fetch)
    before = signal.signal(signal.SIGALRM, handle)
    try:
        assert refresher.get_token().token == "a-token"
    finally:
        signal.signal(signal.SIGALRM, before)
    assert outcomes == ["get_token() was called again in the thread that is refreshing the token"]


def lines_of_a_refresh() -> int:
    """Return how many lines of the refresher a call with a refresh runs."""
    lines = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal lines
        if frame.f_code.co_filename not in FILES:
            return None
        lines += event == "line" and is_possible(frame)
        return trace

    refresher = bluejeans.TokenRefresher(granted)
    sys.settrace(trace)
    try:
        refresher.get_token()
    finally:
        sys.settrace(None)
    return lines


def test_call_at_every_line_of_a_refresh_never_waits_for_itself() -> None:
    def call(line: int) -> None:
        outcomes: list[Any] = []

        def call_again() -> None:
            try:
                outcomes.append(refresher.get_token().token)
            except bluejeans.ApiException as error:
                outcomes.append(error)
            refresher.invalidate("another token")

        refresher = bluejeans.TokenRefresher(granted)
        sys.settrace(at_line(line, call_again))
        try:
            assert refresher.get_token().token == "a-token"
        finally:
            sys.settrace(None)
        assert len(outcomes) == 1
        assert outcomes[0] == "a-token" or outcomes[0].status == 0

    lines = in_thread(lines_of_a_refresh)
    assert lines > 50
    for line in range(1, lines + 1):
        in_thread(lambda line=line: call(line))


@pytest.mark.usefixtures("no_token_in_any_log")
@pytest.mark.fault(9, "Ctrl-C at any line of a refresh", "the next caller gets a token", "KeyboardInterrupt")
def test_interrupt_at_every_line_of_a_refresh_leaves_a_working_refresher() -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    def call(line: int) -> bool:
        refresher = bluejeans.TokenRefresher(granted)
        is_interrupted = False
        sys.settrace(at_line(line, interrupt))
        try:
            refresher.get_token()
        except KeyboardInterrupt:
            is_interrupted = True
        finally:
            sys.settrace(None)
        assert refresher.get_token(timeout=TIMEOUT).token == "a-token"
        assert in_thread(lambda: refresher.get_token(timeout=TIMEOUT)).token == "a-token"
        return is_interrupted

    lines = in_thread(lines_of_a_refresh)
    interrupted = [in_thread(lambda line=line: call(line)) for line in range(1, lines + 1)]
    assert all(interrupted)
