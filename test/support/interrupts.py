"""Interrupt a call at each function that it enters or leaves."""

from __future__ import annotations

import itertools
import operator
import sys
from collections.abc import Callable
from types import FrameType

import BlueJeansMeetingsRestApi as bluejeans
from support.recording_server import RecordingServer, http_response

GRANT = {"access_token": "a-token", "expires_in": 3600}


def interrupted_at(step: int, call: Callable[[], object]) -> tuple[str, bool]:
    """Interrupt a call as it enters or leaves its n-th function.

    Return where that was ("" if the call has fewer steps), and whether it interrupted the call.
    """
    steps = itertools.count()
    where = ""

    def press(frame: FrameType, event: str, _: object) -> None:
        nonlocal where
        if frame.f_code is not interrupted_at.__code__ and next(steps) == step:
            where = f"{event} of a function at {frame.f_code.co_filename}:{frame.f_lineno}"
            raise KeyboardInterrupt

    try:
        sys.setprofile(press)
        call()
    except KeyboardInterrupt:
        return where, True
    except bluejeans.rest.ApiException:
        pass
    finally:
        sys.setprofile(None)
    return where, False


def interrupted_everywhere(statuses: list[int]) -> list[tuple[str, bool]]:
    """Return `interrupted_at` of each step of a call that receives responses with these statuses."""
    grant = bluejeans.GrantRequestClient(client_id="an-application", client_secret="a-secret")
    configuration = bluejeans.Configuration()
    responses = [http_response(GRANT, status, Retry_After="0") for status in statuses]
    with RecordingServer() as server, bluejeans.ApiClient(configuration) as client:
        configuration.host = server.url
        api = bluejeans.AuthenticationApi(client)

        def call() -> None:
            server.respond_with(*responses)
            api.get_token_by_client(grant)

        interrupted_at(-1, call)  # nowhere, so that no import of a module is interrupted
        steps = (interrupted_at(step, call) for step in itertools.count())
        return list(itertools.takewhile(operator.itemgetter(0), steps))
