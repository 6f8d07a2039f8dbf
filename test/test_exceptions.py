"""Every failure is a kind of `ApiException`, says what happened, and shows no secret."""

from __future__ import annotations

import copy
import gzip
import pickle
import socket
import ssl
import threading
import time
import traceback
from collections.abc import Iterator
from typing import Any

import pytest
import urllib3

import BlueJeansMeetingsRestApi as bluejeans
from BlueJeansMeetingsRestApi import exceptions
from support.recording_server import RecordingServer, http_response

CLIENT = bluejeans.GrantRequestClient(client_id="id", client_secret="canary-secret")
CODE = bluejeans.GrantRequestCode(client_id="id", client_secret="canary-secret", code="canary-code")
GRANT = {"access_token": "t", "expires_in": 3600}


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with RecordingServer([http_response(GRANT)]) as server:
        yield server


@pytest.fixture
def api(server: RecordingServer) -> Iterator[bluejeans.AuthenticationApi]:
    configuration = bluejeans.Configuration()
    configuration.host = server.url
    configuration.call_timeout = 5
    with bluejeans.AuthenticationApi(bluejeans.ApiClient(configuration)) as api:
        yield api


def failure(api: bluejeans.AuthenticationApi, request: Any = CLIENT, **options: Any) -> bluejeans.ApiException:
    """What asking for a token raises, searched for secrets in all that it shows."""
    method = api.get_token_by_code if request is CODE else api.get_token_by_client
    with pytest.raises(bluejeans.ApiException) as caught:
        method(request, **options)
    shown = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    ours = "".join(part for part in shown.split("  File ") if "BlueJeansMeetingsRestApi" in part.partition("\n")[0])
    chain: BaseException | None = caught.value
    while chain is not None:
        ours += f"{chain} {chain.args!r}"
        chain = chain.__cause__ or chain.__context__
    assert "canary" not in ours
    return caught.value


class TestReason:
    def test_a_standard_phrase_stays_though_it_has_a_secret_in_it(
        self, api: bluejeans.AuthenticationApi, server: RecordingServer
    ) -> None:
        server.respond_with(http_response({"message": "Unauthorized is wrong"}, status=401))
        request = bluejeans.GrantRequestPassword(username="u", password="Unauthorized")
        with pytest.raises(bluejeans.UnauthorizedError) as caught:
            api.get_token_by_password(request)
        assert (caught.value.reason, "*** is wrong" in str(caught.value)) == ("Unauthorized", True)


class TestStatuses:
    @pytest.mark.parametrize(
        ("status", "kind"),
        [
            (400, bluejeans.BadRequestError),
            (401, bluejeans.UnauthorizedError),
            (403, bluejeans.ForbiddenError),
            (404, bluejeans.NotFoundError),
            (409, bluejeans.ConflictError),
            (418, bluejeans.ApiStatusError),
            (422, bluejeans.UnprocessableEntityError),
            (429, bluejeans.RateLimitError),
            (500, bluejeans.ServiceError),
            (599, bluejeans.ServiceError),
            (302, bluejeans.RedirectError),
        ],
    )
    def test_each_is_its_kind(
        self, api: bluejeans.AuthenticationApi, server: RecordingServer, status: int, kind: type[Exception]
    ) -> None:
        api.api_client.configuration.max_attempts = 1
        server.respond_with(http_response({"code": 7, "message": "No.", "more": 1}, status))
        error = failure(api)
        assert (type(error), error.status, error.attempts) == (kind, status, 1)

    def test_the_tree_is_drawn_as_it_is(self) -> None:
        kinds = [name for name, value in vars(exceptions).items() if isinstance(value, type) and name != "Error"]
        drawn = (exceptions.__doc__ or "").split("API", 1)[0]
        assert [name for name in kinds if issubclass(getattr(exceptions, name), Exception) and name not in drawn] == []

    def test_the_text_starts_as_in_the_2019_sdk_and_says_what_the_service_says(
        self, api: bluejeans.AuthenticationApi, server: RecordingServer
    ) -> None:
        server.respond_with(http_response({"code": 401, "message": "No."}, 401))
        url = f"{server.url}/oauth2/token?Client"
        assert str(failure(api)) == f"(401)\nReason: Unauthorized\nPOST {url}\nNo.\n"

    def test_the_answer_is_kept(self, api: bluejeans.AuthenticationApi, server: RecordingServer) -> None:
        server.respond_with(http_response({"code": 401, "message": "No.", "more": 1}, 401, X_More="yes"))
        error = failure(api)
        assert error.headers is not None
        assert (error.reason, error.headers["x-more"]) == ("Unauthorized", "yes")
        assert error.body == '{"code": 401, "message": "No.", "more": 1}'
        assert error.error is not None
        assert (error.error.code, error.error.message) == (401, "No.")
        assert error.error.additional_properties == {"more": 1}

    @pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"message": 1}', b"\xff\xfe", b"[" * 100000])
    def test_a_body_that_is_no_error_keeps_the_status(
        self, api: bluejeans.AuthenticationApi, server: RecordingServer, body: bytes
    ) -> None:
        server.respond_with(http_response(body=body, status=401))
        error = failure(api)
        assert (error.status, error.error) == (401, None)
        assert error.body == body.decode("utf-8", "replace")

    def test_the_words_of_rfc_6749_are_understood(
        self, api: bluejeans.AuthenticationApi, server: RecordingServer
    ) -> None:
        server.respond_with(http_response({"error": "invalid_client", "error_description": "Unknown."}, 401))
        assert str(failure(api)).endswith("\nUnknown.\ninvalid_client\n")

    @pytest.mark.parametrize(
        "echo", ["canary-secret", "x canary-secret.", "{'client_secret': 'canary-secret'}", "0123456789abcdef" * 2]
    )
    def test_a_service_that_echoes_a_secret_does_not_make_it_show(
        self, api: bluejeans.AuthenticationApi, server: RecordingServer, echo: str
    ) -> None:
        server.respond_with(http_response({"code": 401, "message": echo}, 401))
        error = failure(api)
        assert "***" in str(error)
        assert "0123456789abcdef" not in str(error)

    def test_nor_does_one_that_echoes_a_bearer_token(
        self, api: bluejeans.AuthenticationApi, server: RecordingServer
    ) -> None:
        server.respond_with(http_response({"message": "canary-token is unknown"}, 401))
        with pytest.raises(bluejeans.UnauthorizedError) as caught:
            api.api_client.call_api("/x", "GET", header_params={"Authorization": "Bearer canary-token"})
        assert "canary" not in str(caught.value)

    def test_an_error_of_an_unread_answer_is_read(
        self, api: bluejeans.AuthenticationApi, server: RecordingServer
    ) -> None:
        server.respond_with(http_response({"message": "No."}, 401))
        assert failure(api, _preload_content=False).body == '{"message": "No."}'


class TestCopies:
    @pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda e: pickle.loads(pickle.dumps(e))])
    def test_a_copy_has_all_that_the_original_has(
        self, api: bluejeans.AuthenticationApi, server: RecordingServer, copied: Any
    ) -> None:
        server.respond_with(http_response({"message": "No."}, 429, Retry_After="100"))
        error = failure(api)
        other = copied(error)
        assert (type(other), str(other), other.args) == (type(error), str(error), error.args)
        assert (other.status, other.body, other.retry_after, other.attempts) == (429, error.body, 100.0, 1)
        assert dict(other.headers) == dict(error.headers or {})
        assert other.error == error.error

    def test_one_can_be_made_as_in_the_2019_sdk(self) -> None:
        error = bluejeans.ApiException(status=0, reason="why")
        assert (error.status, error.reason, error.body, error.headers) == (0, "why", None, None)
        assert repr(error) == "ApiException(0, 'why')"

    def test_or_from_any_response(self) -> None:
        response = urllib3.HTTPResponse(b"\xff", {"X": "y"}, 500, reason="Oops")
        error = bluejeans.ApiException(http_resp=response)
        assert (error.status, error.reason, error.body) == (500, "Oops", "\ufffd")


class TestConnections:
    def refused(self) -> int:
        with socket.create_server(("127.0.0.1", 0)) as free:
            return int(free.getsockname()[1])

    def test_a_refused_connection(self, api: bluejeans.AuthenticationApi) -> None:
        api.api_client.configuration.host = f"http://127.0.0.1:{self.refused()}"
        api.api_client.configuration.max_attempts = 2
        error = failure(api)
        assert (type(error), error.status, error.retryable, error.attempts) == (
            bluejeans.ApiConnectionError,
            0,
            True,
            2,
        )
        assert "cannot connect to 127.0.0.1:" in str(error)
        assert isinstance(error.__cause__, urllib3.exceptions.NewConnectionError)

    def test_a_code_may_be_sent_again_where_nothing_was_connected(self, api: bluejeans.AuthenticationApi) -> None:
        api.api_client.configuration.host = f"http://127.0.0.1:{self.refused()}"
        error = failure(api, CODE)
        assert (error.retryable, error.attempts) == (True, 3)

    def test_a_connection_that_breaks_off_is_tried_again(
        self, api: bluejeans.AuthenticationApi, server: RecordingServer
    ) -> None:
        server.respond_with(socket.socket.close, http_response(GRANT))
        assert api.get_token_by_client(CLIENT).access_token == "t"
        assert len(server.requests) == 2

    def test_but_not_for_a_code(self, api: bluejeans.AuthenticationApi, server: RecordingServer) -> None:
        server.respond_with(socket.socket.close)
        error = failure(api, CODE)
        assert (type(error), error.retryable, len(server.requests)) == (bluejeans.ApiConnectionError, False, 1)

    def test_silence_ends_in_time(self, api: bluejeans.AuthenticationApi, server: RecordingServer) -> None:
        server.respond_with(lambda connection: connection.recv(1))
        error = failure(api, _request_timeout=0.2)
        assert isinstance(error, bluejeans.ApiTimeoutError)
        assert "timed out waiting for" in str(error)

    @pytest.mark.parametrize("start", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n"])
    def test_a_byte_now_and_then_ends_in_time(
        self, api: bluejeans.AuthenticationApi, server: RecordingServer, start: bytes
    ) -> None:
        server.respond_with(lambda connection: drip(connection, start))
        started = time.monotonic()
        assert isinstance(failure(api, CODE, _request_timeout=0.3), bluejeans.ApiTimeoutError)
        assert time.monotonic() - started < 3

    def test_a_pair_bounds_silence(self, api: bluejeans.AuthenticationApi, server: RecordingServer) -> None:
        server.respond_with(lambda connection: connection.recv(1))
        assert isinstance(failure(api, CODE, _request_timeout=(1, 0.2)), bluejeans.ApiTimeoutError)

    @pytest.mark.parametrize(
        ("timeout", "kind"),
        [(0, ValueError), (-1.5, ValueError), (float("nan"), ValueError), ("5", TypeError), ((1, 0), ValueError)],
    )
    def test_a_timeout_that_is_none_is_refused(
        self, api: bluejeans.AuthenticationApi, server: RecordingServer, timeout: Any, kind: type[Exception]
    ) -> None:
        with pytest.raises(kind, match="_request_timeout"):
            api.get_token_by_client(CLIENT, _request_timeout=timeout)
        assert server.connections == 0

    @pytest.mark.parametrize("timeout", [5, 5.5, (1, 2), (0.5, 2.5)])
    def test_a_timeout_may_be_a_number_or_a_pair(self, api: bluejeans.AuthenticationApi, timeout: Any) -> None:
        assert api.get_token_by_client(CLIENT, _request_timeout=timeout).access_token == "t"

    def test_an_untrusted_certificate(self, api: bluejeans.AuthenticationApi) -> None:
        import trustme

        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
        with RecordingServer([http_response(GRANT)], tls=context) as server:
            api.api_client.configuration.host = server.url
            error = failure(api)
            assert (type(error), error.retryable, server.connections) == (bluejeans.ApiTLSError, False, 1)
        assert "Configuration.ssl_ca_cert" in str(error)

    def test_a_proxy_that_is_not_there(self, api: bluejeans.AuthenticationApi) -> None:
        api.api_client.configuration.host = "https://service.example"
        api.api_client.configuration.proxy = f"http://user:canary-password@127.0.0.1:{self.refused()}"
        error = failure(api)
        assert isinstance(error, bluejeans.ApiProxyError)
        assert "Configuration.proxy" in str(error)


class TestTriesAgain:
    def test_until_the_service_answers(self, api: bluejeans.AuthenticationApi, server: RecordingServer) -> None:
        server.respond_with(http_response(status=503), http_response(status=502), http_response(GRANT))
        assert api.get_token_by_client(CLIENT).access_token == "t"
        assert len(server.requests) == 3

    def test_as_often_as_it_may(self, api: bluejeans.AuthenticationApi, server: RecordingServer) -> None:
        server.respond_with(http_response(status=503, Retry_After="0"))
        error = failure(api)
        assert (error.attempts, error.retryable, len(server.requests)) == (3, True, 3)

    def test_once_where_that_is_switched_off(self, api: bluejeans.AuthenticationApi, server: RecordingServer) -> None:
        api.api_client.configuration.max_attempts = 1
        server.respond_with(http_response(status=503))
        assert (failure(api).attempts, len(server.requests)) == (1, 1)

    def test_no_code(self, api: bluejeans.AuthenticationApi, server: RecordingServer) -> None:
        server.respond_with(http_response(status=503))
        assert (failure(api, CODE).retryable, len(server.requests)) == (False, 1)

    def test_no_post_of_another_endpoint(self, api: bluejeans.AuthenticationApi, server: RecordingServer) -> None:
        server.respond_with(http_response(status=503))
        with pytest.raises(bluejeans.ServiceError):
            api.api_client.call_api("/v1/user/1/scheduled_meeting", "POST", body={})
        assert len(server.requests) == 1

    @pytest.mark.parametrize("status", [400, 401, 500])
    def test_no_other_refusal(self, api: bluejeans.AuthenticationApi, server: RecordingServer, status: int) -> None:
        server.respond_with(http_response(status=status))
        assert (failure(api).retryable, len(server.requests)) == (False, 1)

    @pytest.mark.parametrize("after", ["1000", "Fri, 31 Dec 2100 23:59:59 GMT"])
    def test_not_where_the_service_asks_for_more_time_than_there_is(
        self, api: bluejeans.AuthenticationApi, server: RecordingServer, after: str
    ) -> None:
        server.respond_with(http_response(status=429, Retry_After=after))
        error = failure(api)
        assert error.retry_after is not None
        assert (error.retry_after >= 1000, len(server.requests)) == (True, 1)

    @pytest.mark.parametrize(
        ("after", "seconds"), [("0", 0.0), ("Sat, 01 Jan 2000 00:00:00 GMT", 0.0), ("soon", None), ("", None)]
    )
    def test_retry_after_in_both_its_forms(
        self, api: bluejeans.AuthenticationApi, server: RecordingServer, after: str, seconds: float | None
    ) -> None:
        server.respond_with(http_response(status=503, Retry_After=after))
        assert failure(api).retry_after == seconds


class TestRedirects:
    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_are_not_followed(self, api: bluejeans.AuthenticationApi, server: RecordingServer, status: int) -> None:
        with RecordingServer([http_response(GRANT)]) as elsewhere:
            server.respond_with(http_response(status=status, Location=f"{elsewhere.url}/oauth2/token"))
            assert isinstance(failure(api), bluejeans.RedirectError)
            assert elsewhere.connections == 0

    def test_are_the_answer_of_the_authorization_page(
        self, api: bluejeans.AuthenticationApi, server: RecordingServer
    ) -> None:
        with RecordingServer([http_response(GRANT)]) as elsewhere:
            server.respond_with(http_response(status=302, Location=elsewhere.url))
            assert api.get_authorization_code(client_id="x") is None  # type: ignore[func-returns-value]
            data, status, headers = api.get_authorization_code_with_http_info(client_id="x")
            assert (data, status, headers["Location"]) == (None, 302, elsewhere.url)
            assert elsewhere.connections == 0


class TestAnswersThatAreNoGrant:
    @pytest.mark.parametrize(
        "body",
        [b"", b"<html>", b"null", b"[]", b'"text"', b"{}", b'{"access_token": ""}', b'{"access_token": 5}', b"\xff"],
    )
    def test_are_an_error_with_the_status(
        self, api: bluejeans.AuthenticationApi, server: RecordingServer, body: bytes
    ) -> None:
        server.respond_with(http_response(body=body))
        error = failure(api)
        assert (type(error), error.status) == (bluejeans.ApiResponseError, 200)

    @pytest.mark.parametrize("text", [b"\xef\xbb\xbf" + b'{"access_token": "t", "expires_in": "3600"}'])
    def test_but_a_byte_order_mark_and_a_number_as_text_are_taken(
        self, api: bluejeans.AuthenticationApi, server: RecordingServer, text: bytes
    ) -> None:
        server.respond_with(http_response(body=text))
        assert api.get_token_by_client(CLIENT).expires_in == 3600

    def test_leave_the_client_usable(self, api: bluejeans.AuthenticationApi, server: RecordingServer) -> None:
        server.respond_with(http_response(body=b"<html>"), http_response(GRANT))
        failure(api)
        assert api.get_token_by_client(CLIENT).access_token == "t"


class TestAnswersThatAreNotWhole:
    def test_a_cut_one_is_tried_again(self, api: bluejeans.AuthenticationApi, server: RecordingServer) -> None:
        cut = http_response(body=b'{"access_token": "t"}', Content_Length="99", Connection="close")
        server.respond_with(cut, http_response(GRANT))
        assert api.get_token_by_client(CLIENT).expires_in == 3600

    def test_and_an_error_in_the_end(self, api: bluejeans.AuthenticationApi, server: RecordingServer) -> None:
        server.respond_with(http_response(body=b'{"access_token": "t"}', Content_Length="99", Connection="close"))
        error = failure(api)
        assert (type(error), error.status, error.attempts) == (bluejeans.ApiResponseError, 200, 3)
        assert error.reason == "the response is truncated"

    def test_one_that_ends_with_the_connection_is_whole(
        self, api: bluejeans.AuthenticationApi, server: RecordingServer
    ) -> None:
        server.respond_with(b'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{"access_token": "t"}')
        assert api.get_token_by_client(CLIENT).access_token == "t"

    def test_one_that_is_too_long_is_an_error(self, api: bluejeans.AuthenticationApi, server: RecordingServer) -> None:
        api.api_client.configuration.max_response_bytes = 10
        server.respond_with(http_response(GRANT))
        error = failure(api)
        assert (type(error), error.body) == (bluejeans.ApiResponseError, '{"access_t')
        assert "Configuration.max_response_bytes (10)" in str(error)

    def test_so_is_one_that_decompresses_to_too_much(
        self, api: bluejeans.AuthenticationApi, server: RecordingServer
    ) -> None:
        server.respond_with(http_response(body=gzip.compress(b" " * (1 << 24)), Content_Encoding="gzip"))
        assert "max_response_bytes" in str(failure(api))

    def test_a_compressed_one_is_taken(self, api: bluejeans.AuthenticationApi, server: RecordingServer) -> None:
        server.respond_with(http_response(body=gzip.compress(b'{"access_token": "t"}'), Content_Encoding="gzip"))
        assert api.get_token_by_client(CLIENT).access_token == "t"

    @pytest.mark.parametrize(
        ("body", "encoding"),
        [(b"no gzip", "gzip"), (gzip.compress(b'{"access_token": "t"}')[:-9], "gzip"), (b"x", "br")],
        ids=["no gzip", "cut", "unknown"],
    )
    def test_one_that_cannot_be_decompressed_is_an_error(
        self, api: bluejeans.AuthenticationApi, server: RecordingServer, body: bytes, encoding: str
    ) -> None:
        server.respond_with(http_response(body=body, Content_Encoding=encoding))
        assert isinstance(failure(api), bluejeans.ApiResponseError)

    def test_what_is_no_http_is_a_connection_error(
        self, api: bluejeans.AuthenticationApi, server: RecordingServer
    ) -> None:
        server.respond_with(b"canary-secret is what you sent\r\n\r\nConnection: close")
        error = failure(api)
        assert type(error) is bluejeans.ApiConnectionError
        assert "invalid status line" in str(error.__cause__)


def drip(connection: socket.socket, start: bytes) -> None:
    connection.sendall(start)
    stop = threading.Event()
    while True:
        try:
            connection.sendall(b"x")
        except OSError:
            return
        stop.wait(0.05)
