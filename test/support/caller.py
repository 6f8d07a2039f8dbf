"""A program that calls the SDK with every log enabled and prints everything that could show a secret.

`caller_process.py` runs it in a separate process and searches its output for each of `SECRETS`.
Standard input: a JSON object with `settings` of the Configuration and `calls`. Argument: the file for the outcomes.
"""

from __future__ import annotations

import copy
import gc
import http.client
import json
import logging
import pickle
import socket
import sys
import threading
import time
import traceback
import warnings
import webbrowser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import BlueJeansMeetingsRestApi as bluejeans

SECRETS = {
    "client_secret": "canary-client-secret-58c1",
    # The characters that JSON, URLs and Python escape appear in more than one form.
    "password": 'canary-password-93d7 ü "%\\',
    "meeting_passcode": "canary-passcode-0b2e",
    "code": "canary-code-c4a6",
    "access_token": "canary-access-token-7f19@z2",
    "refresh_token": "canary-refresh-token-e035",
    "proxy_password": "canary-proxy-password-a8b4",
    "header_token": "canary-header-token-61dd",
    "granted_token": "canary-granted-token-2f7c@z1",
    "granted_refresh_token": "canary-granted-refresh-token-d9e8",
}

_APPLICATION = {"client_id": "an-application", "client_secret": SECRETS["client_secret"]}
ARGUMENTS: dict[str, dict[str, Any]] = {
    "get_authorization_code": {"client_id": "an-application", "redirect_uri": "https://app.example/", "state": "s"},
    "get_token_by_client": {"grant_request_client": bluejeans.GrantRequestClient(**_APPLICATION)},
    "get_token_by_code": {
        "grant_request_code": bluejeans.GrantRequestCode(
            **_APPLICATION, code=SECRETS["code"], redirect_uri="https://app.example/"
        )
    },
    "get_token_by_meeting": {
        "grant_request_meeting": bluejeans.GrantRequestMeeting(
            meeting_numeric_id="123456", meeting_passcode=SECRETS["meeting_passcode"]
        )
    },
    "get_token_by_password": {
        "grant_request_password": bluejeans.GrantRequestPassword(username="a-user", password=SECRETS["password"])
    },
    "get_token_by_refresh": {
        "grant_request_refresh": bluejeans.GrantRequestRefresh(**_APPLICATION, refresh_token=SECRETS["refresh_token"])
    },
    "get_token_info": {"access_token": SECRETS["access_token"]},
    "revoke_access_token": {
        "grant_request_revoke": bluejeans.GrantRequestRevoke(**_APPLICATION),
        "access_token": SECRETS["access_token"],
    },
}
AS_DICTIONARIES = {
    operation: {name: value.to_dict() if hasattr(value, "to_dict") else value for name, value in arguments.items()}
    for operation, arguments in ARGUMENTS.items()
}
CALL_API = {
    "header_params": {"Authorization": f"Bearer {SECRETS['header_token']}"},
    "query_params": {"access_token": SECRETS["access_token"]},
}


def main() -> None:
    plan = json.load(sys.stdin)
    enable_all_logs()
    if plan["dns_hangs"]:
        socket.getaddrinfo = blocking(socket.getaddrinfo)
    configuration = configured(plan["settings"])
    outcomes = []
    with bluejeans.ApiClient(configuration) as client:
        show(
            configuration,
            client,
            client.rest_client,
            *(part for arguments in ARGUMENTS.values() for part in arguments.values() if hasattr(part, "to_dict")),
        )
        for call in plan["calls"]:
            configuration.host = call.get("host", configuration.host)
            memory = resident("VmRSS")
            started = time.monotonic()
            with bluejeans.ApiClient(configured(call.get("settings", {}))) as other:
                outcome = outcome_of(other if "settings" in call else client, call)
            outcome["ended"] = time.monotonic()
            outcome["seconds"] = outcome["ended"] - started
            outcome["memory"] = resident("VmHWM") - memory
            outcomes.append(outcome)
        show(configuration, client, client.last_response)
    gc.collect()  # Unclosed resources emit their ResourceWarning now.
    Path(sys.argv[1]).write_text(json.dumps(outcomes), encoding="utf-8")


def configured(settings: dict[str, Any]) -> bluejeans.Configuration:
    configuration = bluejeans.Configuration()
    configuration.debug = True
    configuration.api_key["access_token"] = SECRETS["access_token"]
    for name, value in settings.items():
        setattr(configuration, name, value)
    return configuration


def enable_all_logs() -> None:
    logging.basicConfig(level=logging.DEBUG, stream=sys.stdout)
    logging.getLogger("urllib3").setLevel(logging.DEBUG)
    http.client.HTTPConnection.debuglevel = 1
    warnings.simplefilter("always")


def blocking(lookup: Any) -> Any:
    """Return a `socket.getaddrinfo` that blocks as if the name servers did not respond."""

    def getaddrinfo(host: str, *args: Any, **options: Any) -> Any:
        if options.get("flags") == socket.AI_NUMERICHOST or host[0].isdigit():
            return lookup(host, *args, **options)
        print("DNS is asked", flush=True)
        return threading.Event().wait()

    return getaddrinfo


def outcome_of(client: bluejeans.ApiClient, call: dict[str, Any]) -> dict[str, Any]:
    try:
        return {"kind": "", "data": returned(client, call)}
    except (Exception, KeyboardInterrupt) as error:
        if not isinstance(error, KeyboardInterrupt):
            print_error(error)
        outcome = {name: getattr(error, name, None) for name in ("status", "reason", "attempts", "retryable", "body")}
        outcome.update(kind=type(error).__name__, text=str(error), retry_after=getattr(error, "retry_after", None))
        return outcome


def returned(client: bluejeans.ApiClient, call: dict[str, Any]) -> Any:
    options = call.get("options", {})
    if isinstance(options.get("_request_timeout"), list):
        options["_request_timeout"] = tuple(options["_request_timeout"])
    if call["operation"] == "sign_in":
        return signed_in(client, **options)
    if call["operation"] == "call_api":
        data = client.call_api(**{**CALL_API, **options})[0]
    else:
        arguments = (AS_DICTIONARIES if call.get("dictionaries") else ARGUMENTS)[call["operation"]]
        data = getattr(bluejeans.AuthenticationApi(client), call["operation"])(**arguments, **options)
    if not hasattr(data, "to_dict"):
        return data
    show(data)
    return data.to_dict()


def signed_in(client: bluejeans.ApiClient, opens: str = "", **options: Any) -> float:
    """Sign in with the test as the browser, and return the expiry of the token as a Unix timestamp."""

    def open_browser(url: str) -> bool:
        print("The page is", url, flush=True)
        if opens == "fails":
            raise webbrowser.Error("no browser")
        return opens != "nothing"

    timeout = options.pop("timeout", 60)
    flow = bluejeans.AuthorizationCodeFlow(
        "an-application", SECRETS["client_secret"], api=bluejeans.AuthenticationApi(client), **options
    )
    show(flow)
    credentials = flow.run(timeout, open_browser)
    show(credentials, credentials.get_token())
    return credentials.get_token().expires_at


def show(*objects: Any) -> None:
    for value in objects:
        print(value, repr(value), f"{value}")


def print_error(error: BaseException) -> None:
    """Print an exception in every form that loggers and crash reports use."""
    logging.getLogger("a.program").exception("It failed")
    for link in chain(error):
        print(type(link), link, repr(link), link.args)
        for frame in traceback.TracebackException.from_exception(link, capture_locals=True, limit=None).stack:
            if "BlueJeansMeetingsRestApi" in frame.filename:
                print(frame.filename, frame.lineno, frame.name, frame.locals)
    bare = copy.copy(error)
    # Both are the unchanged response and may contain anything.
    vars(bare).update(body=None, headers=None)
    print(pickle.dumps(bare).decode("latin-1"), vars(bare), repr(bare), copy.deepcopy(bare))
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def chain(error: BaseException | None) -> Iterator[BaseException]:
    if error is not None:
        yield error
        yield from chain(error.__cause__)
        yield from chain(error.__context__)


def resident(name: str) -> int:
    """Return the current (VmRSS) or peak (VmHWM) memory of this process in bytes, or 0 if it is unknown."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))


if __name__ == "__main__":
    main()
