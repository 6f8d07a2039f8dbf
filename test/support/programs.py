"""Programs for the tests of process exit, threads, open files and forks. `python programs.py NAME HOST` runs one."""

from __future__ import annotations

import atexit
import gc
import os
import sys
import threading
import time

from caller import ARGUMENTS

import BlueJeansMeetingsRestApi as bluejeans
from BlueJeansMeetingsRestApi.credentials.token import Clock


def api_at(host: str, **settings: object) -> bluejeans.AuthenticationApi:
    configuration = bluejeans.Configuration()
    configuration.host, configuration.trust_env = host, False
    vars(configuration).update(settings)
    return bluejeans.AuthenticationApi(bluejeans.ApiClient(configuration))


def token(api: bluejeans.AuthenticationApi) -> str | None:
    return api.get_token_by_client(**ARGUMENTS["get_token_by_client"]).access_token


def exit_with_async_calls_in_flight(host: str) -> None:
    """Make asynchronous calls and exit after a line on standard input."""
    api = api_at(host)
    for _ in range(3):
        api.get_token_by_client(**ARGUMENTS["get_token_by_client"], async_req=True)
    sys.stdin.readline()
    print(time.monotonic(), flush=True)


def exit_with_calls_in_daemon_threads(host: str) -> None:
    api = api_at(host)
    for _ in range(3):
        threading.Thread(target=token, args=(api,), daemon=True).start()
    sys.stdin.readline()
    print(time.monotonic(), flush=True)


def exit_during_a_background_refresh(host: str) -> None:
    """Exit after a line on standard input, during a background refresh.

    Prints the time of the exit, and then whether the token was refreshed before the process finished.
    """

    class Later(Clock):
        by = 0.0

        def wall(self) -> float:
            return super().wall() + self.by

        def boot(self) -> float:
            return super().boot() + self.by

    clock = Later()
    credentials = bluejeans.ClientCredentials("id", "secret", api=api_at(host), refresh_in_background=True, clock=clock)
    atexit.register(
        lambda: print("refreshed" if credentials.refresher._held is not before else "as it was", flush=True)
    )
    credentials.get_token()
    before = credentials.refresher._held
    clock.by = 3590  # seconds of its 3600
    credentials.get_token()
    sys.stdin.readline()
    print(time.monotonic(), flush=True)


def make_and_close_10_000_clients(host: str) -> None:
    """Make a call with some of the clients, and an asynchronous call with some others."""

    def make_and_close(number: int) -> None:
        with api_at(host) as api:
            if number % 10 == 0:
                token(api)
            if number % 500 == 0:
                api.get_token_by_client(**ARGUMENTS["get_token_by_client"], async_req=True).get()

    make_and_close(0)
    before = (threading.active_count(), open_files())
    for number in range(10_000):
        make_and_close(number)
    assert (threading.active_count(), open_files()) == before


def drop_clients(host: str) -> None:
    """Make clients without closing them, as programs for the 2019 SDK do."""
    before = open_files()
    for _ in range(100):
        token(api_at(host))
    gc.collect()
    assert open_files() == before


def open_files() -> int:
    return len(os.listdir("/proc/self/fd" if os.path.isdir("/proc/self/fd") else "/dev/fd"))


def fork_after_use(host: str) -> None:
    api = api_at(host)
    token(api)
    in_a_child(lambda: token(api) or sys.exit("no token"))
    # The exit of the child must not have closed the connection of the parent.
    token(api)


def fork_after_use_of_threads(host: str) -> None:
    api = api_at(host)

    def call_in_a_thread() -> None:
        api.get_token_by_client(**ARGUMENTS["get_token_by_client"], async_req=True).get(30)

    call_in_a_thread()
    in_a_child(call_in_a_thread)
    api.api_client.close()


def fork_during_a_call(host: str) -> None:
    """Fork while the request of the parent is in flight without a response, and make a call in the child."""
    api = api_at(host, max_attempts=1)
    threading.Thread(target=token, args=(api,), daemon=True).start()
    sys.stdin.readline()
    in_a_child(lambda: token(api) or sys.exit("no token"))


def in_a_child(do: object) -> None:
    assert callable(do)
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            do()
            status = 0
        finally:
            os._exit(status)
    assert os.waitpid(pid, 0)[1] == 0


if __name__ == "__main__":
    globals()[sys.argv[1]](sys.argv[2])
