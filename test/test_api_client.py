"""`ApiClient.call_api` and its parts, against a real server that keeps what it was sent."""

from __future__ import annotations

import email.policy
import inspect
import io
import json
import os
import socket
import threading
import traceback
from collections.abc import Iterator
from datetime import date, datetime, timezone
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Callable, cast

import pytest
import urllib3

import BlueJeansMeetingsRestApi as bluejeans
from BlueJeansMeetingsRestApi.models.model import Model, attribute
from BlueJeansMeetingsRestApi.transport.request import Request
from BlueJeansMeetingsRestApi.transport.response import Response
from support.recording_server import RecordingServer, drip, http_response


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with RecordingServer([http_response({})]) as server:
        yield server


@pytest.fixture
def client(server: RecordingServer) -> Iterator[bluejeans.ApiClient]:
    configuration = bluejeans.Configuration()
    configuration.host = server.url
    with bluejeans.ApiClient(configuration) as client:
        yield client


class Room(Model):
    """A model of a user's own."""

    name: str | None = attribute(default=None, key="roomName", doc="Its name.")
    partition: bluejeans.Partition | None = attribute(default=None, doc="Where it is.")


def uploads(server: RecordingServer) -> list[tuple[Any, ...]]:
    """Parse the only request as a form: the field, file name, media type and content of each part."""
    (request,) = server.requests
    head = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode()
    form = message_from_bytes(head + request.body, policy=email.policy.HTTP)
    return [
        (
            part.get_param("name", header="content-disposition"),
            part.get_filename(),
            part.get_content_type(),
            part.get_payload(decode=True),
        )
        for part in form.get_payload()
        if isinstance(part, Message)
    ]


class TestPath:
    def test_path_parameters_are_percent_encoded(self, client: bluejeans.ApiClient, server: RecordingServer) -> None:
        client.call_api("/v1/user/{id}/{name}", "GET", path_params={"id": 7, "name": "a/b c?é"})
        assert server.requests[0].target == "/v1/user/7/a%2Fb%20c%3F%C3%A9"

    def test_safe_characters_of_path_parameters_are_not_encoded(
        self, client: bluejeans.ApiClient, server: RecordingServer
    ) -> None:
        client.configuration.safe_chars_for_path_param = "/"
        client.call_api("/v1/{name}", "GET", path_params={"name": "a/b"})
        assert server.requests[0].target == "/v1/a/b"

    @pytest.mark.parametrize(("id", "safe"), [("..", ""), (".", ""), ("a/../../b", "/")])
    def test_path_parameter_cannot_lead_to_another_path(
        self, client: bluejeans.ApiClient, server: RecordingServer, id: str, safe: str
    ) -> None:
        client.configuration.safe_chars_for_path_param = safe
        with pytest.raises(ValueError, match="^The path parameter 'id' leads to another path"):
            client.call_api("/v1/user/{id}/room", "DELETE", path_params={"id": id})
        assert server.requests == []

    @pytest.mark.parametrize(
        ("path", "parameters", "problem"),
        [
            ("/v1/user/{id}", {"id": ""}, "'id' must not be empty"),
            ("/v1/user/{id}", {"id": None}, "'id' must not be None"),
            ("/v1/user/{id}", [("id", None)], "'id' must not be None"),
            ("/v1/user/{id}", {}, "'id' has no value"),
            ("/v1/user/{id}", None, "'id' has no value"),
            ("/v1/user/{id}/room/{room}", {"room": 1}, "'id' has no value"),
            ("/v1/user/{}", {}, "'' has no value"),
            ("/v1/user/{id}", {"id": 7, "di": 7}, "'di' has no placeholder"),
            ("/v1/user/{id}", {"ID": 7}, "'ID' has no placeholder"),
            ("/v1/user", {"id": 7}, "'id' has no placeholder"),
            ("/v1/user?id={id}", {}, "'id' has no value"),
        ],
    )
    def test_path_parameter_without_a_value_or_a_placeholder_is_refused(
        self, client: bluejeans.ApiClient, server: RecordingServer, path: str, parameters: Any, problem: str
    ) -> None:
        with pytest.raises(ValueError, match=f"^The path parameter {problem}"):
            client.call_api(path, "DELETE", path_params=parameters)
        assert server.requests == []

    @pytest.mark.parametrize("value", ["/", "//"])
    def test_path_parameter_of_slashes_alone_is_refused_as_empty(
        self, client: bluejeans.ApiClient, server: RecordingServer, value: str
    ) -> None:
        client.configuration.safe_chars_for_path_param = "/"
        with pytest.raises(ValueError, match="'id' must not be empty"):
            client.call_api("/v1/user/{id}", "DELETE", path_params={"id": value})
        assert server.requests == []

    def test_empty_list_as_path_parameter_is_refused(
        self, client: bluejeans.ApiClient, server: RecordingServer
    ) -> None:
        with pytest.raises(ValueError, match="'ids' must not be empty"):
            client.call_api("/v1/{ids}", "DELETE", path_params={"ids": []}, collection_formats={"ids": "csv"})
        assert server.requests == []

    def test_refused_path_parameter_requests_no_token(
        self, client: bluejeans.ApiClient, server: RecordingServer
    ) -> None:
        client.configuration.credentials = bluejeans.ClientCredentials("id", "secret")
        with pytest.raises(ValueError, match="'id' must not be empty"):
            client.call_api("/v1/user/{id}", "GET", path_params={"id": ""})
        assert server.requests == []

    def test_false_and_zero_are_values_of_path_parameters(
        self, client: bluejeans.ApiClient, server: RecordingServer
    ) -> None:
        client.call_api("/v1/{a}/{b}/{a}", "GET", path_params={"a": 0, "b": False})
        assert server.requests[0].target == "/v1/0/False/0"

    def test_placeholder_in_a_value_is_not_replaced(self, client: bluejeans.ApiClient, server: RecordingServer) -> None:
        client.configuration.safe_chars_for_path_param = "{}"
        client.call_api("/v1/{a}/{b}", "GET", path_params={"a": "{b}", "b": "secret"})
        assert server.requests[0].target.endswith("/secret")
        assert server.requests[0].target.count("secret") == 1

    def test_json_in_a_query_of_the_path_is_not_a_placeholder(
        self, client: bluejeans.ApiClient, server: RecordingServer
    ) -> None:
        client.call_api('/v1/user?filter={"id":7}', "GET")
        assert server.requests[0].target == "/v1/user?filter=%7B%22id%22:7%7D"

    def test_log_contains_the_path_template_without_values(
        self, client: bluejeans.ApiClient, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level("DEBUG")
        client.call_api("/v1/user/{id}", "GET", path_params={"id": "canary"}, query_params={"name": "canary"})
        assert f"GET {client.configuration.host}/v1/user/{{id}} -> 200" in caplog.text
        assert "canary" not in caplog.text

    def test_list_in_the_path_is_joined(self, client: bluejeans.ApiClient, server: RecordingServer) -> None:
        client.call_api("/{ids}", "GET", path_params={"ids": [1, 2]}, collection_formats={"ids": "csv"})
        assert server.requests[0].target == "/1%2C2"

    @pytest.mark.parametrize("end", ["", "/"])
    def test_host_may_contain_a_path(self, client: bluejeans.ApiClient, server: RecordingServer, end: str) -> None:
        client.configuration.host += f"/mirror{end}"
        client.call_api("/v1/user", "GET")
        assert server.requests[0].target == "/mirror/v1/user"


class TestQuery:
    def test_query_parameters_are_form_encoded(self, client: bluejeans.ApiClient, server: RecordingServer) -> None:
        client.call_api("/x", "GET", query_params={"a": "b c&d", "n": 1, "t": True, "day": date(2026, 1, 2)})
        assert server.requests[0].target == "/x?a=b+c%26d&n=1&t=True&day=2026-01-02"

    def test_query_parameters_as_pairs_keep_their_order(
        self, client: bluejeans.ApiClient, server: RecordingServer
    ) -> None:
        client.call_api("/x", "POST", query_params=[("b", "1"), ("a", "2"), ("b", "3")])
        assert server.requests[0].target == "/x?b=1&a=2&b=3"

    def test_query_parameter_of_none_is_omitted(self, client: bluejeans.ApiClient, server: RecordingServer) -> None:
        client.call_api("/x", "GET", query_params={"a": None, "b": ""})
        assert server.requests[0].target == "/x?b="

    @pytest.mark.parametrize(
        ("collection_format", "target"),
        [
            ("csv", "/x?ids=1%2C2"),
            ("ssv", "/x?ids=1+2"),
            ("tsv", "/x?ids=1%092"),
            ("pipes", "/x?ids=1%7C2"),
            ("multi", "/x?ids=1&ids=2"),
            ("unheard of", "/x?ids=1%2C2"),
        ],
    )
    def test_list_in_the_query_is_joined_by_its_collection_format(
        self, client: bluejeans.ApiClient, server: RecordingServer, collection_format: str, target: str
    ) -> None:
        client.call_api("/x", "GET", query_params={"ids": [1, 2]}, collection_formats={"ids": collection_format})
        assert server.requests[0].target == target

    def test_string_in_the_query_is_not_treated_as_a_list(
        self, client: bluejeans.ApiClient, server: RecordingServer
    ) -> None:
        client.call_api("/x", "GET", query_params={"ids": "12"}, collection_formats={"ids": "csv"})
        assert server.requests[0].target == "/x?ids=12"

    def test_query_parameters_are_added_to_a_query_in_the_path(
        self, client: bluejeans.ApiClient, server: RecordingServer
    ) -> None:
        client.call_api("/x?a=1", "GET", query_params={"b": 2})
        assert server.requests[0].target == "/x?a=1&b=2"


class TestHeaders:
    def test_header_parameters_are_sent_unchanged(self, client: bluejeans.ApiClient, server: RecordingServer) -> None:
        given = {"X-Ids": [1, 2], "Accept": "text/plain"}
        client.call_api("/x", "GET", header_params=given, collection_formats={"X-Ids": "csv"})
        sent = server.requests[0].headers
        assert (sent["x-ids"], sent["accept"], sent["content-type"]) == ("1,2", "text/plain", "application/json")
        assert given == {"X-Ids": [1, 2], "Accept": "text/plain"}

    def test_default_headers_and_cookie_are_sent_with_every_request(self, server: RecordingServer) -> None:
        configuration = bluejeans.Configuration()
        configuration.host = server.url
        with bluejeans.ApiClient(configuration, "X-One", "1", cookie="a=b") as client:
            client.set_default_header("X-Two", "2")
            client.user_agent = "mine/1.0"
            client.call_api("/x", "GET", header_params={"X-Two": "overridden"})
        sent = server.requests[0].headers
        assert (sent["x-one"], sent["x-two"], sent["cookie"]) == ("1", "2", "a=b")
        assert sent["user-agent"] == client.user_agent == "mine/1.0"

    def test_user_agent_contains_package_and_version(self, client: bluejeans.ApiClient) -> None:
        assert client.user_agent == f"BlueJeansMeetingsRestApi/{bluejeans.__version__}/python"

    @pytest.mark.parametrize("value", ["a\r\nb", "a\nb", "a\0b", "\u20ac"])
    def test_invalid_header_value_is_rejected_without_quoting_it(
        self, client: bluejeans.ApiClient, server: RecordingServer, value: str
    ) -> None:
        with pytest.raises(ValueError, match="'X-Secret'") as caught:
            client.call_api("/x", "GET", header_params={"X-Secret": value})
        assert value not in str(caught.value)
        assert server.requests == []

    def test_select_header_accept_prefers_json(self, client: bluejeans.ApiClient) -> None:
        assert client.select_header_accept(["text/html", "Application/JSON"]) == "application/json"
        assert client.select_header_accept(["text/HTML", "text/plain"]) == "text/html, text/plain"
        assert client.select_header_accept([]) is None

    def test_select_header_content_type_prefers_json(self, client: bluejeans.ApiClient) -> None:
        assert client.select_header_content_type(["text/plain", "*/*"]) == "application/json"
        assert client.select_header_content_type(["Text/Plain", "text/html"]) == "text/plain"
        assert client.select_header_content_type([]) == "application/json"


class TestBody:
    def test_body_is_sent_as_json(self, client: bluejeans.ApiClient, server: RecordingServer) -> None:
        body = {"partition": bluejeans.Partition(name="é"), "when": datetime(2026, 1, 2, tzinfo=timezone.utc)}
        client.call_api("/x", "POST", body=body)
        assert server.requests[0].body == b'{"partition": {"name": "\\u00e9"}, "when": "2026-01-02T00:00:00+00:00"}'

    @pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
    def test_body_is_sent_with_each_method_that_permits_one(
        self, client: bluejeans.ApiClient, server: RecordingServer, method: str
    ) -> None:
        client.call_api("/x", method, body=[1])
        assert (server.requests[0].method, server.requests[0].json) == (method, [1])

    def test_post_without_a_body_is_sent(self, client: bluejeans.ApiClient, server: RecordingServer) -> None:
        client.call_api("/x", "POST", header_params={"Content-Type": "text/plain"})
        client.call_api("/x", "POST")
        assert [request.body for request in server.requests] == [b"", b""]

    @pytest.mark.parametrize("body", ["plain é", "plain é".encode()])
    def test_body_of_another_content_type_is_sent_unchanged(
        self, client: bluejeans.ApiClient, server: RecordingServer, body: Any
    ) -> None:
        client.call_api("/x", "POST", header_params={"Content-Type": "text/plain"}, body=body)
        assert server.requests[0].body == "plain é".encode()

    def test_dictionary_as_plain_text_body_is_rejected(
        self, client: bluejeans.ApiClient, server: RecordingServer
    ) -> None:
        with pytest.raises(bluejeans.ApiException, match="text/plain") as caught:
            client.call_api("/x", "POST", header_params={"Content-Type": "text/plain"}, body={"a": 1})
        assert (caught.value.status, server.requests) == (0, [])

    def test_body_that_json_cannot_represent_is_rejected(self, client: bluejeans.ApiClient) -> None:
        with pytest.raises(TypeError, match="Cannot serialize set"):
            client.call_api("/x", "POST", body={"a": {1}})

    def test_body_of_a_get_request_is_rejected(self, client: bluejeans.ApiClient) -> None:
        with pytest.raises(ValueError, match="GET"):
            client.call_api("/x", "GET", body={"a": 1})

    def test_body_with_form_fields_is_rejected(self, client: bluejeans.ApiClient) -> None:
        with pytest.raises(ValueError, match="post_params"):
            client.call_api("/x", "POST", body={"a": 1}, post_params={"b": 2})

    def test_unknown_http_method_is_rejected(self, client: bluejeans.ApiClient) -> None:
        with pytest.raises(ValueError, match="'TRACE'"):
            client.call_api("/x", "TRACE")


NOT_FILES: dict[str, Any] = {
    "descriptor": 7,
    "boolean": True,
    "None in a list": [None],
    "descriptor in a list": [0],
    "list in a list": [["a.txt"]],
    "set": {"a.txt"},
    "dictionary": {"name": "a.txt"},
    "iterator": iter(["a.txt"]),
    "generator": (path for path in ["a.txt"]),
    "empty tuple": (),
    "tuple of one": ("a.txt",),
    "tuple of four": ("a.txt", "text", "text/plain", {}),
    "tuple of three paths": ("a.txt", "b.txt", "c.txt"),
    "descriptor as content": ("a.txt", 7),
    "None as content": ("a.txt", None),
    "path as content": ("a.txt", Path("b.txt")),
    "None as name": (None, b"content"),
    "number as media type": ("a.txt", b"content", 7),
    "line break in the media type": ("a.txt", b"content", "text/plain\r\nX-Injected: 1"),
    "class of files": io.BytesIO,
}


class TestForm:
    @pytest.mark.parametrize("headers", [{}, {"Content-Type": "application/x-www-form-urlencoded"}])
    def test_form_fields_are_encoded(
        self, client: bluejeans.ApiClient, server: RecordingServer, headers: dict[str, str]
    ) -> None:
        fields = {"a": "b c", "ids": [1, 2]}
        client.call_api("/x", "POST", None, None, headers, post_params=fields, collection_formats={"ids": "multi"})
        assert server.requests[0].body == b"a=b+c&ids=1&ids=2"
        assert server.requests[0].headers["content-type"] == "application/x-www-form-urlencoded"

    def test_form_without_fields_is_sent(self, client: bluejeans.ApiClient, server: RecordingServer) -> None:
        client.call_api("/x", "POST", header_params={"Content-Type": "application/x-www-form-urlencoded"})
        assert server.requests[0].body == b""

    @pytest.mark.parametrize("headers", [{}, {"Content-Type": "multipart/form-data"}])
    def test_form_with_files_is_multipart(
        self, client: bluejeans.ApiClient, server: RecordingServer, headers: dict[str, str], tmp_path: Path
    ) -> None:
        (tmp_path / "a.txt").write_bytes(b"first")
        (tmp_path / "b.unknown").write_bytes(b"\xff")
        files = {"one": str(tmp_path / "a.txt"), "more": [str(tmp_path / "b.unknown")], "none": None}
        client.call_api("/x", "POST", header_params=headers, post_params={"field": "value"}, files=files)
        sent = server.requests[0]
        assert sent.headers["content-type"].startswith("multipart/form-data; boundary=")
        assert b'name="field"\r\n\r\nvalue' in sent.body
        assert b'name="one"; filename="a.txt"\r\nContent-Type: text/plain\r\n\r\nfirst' in sent.body
        assert b'filename="b.unknown"\r\nContent-Type: application/octet-stream\r\n\r\n\xff' in sent.body

    @pytest.mark.parametrize("as_path_like", [False, True])
    def test_list_of_paths_sends_a_part_for_each_file(
        self, client: bluejeans.ApiClient, server: RecordingServer, tmp_path: Path, as_path_like: bool
    ) -> None:
        paths = [tmp_path / "a.txt", tmp_path / "b.txt"]
        for path in paths:
            path.write_text(f"content of {path.name}")
        client.call_api("/x", "POST", files={"file": paths if as_path_like else list(map(str, paths))})
        assert uploads(server) == [
            ("file", "a.txt", "text/plain", b"content of a.txt"),
            ("file", "b.txt", "text/plain", b"content of b.txt"),
        ]

    @pytest.mark.parametrize(
        ("upload", "part"),
        [
            (lambda path: io.BytesIO(path.encode()), ("file", "application/octet-stream")),
            (lambda path: io.StringIO(path), ("file", "application/octet-stream")),
            (lambda path: path.encode(), ("file", "application/octet-stream")),
            (lambda path: bytearray(path.encode()), ("file", "application/octet-stream")),
            (lambda path: memoryview(path.encode()), ("file", "application/octet-stream")),
            (lambda path: ("notes.txt", path), ("notes.txt", "text/plain")),
            (lambda path: ("notes.txt", path, None), ("notes.txt", "text/plain")),
            (lambda path: ("notes.txt", path.encode(), "text/x-notes"), ("notes.txt", "text/x-notes")),
            (lambda path: ("notes.txt", io.StringIO(path)), ("notes.txt", "text/plain")),
        ],
        ids=[
            *("BytesIO", "StringIO", "bytes", "bytearray", "memoryview"),
            *("name and text", "no media type", "name, bytes and media type", "name and StringIO"),
        ],
    )
    @pytest.mark.parametrize("in_a_list", [False, True], ids=["alone", "in a list"])
    def test_content_with_the_path_of_a_file_sends_the_content_itself(
        self,
        client: bluejeans.ApiClient,
        server: RecordingServer,
        tmp_path: Path,
        upload: Callable[[str], Any],
        part: tuple[str, str],
        in_a_list: bool,
    ) -> None:
        private = tmp_path / "privé.txt"
        private.write_text("canary")
        given = upload(str(private))
        client.call_api("/x", "POST", files={"file": [given] if in_a_list else given})
        assert uploads(server) == [("file", *part, str(private).encode())]

    @pytest.mark.parametrize("mode", ["rb", "r"])
    def test_open_file_is_sent_from_its_position_under_its_own_name(
        self, client: bluejeans.ApiClient, server: RecordingServer, tmp_path: Path, mode: str
    ) -> None:
        (tmp_path / "a.txt").write_bytes("first\nsécond\n".encode())
        with open(tmp_path / "a.txt", mode, encoding=None if "b" in mode else "utf-8") as file:
            file.readline()
            client.call_api("/x", "POST", files={"file": file})
            assert not file.closed
        assert uploads(server) == [("file", "a.txt", "text/plain", "sécond\n".encode())]

    def test_open_file_without_a_path_is_named_after_the_field(
        self, client: bluejeans.ApiClient, server: RecordingServer
    ) -> None:
        reading, writing = os.pipe()
        os.close(writing)
        with open(reading, "rb") as file:
            standard_input = io.StringIO("typed")
            standard_input.name = "<stdin>"  # type: ignore[attr-defined]
            client.call_api("/x", "POST", files={"pipe": file, "input.txt": standard_input})
        assert uploads(server) == [
            ("pipe", "pipe", "application/octet-stream", b""),
            ("input.txt", "input.txt", "text/plain", b"typed"),
        ]

    @pytest.mark.parametrize("wrong", NOT_FILES.values(), ids=NOT_FILES)
    def test_value_that_is_not_a_file_is_refused_before_any_is_opened(
        self, client: bluejeans.ApiClient, server: RecordingServer, tmp_path: Path, wrong: Any
    ) -> None:
        first = io.BytesIO(b"unread")
        files = {"first": [first, str(tmp_path / "missing")], "document": wrong}
        with pytest.raises(TypeError, match=r"files\['document'\]"):
            client.call_api("/x", "POST", files=files)
        assert first.tell() == 0
        assert server.requests == []

    @pytest.mark.parametrize("wrong", [["a.txt"], io.BytesIO(b"x"), "a.txt"])
    def test_files_without_form_fields_are_refused(self, client: bluejeans.ApiClient, wrong: Any) -> None:
        with pytest.raises(TypeError, match="^files must be a dictionary"):
            client.call_api("/x", "POST", files=wrong)

    def test_file_that_returns_no_content_is_refused(
        self, client: bluejeans.ApiClient, server: RecordingServer
    ) -> None:
        with pytest.raises(TypeError, match=r"files\['document'\] returned NoneType"):
            client.call_api("/x", "POST", files={"document": cast(Any, SimpleNamespace(read=lambda: None))})
        assert server.requests == []

    def test_text_without_an_encoding_is_refused_without_the_text(self, client: bluejeans.ApiClient) -> None:
        with pytest.raises(ValueError, match="document") as caught:
            client.call_api("/x", "POST", files={"document": io.StringIO("canary\ud800")})
        assert "canary" not in "".join(traceback.format_exception(None, caught.value, None))
        assert not isinstance(caught.value, UnicodeError)

    def test_form_fields_as_json_are_rejected(self, client: bluejeans.ApiClient, server: RecordingServer) -> None:
        with pytest.raises(bluejeans.ApiException, match="form's Content-Type"):
            client.call_api("/x", "POST", header_params={"Content-Type": "application/json"}, post_params={"a": 1})
        assert server.requests == []


class TestAuthorization:
    def test_api_key_is_sent_in_the_query(self, client: bluejeans.ApiClient, server: RecordingServer) -> None:
        client.configuration.api_key["access_token"] = "a b"
        client.call_api("/x", "GET", auth_settings=["access_token", "unheard of"])
        assert server.requests[0].target == "/x?access_token=a+b"

    def test_api_key_is_sent_with_its_prefix(self, client: bluejeans.ApiClient, server: RecordingServer) -> None:
        client.configuration.api_key["access_token"] = "abc"
        client.configuration.api_key_prefix["access_token"] = "Bearer"
        client.call_api("/x", "GET", auth_settings=["access_token"])
        assert server.requests[0].target == "/x?access_token=Bearer+abc"

    def test_token_argument_replaces_the_configured_api_key(
        self, client: bluejeans.ApiClient, server: RecordingServer
    ) -> None:
        client.configuration.api_key["access_token"] = "configured"
        request = bluejeans.GrantRequestRevoke("id", "secret")
        server.respond_with(http_response(status=204))
        bluejeans.AuthenticationApi(client).revoke_access_token(request, access_token="given")
        assert server.requests[0].target == "/oauth2/token?Revoke&access_token=given"

    def test_missing_api_key_adds_nothing(self, client: bluejeans.ApiClient, server: RecordingServer) -> None:
        client.call_api("/x", "GET", auth_settings=["access_token"])
        assert server.requests[0].target == "/x"

    @pytest.mark.parametrize(("place", "added"), [("header", {"Key": "v"}), ("query", {})])
    def test_auth_setting_specifies_header_or_query(
        self, client: bluejeans.ApiClient, place: str, added: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        setting = {"mine": {"in": place, "key": "Key", "value": "v"}}
        monkeypatch.setattr(client.configuration, "auth_settings", lambda: setting)
        headers: dict[str, str] = {}
        client.update_params_for_auth(headers, [], ["mine"])
        assert headers == added

    def test_auth_setting_in_the_body_is_rejected(
        self, client: bluejeans.ApiClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        setting = {"mine": {"in": "body", "key": "Key", "value": "v"}}
        monkeypatch.setattr(client.configuration, "auth_settings", lambda: setting)
        with pytest.raises(ValueError, match="`query` or `header`"):
            client.update_params_for_auth({}, [], ["mine"])

    def test_credentials_authorize_a_call_without_auth_settings(
        self, client: bluejeans.ApiClient, server: RecordingServer
    ) -> None:
        client.configuration.credentials = bluejeans.StaticToken("abc")
        client.call_api("/x", "GET")
        assert server.requests[0].headers["authorization"] == "Bearer abc"

    def test_credentials_do_not_authorize_a_grant(self, client: bluejeans.ApiClient, server: RecordingServer) -> None:
        client.configuration.credentials = bluejeans.StaticToken("abc")
        bluejeans.AuthenticationApi(client).get_token_info(access_token="x")
        assert "authorization" not in server.requests[0].headers


class Provider:
    """A program's own provider of tokens, which has the given tokens in turn."""

    def __init__(self, *tokens: str) -> None:
        self.tokens = list(tokens)
        self.invalidated: list[str | None] = []

    def get_token(self, timeout: float | None = None) -> bluejeans.AccessToken:
        return bluejeans.AccessToken(self.tokens[0], float("inf"))

    def invalidate(self, token: str | None = None) -> None:
        self.invalidated.append(token)
        self.tokens = self.tokens[1:] or self.tokens


class TestTokenProviders:
    def call(self, client: bluejeans.ApiClient, server: RecordingServer) -> list[str]:
        """Call an endpoint, and return the `Authorization` headers that were sent."""
        client.call_api("/x", "GET")
        return [sent.headers["authorization"] for sent in server.requests]

    def test_object_with_get_token_and_invalidate_authorizes_calls(
        self, client: bluejeans.ApiClient, server: RecordingServer
    ) -> None:
        client.configuration.credentials = Provider("one")
        assert self.call(client, server) == ["Bearer one"]

    def test_refused_token_is_invalidated_and_replaced_once(
        self, client: bluejeans.ApiClient, server: RecordingServer
    ) -> None:
        client.configuration.credentials = provider = Provider("one", "two", "three")
        server.respond_with(http_response(status=401), http_response({}))
        assert self.call(client, server) == ["Bearer one", "Bearer two"]
        assert provider.invalidated == ["one"]

    def test_second_refused_token_raises_unauthorized(
        self, client: bluejeans.ApiClient, server: RecordingServer
    ) -> None:
        client.configuration.credentials = Provider("one", "two", "three")
        server.respond_with(http_response(status=401))
        with pytest.raises(bluejeans.UnauthorizedError):
            self.call(client, server)
        assert len(server.requests) == 2

    def test_refused_token_is_not_sent_again_if_the_provider_has_no_other(
        self, client: bluejeans.ApiClient, server: RecordingServer
    ) -> None:
        client.configuration.credentials = Provider("one")
        server.respond_with(http_response(status=401))
        with pytest.raises(bluejeans.UnauthorizedError):
            self.call(client, server)
        assert len(server.requests) == 1

    def test_token_that_the_service_repeats_is_masked(
        self, client: bluejeans.ApiClient, server: RecordingServer
    ) -> None:
        client.configuration.credentials = Provider("canary-token")
        server.respond_with(http_response({"message": "canary-token is not valid here"}, 403))
        with pytest.raises(bluejeans.ForbiddenError, match=r"\*\*\* is not valid here"):
            self.call(client, server)

    def test_authorization_header_of_the_call_takes_precedence(
        self, client: bluejeans.ApiClient, server: RecordingServer
    ) -> None:
        client.configuration.credentials = Provider("one")
        client.call_api("/x", "GET", header_params={"authorization": "Bearer mine"})
        assert server.requests[0].headers["authorization"] == "Bearer mine"


class TestSteps:
    def test_function_replaces_the_network(self) -> None:
        requests: list[Request] = []

        def send(request: Request) -> Response:
            requests.append(request)
            return Response(200, {"Content-Type": "application/json"}, b'{"access_token": "t"}')

        api = bluejeans.AuthenticationApi(bluejeans.ApiClient(bluejeans.Configuration(), send=send))
        grant = api.get_token_by_client({"client_id": "i", "client_secret": "canary"})
        assert grant.access_token == "t"
        assert (requests[0].method, requests[0].path) == ("POST", "/oauth2/token?Client")
        assert json.loads(requests[0].body) == {"client_id": "i", "client_secret": "canary"}
        assert "canary" not in repr(requests[0])

    def test_setting_the_pool_manager_raises_an_error_that_names_send(self, client: bluejeans.ApiClient) -> None:
        with pytest.raises(AttributeError, match=r"ApiClient\(configuration, send="):
            client.rest_client.pool_manager = None

    def test_operation_reaches_urlopen_in_at_most_12_frames(
        self, client: bluejeans.ApiClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stacks = []
        urlopen = urllib3.HTTPConnectionPool.urlopen

        def recorded(*args: Any, **options: Any) -> Any:
            stacks.append([frame.function for frame in inspect.stack()])
            return urlopen(*args, **options)

        monkeypatch.setattr(urllib3.HTTPConnectionPool, "urlopen", recorded)
        bluejeans.AuthenticationApi(client).get_token_info(access_token="t")
        frames = stacks[0][: stacks[0].index("test_operation_reaches_urlopen_in_at_most_12_frames")]
        assert len(frames) <= 12, frames

    def test_prepared_request_is_immutable(self, configuration: bluejeans.Configuration) -> None:
        def send(request: Request) -> Response:
            request.path = "/other"
            return Response()

        with pytest.raises(AttributeError, match="cannot be"):
            bluejeans.ApiClient(configuration, send=send).call_api("/x", "GET")


class TestResult:
    def test_call_returns_data_status_and_headers(self, client: bluejeans.ApiClient, server: RecordingServer) -> None:
        server.respond_with(http_response({"id": 1}, 201, X_More="yes"))
        data, status, headers = client.call_api("/x", "POST", response_type="Partition")
        assert (data, status, headers["x-more"]) == (bluejeans.Partition(1), 201, "yes")

    def test_return_http_data_only_returns_the_data(self, client: bluejeans.ApiClient) -> None:
        assert client.call_api("/x", "GET", response_type="object", _return_http_data_only=True) == {}

    def test_call_without_response_type_returns_no_data(self, client: bluejeans.ApiClient) -> None:
        assert client.call_api("/x", "GET", _return_http_data_only=True) is None

    def test_last_response_is_the_response_of_the_last_call(self, client: bluejeans.ApiClient) -> None:
        client.call_api("/x", "GET")
        assert (client.last_response.status, client.last_response.data) == (200, "{}")
        assert client.last_response.getheader("content-type") == "application/json"
        assert client.last_response.getheader("nothing", "else") == "else"
        assert client.last_response.getheaders()["Content-Length"] == "2"

    def test_preload_content_false_returns_an_unread_urllib3_response(self, client: bluejeans.ApiClient) -> None:
        raw = client.call_api("/x", "GET", _preload_content=False, _return_http_data_only=True)
        assert (raw.status, raw.read()) == (200, b"{}")

    def test_unknown_keyword_is_named_in_the_type_error(self, client: bluejeans.ApiClient) -> None:
        with pytest.raises(TypeError, match="'colour' to method call_api"):
            client.call_api("/x", "GET", colour="blue")


class TestResponseTypes:
    @pytest.mark.parametrize(
        ("response_type", "content", "expected"),
        [
            ("object", {"a": [1]}, {"a": [1]}),
            (object, 1, 1),
            ("str", "text", "text"),
            ("str", 7, "7"),
            ("int", "12345678901234567890", 12345678901234567890),
            ("int", 3.0, 3),
            ("long", 7, 7),
            (int, 7, 7),
            ("float", "1.5", 1.5),
            ("bool", True, True),
            ("bool", "false", False),
            ("date", "2026-01-02", date(2026, 1, 2)),
            ("datetime", "2026-01-02T03:04:05Z", datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)),
            (datetime, "2026-01-02T03:04:05", datetime(2026, 1, 2, 3, 4, 5)),
            ("list[int]", ["1", 2], [1, 2]),
            ("list[list[str]]", [["a"], []], [["a"], []]),
            ("dict(str, int)", {"a": 1}, {"a": 1}),
            ("dict(str, list[Partition])", {"a": [{"id": 1}]}, {"a": [bluejeans.Partition(1)]}),
            ("Partition", {"id": 1}, bluejeans.Partition(1)),
            (bluejeans.Partition, {"id": "1", "name": 5}, bluejeans.Partition(1, "5")),
            ("list[Partition]", [None], [None]),
            (Room, {"roomName": "a", "partition": {"id": 1}}, Room("a", bluejeans.Partition(1))),
        ],
    )
    def test_response_is_converted_to_its_type(
        self, client: bluejeans.ApiClient, server: RecordingServer, response_type: Any, content: Any, expected: Any
    ) -> None:
        server.respond_with(http_response(content))
        data = client.call_api("/x", "GET", response_type=response_type, _return_http_data_only=True)
        assert (data, type(data)) == (expected, type(expected))

    @pytest.mark.parametrize(
        ("response_type", "content"),
        [
            ("int", "many"),
            ("int", 1.5),
            ("int", True),
            ("int", [1]),
            ("float", "nan"),
            ("float", None.__class__.__name__),
            ("bool", "perhaps"),
            ("bool", 1),
            ("str", {"a": 1}),
            ("date", "someday"),
            ("datetime", 5),
            ("list[int]", {"a": 1}),
            ("list[int]", ["a"]),
            ("dict(str, int)", [1]),
            ("Partition", [1]),
            ("Partition", "text"),
            ("Partition", {"id": {}}),
            ("GrantClient", {"access_token": "t", "scope": {"partition": {"id": "x"}}}),
        ],
    )
    def test_response_of_another_type_is_an_error(
        self, client: bluejeans.ApiClient, server: RecordingServer, response_type: str, content: Any
    ) -> None:
        server.respond_with(http_response(content))
        with pytest.raises(bluejeans.ApiResponseError) as caught:
            client.call_api("/x", "GET", response_type=response_type)
        assert caught.value.status == 200

    def test_error_contains_the_field_and_not_its_value(
        self, client: bluejeans.ApiClient, server: RecordingServer
    ) -> None:
        server.respond_with(http_response({"access_token": "t", "scope": {"partition": {"id": "canary"}}}))
        with pytest.raises(bluejeans.ApiResponseError, match="scope: partition: id: not a number") as caught:
            client.call_api("/x", "GET", response_type="GrantClient")
        assert "canary" not in f"{caught.value}{caught.value.__cause__}{caught.value.__context__}"

    def test_null_is_accepted_only_as_object(self, client: bluejeans.ApiClient, server: RecordingServer) -> None:
        server.respond_with(http_response(body=b"null"))
        assert client.call_api("/x", "GET", response_type="object")[0] is None
        with pytest.raises(bluejeans.ApiResponseError, match="unexpected response body: null"):
            client.call_api("/x", "GET", response_type="Partition")

    def test_text_that_is_not_json_is_returned_as_str(
        self, client: bluejeans.ApiClient, server: RecordingServer
    ) -> None:
        server.respond_with(http_response(body=b"\xef\xbb\xbfplain"))
        assert client.call_api("/x", "GET", response_type="str")[0] == "plain"

    @pytest.mark.parametrize(
        "body", [b"", b"<html>", b"\xff", b'"\xff"', b"NaN", b"[" * 100000, '"a"'.encode("utf-16")]
    )
    def test_body_that_is_not_json_is_an_error_for_a_model(
        self, client: bluejeans.ApiClient, server: RecordingServer, body: bytes
    ) -> None:
        server.respond_with(http_response(body=body))
        with pytest.raises(bluejeans.ApiResponseError):
            client.call_api("/x", "GET", response_type="Partition")

    def test_unknown_response_type_is_an_error(self, client: bluejeans.ApiClient) -> None:
        with pytest.raises(AttributeError, match="Nothing"):
            client.call_api("/x", "GET", response_type="Nothing")

    def test_undeclared_fields_are_returned_and_sent_back(
        self, client: bluejeans.ApiClient, server: RecordingServer
    ) -> None:
        server.respond_with(http_response({"id": 1, "capabilities": ["x"]}))
        partition = client.call_api("/x", "GET", response_type="Partition")[0]
        assert partition.additional_properties == {"capabilities": ["x"]}
        assert client.sanitize_for_serialization(partition) == {"id": 1, "capabilities": ["x"]}

    def test_deserialize_accepts_any_object_with_data(self, client: bluejeans.ApiClient) -> None:
        for data in ('{"id": 1}', b'{"id": 1}'):
            assert client.deserialize(SimpleNamespace(data=data), "Partition") == bluejeans.Partition(1)

    def test_class_of_the_2019_generator_is_filled(self, client: bluejeans.ApiClient) -> None:
        class Old:
            swagger_types = {"first_name": "str"}
            attribute_map = {"first_name": "firstName"}

            def __init__(self, first_name: str | None = None) -> None:
                self.first_name = first_name

        old = client.deserialize(SimpleNamespace(data='{"firstName": "Jo", "x": 1}'), Old)
        assert client.sanitize_for_serialization([old]) == [{"firstName": "Jo"}]


class TestFiles:
    def download(self, client: bluejeans.ApiClient, server: RecordingServer, folder: Path, **headers: str) -> Path:
        client.configuration.temp_folder_path = str(folder)
        server.respond_with(http_response(body=b"\x00\xff", **headers))
        return Path(client.call_api("/x", "GET", response_type="file", _return_http_data_only=True))

    def test_response_is_saved_to_a_file(
        self, client: bluejeans.ApiClient, server: RecordingServer, tmp_path: Path
    ) -> None:
        path = self.download(client, server, tmp_path, Content_Disposition='attachment; filename="a.bin"')
        assert (path, path.read_bytes()) == (tmp_path / "a.bin", b"\x00\xff")

    def test_response_without_a_file_name_is_saved(
        self, client: bluejeans.ApiClient, server: RecordingServer, tmp_path: Path
    ) -> None:
        path = self.download(client, server, tmp_path)
        assert tmp_path in path.parents
        assert path.read_bytes() == b"\x00\xff"

    @pytest.mark.parametrize("name", ["../../evil", "/etc/evil", r"..\\evil", "..", "."])
    def test_file_name_of_the_server_cannot_lead_out_of_the_folder(
        self, client: bluejeans.ApiClient, server: RecordingServer, tmp_path: Path, name: str
    ) -> None:
        path = self.download(client, server, tmp_path, Content_Disposition=f'attachment; filename="{name}"')
        assert tmp_path in path.resolve().parents

    @pytest.mark.parametrize(
        ("header", "name"),
        [
            ('attachment; filename="my report.pdf"', "my report.pdf"),
            ('attachment; filename="a;b.pdf"', "a;b.pdf"),
            ("attachment; filename='a.pdf'", "a.pdf"),
            ("attachment; filename*=UTF-8''%C3%BC.pdf", "ü.pdf"),
            (f'attachment; filename="{"x" * 300}.pdf"', f"{'x' * 40}.pdf"),
        ],
    )
    def test_file_is_named_by_the_content_disposition(
        self, client: bluejeans.ApiClient, server: RecordingServer, tmp_path: Path, header: str, name: str
    ) -> None:
        assert self.download(client, server, tmp_path, Content_Disposition=header).name == name

    def test_existing_file_is_not_overwritten(
        self, client: bluejeans.ApiClient, server: RecordingServer, tmp_path: Path
    ) -> None:
        (tmp_path / "a.bin").write_text("mine")
        path = self.download(client, server, tmp_path, Content_Disposition="attachment; filename=a.bin")
        assert (tmp_path / "a.bin").read_text() == "mine"
        assert path.name == "a.bin"


class TestThreads:
    def test_async_call_returns_its_result_from_get(
        self, api: bluejeans.AuthenticationApi, bluejeans_sandbox: Any
    ) -> None:
        sandbox = bluejeans_sandbox
        request = bluejeans.GrantRequestClient(client_id=sandbox.client_id, client_secret=sandbox.client_secret)
        calls: list[Any] = [api.get_token_by_client(request, async_req=True) for _ in range(20)]
        assert {type(call.get()) for call in calls} == {bluejeans.GrantClient}

    def test_async_is_accepted_for_async_req(self, client: bluejeans.ApiClient) -> None:
        call: Any = client.call_api("/x", "GET", response_type="object", **{"async": True})
        assert call.get()[0] == {}

    def test_async_call_raises_its_error_from_get(self, client: bluejeans.ApiClient, server: RecordingServer) -> None:
        server.respond_with(http_response(status=404))
        call: Any = client.call_api("/x", "GET", async_req=True)
        with pytest.raises(bluejeans.NotFoundError):
            call.get()

    def test_no_thread_starts_before_the_first_async_call(self, client: bluejeans.ApiClient) -> None:
        before = threading.active_count()
        client.call_api("/x", "GET")
        assert client._pools == {}
        assert threading.active_count() - before <= 1  # the server's own, for this connection

    def test_close_ends_all_threads_of_async_calls(self, client: bluejeans.ApiClient) -> None:
        client.call_api("/x", "GET", async_req=True).get()
        workers = [thread for thread in threading.enumerate() if thread in client.pool._pool]  # type: ignore[attr-defined]
        assert workers
        client.close()
        assert not any(worker.is_alive() for worker in workers)

    def test_closed_client_opens_new_connections(self, client: bluejeans.ApiClient, server: RecordingServer) -> None:
        client.call_api("/x", "GET")
        client.close()
        client.call_api("/x", "GET")
        assert (len(server.requests), server.connections) == (2, 2)

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
    @pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork")
    def test_forked_child_opens_its_own_connections_and_threads(
        self, client: bluejeans.ApiClient, server: RecordingServer
    ) -> None:
        client.call_api("/x", "GET", async_req=True).get()
        child = os.fork()
        if child == 0:
            ended = client.call_api("/x", "GET", async_req=True).get(10)[1] == 200
            os._exit(0 if ended else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        client.call_api("/x", "GET")
        assert (len(server.requests), server.connections) == (3, 2)

    def test_with_block_closes_the_client(self, server: RecordingServer) -> None:
        configuration = bluejeans.Configuration()
        configuration.host = server.url
        with bluejeans.AuthenticationApi(bluejeans.ApiClient(configuration)) as api:
            api.get_token_info(access_token="x")
        assert api.api_client.rest_client._pools == {}

    @pytest.mark.parametrize("answer", [http_response({}), http_response(status=204), http_response(body=b"")])
    @pytest.mark.parametrize("method", ["GET", "DELETE"])
    def test_connection_is_reused_after_each_response(
        self, client: bluejeans.ApiClient, server: RecordingServer, answer: bytes, method: str
    ) -> None:
        server.respond_with(answer)
        for _ in range(3):
            client.call_api("/x", method)
        assert server.connections == 1


def test_sanitizing_keeps_json_values_unchanged(configuration: bluejeans.Configuration) -> None:
    client = bluejeans.ApiClient(configuration)
    kept: list[Any] = [None, 1, 1.5, "a", True, [1, (2,)], {"a": None}]
    assert client.sanitize_for_serialization(kept) == kept
    assert json.dumps(client.sanitize_for_serialization(bluejeans.GrantRequestClient())) == (
        '{"grant_type": "client_credentials"}'
    )


class TestChangedSettings:
    def test_changed_proxy_is_used_for_the_next_call(
        self, client: bluejeans.ApiClient, server: RecordingServer
    ) -> None:
        client.call_api("/x", "GET")
        with RecordingServer([http_response({})]) as proxy:
            client.configuration.proxy = proxy.url
            client.call_api("/x", "GET")
            assert [sent.target for sent in proxy.requests] == [f"{server.url}/x"]
        client.configuration.proxy = None
        client.call_api("/x", "GET")
        assert len(server.requests) == 2

    @pytest.mark.parametrize("value", [0, -1, 1.5, "3", float("nan")])
    def test_invalid_max_attempts_is_rejected_before_sending(
        self, client: bluejeans.ApiClient, server: RecordingServer, value: Any
    ) -> None:
        with pytest.raises(ValueError, match="^_max_attempts must be a whole number from 1"):
            client.call_api("/x", "GET", _max_attempts=value)
        assert server.requests == []

    def test_header_of_none_is_omitted(self, client: bluejeans.ApiClient, server: RecordingServer) -> None:
        client.call_api("/x", "GET", header_params={"X-Nothing": None})
        assert "x-nothing" not in server.requests[0].headers


class TestUnreadResponses:
    def unread(self, client: bluejeans.ApiClient, method: str = "GET", **options: Any) -> Any:
        return client.call_api("/x", method, _preload_content=False, _return_http_data_only=True, **options)

    def test_unread_response_has_the_attributes_of_urllib3(
        self, client: bluejeans.ApiClient, server: RecordingServer
    ) -> None:
        server.respond_with(http_response(body=b"hello", status=200, X_One="1"))
        raw = self.unread(client)
        assert (raw.status, raw.reason, raw.version, raw.headers["x-one"]) == (200, "OK", 11, "1")
        assert [raw.read(2), raw.read(), raw.closed] == [b"he", b"llo", True]

    def test_read_response_returns_its_connection_to_the_pool(
        self, client: bluejeans.ApiClient, server: RecordingServer
    ) -> None:
        for _ in range(2):
            raw = self.unread(client)
            assert raw.read() == b"{}"
            raw.release_conn()
        assert server.connections == 1

    @pytest.mark.parametrize("amounts", [(), (2,), (1, 1)], ids=str)
    def test_response_returns_its_connection_at_the_end_of_the_body(
        self, client: bluejeans.ApiClient, server: RecordingServer, amounts: tuple[int, ...]
    ) -> None:
        for _ in range(2):
            raw = self.unread(client)
            for amount in amounts:
                raw.read(amount)
            assert raw.read() == (b"" if amounts else b"{}")
        assert server.connections == 1

    def test_unread_response_may_be_read_after_the_deadline_of_the_call(
        self, client: bluejeans.ApiClient, server: RecordingServer
    ) -> None:
        server.respond_with(drip(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"))
        assert self.unread(client, _request_timeout=(0.2, 0.2)).read() == 10 * b"x"

    def test_truncated_unread_response_raises_on_read(
        self, client: bluejeans.ApiClient, server: RecordingServer
    ) -> None:
        server.respond_with(
            b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\nConnection: close\r\n\r\nhello", socket.socket.close
        )
        with pytest.raises(urllib3.exceptions.ProtocolError):
            self.unread(client).read()

    def test_truncated_unread_response_raises_on_partial_read(
        self, client: bluejeans.ApiClient, server: RecordingServer
    ) -> None:
        server.respond_with(
            b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\nConnection: close\r\n\r\nhello", socket.socket.close
        )
        raw = self.unread(client)
        assert raw.read(5) == b"hello"
        with pytest.raises(urllib3.exceptions.ProtocolError):
            raw.read(5)

    @pytest.mark.parametrize("amount", [None, 10])
    def test_unread_response_to_head_has_no_body(
        self, client: bluejeans.ApiClient, server: RecordingServer, amount: int | None
    ) -> None:
        server.respond_with(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")
        assert self.unread(client, "HEAD").read(amount) == b""
