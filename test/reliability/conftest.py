"""What the rows of docs/RELIABILITY.md share.

A test that is a row has the marker `fault(row, fault, what_happens, *exceptions)`. The fixture `call` holds it to that.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.caller_fixtures import call as call
from support.caller_fixtures import start as start
from support.caller_process import GRANT
from support.recording_server import RecordingServer, http_response


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    """A server that answers each request with a token, until it is told otherwise."""
    with RecordingServer([http_response(GRANT)]) as server:
        yield server
