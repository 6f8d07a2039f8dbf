"""The pytest fixture `bluejeans_sandbox`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from . import Sandbox


@pytest.fixture(scope="session")
def _bluejeans_sandbox_of_session() -> Iterator[Sandbox]:
    from . import Sandbox

    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def bluejeans_sandbox(_bluejeans_sandbox_of_session: Sandbox) -> Sandbox:
    """The service on loopback: one for the whole run, with nothing left of the test before."""
    _bluejeans_sandbox_of_session.reset()
    return _bluejeans_sandbox_of_session
