"""Fixtures of the tests of the command."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.caller_process import GRANT
from support.recording_server import RecordingServer, http_response


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    """Return a server that responds to each request with a token, unless a test sets other responses."""
    with RecordingServer([http_response(GRANT)]) as server:
        yield server
