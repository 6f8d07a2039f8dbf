"""Fixtures of the fault tests, which docs/RELIABILITY.md lists.

Each test in its table has the marker `fault(row, fault, what_happens, *exceptions)`. The fixture `call` checks that one
of these exceptions is raised, or that none is raised if the marker has none.
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
    """Run a server that responds to each request with a token; `respond_with` changes its responses."""
    with RecordingServer([http_response(GRANT)]) as server:
        yield server
