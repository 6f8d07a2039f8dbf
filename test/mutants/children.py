"""A plugin of pytest: which functions a test runs in programs that it starts; mutmut sees only those of its process."""

import os
import signal
import tempfile
from pathlib import Path

import pytest
from mutmut.mutation import trampoline
from mutmut.state import state


class NoStack:
    """In the place of mutmut's own, whose `ContextVar` crashes Python 3.11 in threads: nobody asks who called."""

    get = staticmethod(lambda: (None, 0))
    set = reset = staticmethod(lambda _: None)


trampoline.MutmutCallStack = NoStack
# mutmut ignores Ctrl-C in its workers, and what they start would, too: tests of it would notice every mistake.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True, scope="session")
def functions_of_children() -> None:
    os.environ["FUNCTIONS_OF_CHILDREN"] = tempfile.mkstemp()[1]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown() -> None:
    """mutmut looks at what the test has run right after this."""
    file = Path(os.environ["FUNCTIONS_OF_CHILDREN"])
    state()._stats.update(file.read_text("utf-8").split())
    file.write_text("", "utf-8")
