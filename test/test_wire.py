"""This SDK sends the same requests and returns the same values as the 2019 SDK, according to recorded calls."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import BlueJeansMeetingsRestApi as bluejeans
from support.recording_server import RecordingServer, http_response

CASES = json.loads(Path(__file__).with_name("wire.json").read_text(encoding="utf-8"))


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with RecordingServer() as server:
        yield server


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_recorded_call_of_the_2019_sdk_is_reproduced(case: dict[str, Any], server: RecordingServer) -> None:
    response = case.get("answer", {"status": 500, "json": None})
    server.respond_with(http_response(response["json"], response["status"]))
    configuration = bluejeans.Configuration()
    configuration.host = server.url
    configuration.api_key.update(case.get("api_key", {}))
    configuration.api_key_prefix.update(case.get("api_key_prefix", {}))
    with bluejeans.AuthenticationApi(bluejeans.ApiClient(configuration)) as api:
        returned, raised = outcome(api, case)
    assert_sent(server, case["request"])
    assert_result(returned, raised, case["result"])


def outcome(api: bluejeans.AuthenticationApi, case: dict[str, Any]) -> tuple[Any, Any]:
    arguments = [build(argument) for argument in case.get("args", [])]
    keywords = {name: build(value) for name, value in case.get("kwargs", {}).items()}
    try:
        return getattr(api, case["call"])(*arguments, **keywords), None
    except Exception as error:
        return None, error


def build(argument: Any) -> Any:
    if isinstance(argument, dict) and "model" in argument:
        return getattr(bluejeans, argument["model"])(**argument["fields"])
    return argument


def assert_sent(server: RecordingServer, request: dict[str, Any] | None) -> None:
    if request is None:
        assert server.requests == []
        return
    (sent,) = server.requests
    assert (sent.method, sent.target) == (request["method"], request["target"])
    assert request["headers"].items() <= sent.headers.items()
    if request["body"] is None:
        assert sent.body == b""
    elif isinstance(request["body"], str):
        assert sent.body == request["body"].encode()
    else:
        # The 2019 SDK sent the bytes of json.dumps, with the attributes in their order.
        assert sent.body == json.dumps(request["body"]).encode()


def assert_result(returned: Any, raised: Any, result: dict[str, Any]) -> None:
    if "raises" in result:
        known = {"ApiException": bluejeans.ApiException, "ValueError": ValueError, "TypeError": TypeError}
        assert isinstance(raised, known[result["raises"]])
        assert str(raised) == result.get("message", str(raised))
        for name in {"status", "body"} & result.keys():
            assert getattr(raised, name) == result[name]
        return
    assert raised is None
    if "tuple" in result:
        data, status, headers = returned
        assert [data.to_dict(), status] == result["tuple"]
        assert headers["content-type"] == "application/json"
        return
    assert type(returned).__name__ == result["type"]
    assert (None if returned is None else returned.to_dict()) == result["to_dict"]
