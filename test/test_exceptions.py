"""Exceptions: each failure raises its kind of `ApiException`, whose text explains it and contains no secret."""

from __future__ import annotations

import copy
import gzip
import pickle
import socket
import ssl
import threading
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
    """Return the exception of a token request, after a search for secrets in its text, chain and traceback."""
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
    def test_standard_reason_phrase_is_not_masked_if_it_equals_a_secret(
        self, api: bluejeans.AuthenticationApi, server: RecordingServer
    ) -> None:
        server.respond_with(http_response({"message": "Unauthorized is wrong"}, status=401))
        request = bluejeans.GrantRequestPassword(username="u", password="Unauthorized")
        with pytest.raises(bluejeans.UnauthorizedError) as caught:
            api.get_token_by_password(request)
        assert (caught.value.reason, "Unauthorized is wrong" in str(caught.value)) == ("Unauthorized", True)


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
    def test_each_error_status_raises_its_exception(
        self, api: bluejeans.AuthenticationApi, server: RecordingServer, status: int, kind: type[Exception]
    ) -> None:
        api.api_client.configuration.max_attempts = 1
        server.respond_with(http_response({"code": 7, "message": "No.", "more": 1}, status))
        error = failure(api)
        assert (type(error), error.status, error.attempts) == (kind, status, 1)

    def test_module_docstring_lists_every_exception(self) -> None:
        kinds = [name for name, value in vars(exceptions).items() if isinstance(value, type) and name != "Error"]
        drawn = (exceptions.__doc__ or "").split("API", 1)[0]
        assert [name for name in kinds if issubclass(getattr(exceptions, name), Exception) and name not in drawn] == []

    def test_str_is_the_2019_text_with_the_request_and_the_message(
        self, api: bluejeans.AuthenticationApi, server: RecordingServer
    ) -> None:
        server.respond_with(http_response({"code": 401, "message": "No."}, 401))
        url = f"{server.url}/oauth2/token?Client"
        assert str(failure(api)) == f"(401)\nReason: Unauthorized\nPOST {url}\nNo.\n"

    def test_exception_contains_body_headers_and_error_model(
        self, api: bluejeans.AuthenticationApi, server: RecordingServer
    ) -> None:
        server.respond_with(http_response({"code": 401, "message": "No.", "more": 1}, 401, X_More="yes"))
        error = failure(api)
        assert error.headers is not None
        assert (error.reason, error.headers["x-more"]) == ("Unauthorized", "yes")
        assert error.body == '{"code": 401, "message": "No.", "more": 1}'
        assert error.error is not None
        assert (error.error.code, error.error.message) == (401, "No.")
        assert error.error.additional_properties == {"more": 1}

    @pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"message": 1}', b"\xff\xfe", b"[" * 100000])
    def test_body_that_is_not_an_error_model_does_not_hide_the_status(
        self, api: bluejeans.AuthenticationApi, server: RecordingServer, body: bytes
    ) -> None:
        server.respond_with(http_response(body=body, status=401))
        error = failure(api)
        assert (error.status, error.error) == (401, None)
        assert error.body == body.decode("utf-8", "replace")

    def test_str_contains_error_and_description_of_rfc_6749(
        self, api: bluejeans.AuthenticationApi, server: RecordingServer
    ) -> None:
        server.respond_with(http_response({"error": "invalid_client", "error_description": "Unknown."}, 401))
        assert str(failure(api)).endswith("\nUnknown.\ninvalid_client\n")

    @pytest.mark.parametrize(
        "echo", ["canary-secret", "x canary-secret.", "{'client_secret': 'canary-secret'}", "canary%2Dsecret"]
    )
    def test_secret_of_the_request_is_masked_in_the_message(
        self, api: bluejeans.AuthenticationApi, server: RecordingServer, echo: str
    ) -> None:
        server.respond_with(http_response({"code": 401, "message": echo}, 401))
        error = failure(api)
        assert "***" in str(error)

    def test_request_id_of_32_characters_stays_readable(
        self, api: bluejeans.AuthenticationApi, server: RecordingServer
    ) -> None:
        server.respond_with(http_response({"message": "failed, request 0af7651916cd43dd8448eb211c80319c"}, 500))
        assert "request 0af7651916cd43dd8448eb211c80319c\n" in str(failure(api))

    @pytest.mark.parametrize(("password", "message"), [("token", "Invalid token"), ("Password", "Password is wrong.")])
    def test_password_that_is_a_common_word_is_not_masked_in_the_message(
        self, api: bluejeans.AuthenticationApi, server: RecordingServer, password: str, message: str
    ) -> None:
        server.respond_with(http_response({"message": message}, 400))
        with pytest.raises(bluejeans.BadRequestError, match=message):
            api.get_token_by_password(bluejeans.GrantRequestPassword(username="u", password=password))

    def test_password_does_not_mask_the_method_and_path_of_the_request(
        self, api: bluejeans.AuthenticationApi, server: RecordingServer
    ) -> None:
        server.respond_with(http_response({}, 400))
        with pytest.raises(bluejeans.BadRequestError, match=r"POST http://127\.0\.0\.1:\d+/oauth2/token\?Password"):
            api.get_token_by_password(bluejeans.GrantRequestPassword(username="u", password="oauth2"))

    def test_control_characters_of_the_message_are_replaced(
        self, api: bluejeans.AuthenticationApi, server: RecordingServer
    ) -> None:
        server.respond_with(http_response({"message": "no\n2026-01-01 INFO forged\x1b[2J\r\u2028"}, 400))
        assert str(failure(api)).endswith("\nno 2026-01-01 INFO forged [2J  \n")

    def test_text_contains_only_the_message_of_the_body(
        self, api: bluejeans.AuthenticationApi, server: RecordingServer
    ) -> None:
        server.respond_with(http_response({"message": "No.", "code": 7, "debug": "internal details"}, 400))
        assert "internal" not in str(failure(api))

    def test_text_contains_the_path_template_without_values(
        self, api: bluejeans.AuthenticationApi, server: RecordingServer
    ) -> None:
        server.respond_with(http_response({"message": "no canary/7 here"}, 404))
        with pytest.raises(bluejeans.NotFoundError) as caught:
            api.api_client.call_api(
                "/v1/{passcode}/room", "GET", path_params={"passcode": "canary/7"}, query_params={"email": "canary"}
            )
        assert f"\nGET {server.url}/v1/{{passcode}}/room\n" in str(caught.value)
        assert "canary" not in str(caught.value)

    def test_bearer_token_of_the_request_is_masked_in_the_message(
        self, api: bluejeans.AuthenticationApi, server: RecordingServer
    ) -> None:
        server.respond_with(http_response({"message": "canary-token is unknown"}, 401))
        with pytest.raises(bluejeans.UnauthorizedError) as caught:
            api.api_client.call_api("/x", "GET", header_params={"Authorization": "Bearer canary-token"})
        assert "canary" not in str(caught.value)

    def test_error_body_is_read_without_preload_content(
        self, api: bluejeans.AuthenticationApi, server: RecordingServer
    ) -> None:
        server.respond_with(http_response({"message": "No."}, 401))
        assert failure(api, _preload_content=False).body == '{"message": "No."}'


class TestCopies:
    @pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda e: pickle.loads(pickle.dumps(e))])
    def test_copy_and_pickle_keep_all_attributes(
        self, api: bluejeans.AuthenticationApi, server: RecordingServer, copied: Any
    ) -> None:
        server.respond_with(http_response({"message": "No."}, 429, Retry_After="100"))
        error = failure(api)
        other = copied(error)
        assert (type(other), str(other), other.args) == (type(error), str(error), error.args)
        assert (other.status, other.body, other.retry_after, other.attempts) == (429, error.body, 100.0, 1)
        assert dict(other.headers) == dict(error.headers or {})
        assert other.error == error.error

    def test_exception_accepts_the_2019_arguments(self) -> None:
        error = bluejeans.ApiException(status=0, reason="why")
        assert (error.status, error.reason, error.body, error.headers) == (0, "why", None, None)
        assert repr(error) == "ApiException(0, 'why')"

    def test_exception_accepts_a_urllib3_response(self) -> None:
        response = urllib3.HTTPResponse(b"\xff", {"X": "y"}, 500, reason="Oops")
        error = bluejeans.ApiException(http_resp=response)
        assert (error.status, error.reason, error.body) == (500, "Oops", "\ufffd")


class TestConnections:
    def refused(self) -> int:
        with socket.create_server(("127.0.0.1", 0)) as free:
            return int(free.getsockname()[1])

    def test_refused_connection_raises_a_retryable_connection_error(self, api: bluejeans.AuthenticationApi) -> None:
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

    def test_code_is_sent_again_if_no_connection_was_established(self, api: bluejeans.AuthenticationApi) -> None:
        api.api_client.configuration.host = f"http://127.0.0.1:{self.refused()}"
        error = failure(api, CODE)
        assert (error.retryable, error.attempts) == (True, 3)

    def test_reset_connection_is_retried_for_an_idempotent_request(
        self, api: bluejeans.AuthenticationApi, server: RecordingServer
    ) -> None:
        server.respond_with(socket.socket.close, http_response(GRANT))
        assert api.get_token_by_client(CLIENT).access_token == "t"
        assert len(server.requests) == 2

    def test_reset_connection_is_not_retried_for_a_code(
        self, api: bluejeans.AuthenticationApi, server: RecordingServer
    ) -> None:
        server.respond_with(socket.socket.close)
        error = failure(api, CODE)
        assert (type(error), error.retryable, len(server.requests)) == (bluejeans.ApiConnectionError, False, 1)

    def test_silent_server_raises_a_timeout_error(
        self, api: bluejeans.AuthenticationApi, server: RecordingServer
    ) -> None:
        server.respond_with(lambda connection: connection.recv(1))
        error = failure(api, _request_timeout=0.2)
        assert isinstance(error, bluejeans.ApiTimeoutError)
        assert "timed out waiting for" in str(error)

    @pytest.mark.parametrize("start", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n"])
    def test_slow_bytes_do_not_extend_the_deadline(
        self, api: bluejeans.AuthenticationApi, server: RecordingServer, start: bytes
    ) -> None:
        server.respond_with(lambda connection: drip(connection, start))
        assert isinstance(failure(api, CODE, _request_timeout=0.3), bluejeans.ApiTimeoutError)

    def test_pair_as_timeout_limits_the_wait_for_data(
        self, api: bluejeans.AuthenticationApi, server: RecordingServer
    ) -> None:
        server.respond_with(lambda connection: connection.recv(1))
        assert isinstance(failure(api, CODE, _request_timeout=(1, 0.2)), bluejeans.ApiTimeoutError)

    @pytest.mark.parametrize(
        ("timeout", "kind"),
        [(0, ValueError), (-1.5, ValueError), (float("nan"), ValueError), ("5", TypeError), ((1, 0), ValueError)],
    )
    def test_invalid_timeout_is_rejected_before_sending(
        self, api: bluejeans.AuthenticationApi, server: RecordingServer, timeout: Any, kind: type[Exception]
    ) -> None:
        with pytest.raises(kind, match="_request_timeout"):
            api.get_token_by_client(CLIENT, _request_timeout=timeout)
        assert server.connections == 0

    @pytest.mark.parametrize("timeout", [5, 5.5, (1, 2), (0.5, 2.5)])
    def test_timeout_accepts_a_number_and_a_pair(self, api: bluejeans.AuthenticationApi, timeout: Any) -> None:
        assert api.get_token_by_client(CLIENT, _request_timeout=timeout).access_token == "t"

    def test_untrusted_certificate_raises_a_tls_error_without_retry(self, api: bluejeans.AuthenticationApi) -> None:
        import trustme

        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
        with RecordingServer([http_response(GRANT)], tls=context) as server:
            api.api_client.configuration.host = server.url
            error = failure(api)
            assert (type(error), error.retryable, server.connections) == (bluejeans.ApiTLSError, False, 1)
        assert "Configuration.ssl_ca_cert" in str(error)

    def test_unreachable_proxy_raises_a_proxy_error(self, api: bluejeans.AuthenticationApi) -> None:
        api.api_client.configuration.host = "https://service.example"
        api.api_client.configuration.proxy = f"http://user:canary-password@127.0.0.1:{self.refused()}"
        error = failure(api)
        assert isinstance(error, bluejeans.ApiProxyError)
        assert "Configuration.proxy" in str(error)


class TestRetries:
    def test_failing_service_is_retried_until_it_responds(
        self, api: bluejeans.AuthenticationApi, server: RecordingServer
    ) -> None:
        server.respond_with(http_response(status=503), http_response(status=502), http_response(GRANT))
        assert api.get_token_by_client(CLIENT).access_token == "t"
        assert len(server.requests) == 3

    def test_attempts_stop_at_max_attempts(self, api: bluejeans.AuthenticationApi, server: RecordingServer) -> None:
        server.respond_with(http_response(status=503, Retry_After="0"))
        error = failure(api)
        assert (error.attempts, error.retryable, len(server.requests)) == (3, True, 3)

    def test_max_attempts_of_1_disables_retries(
        self, api: bluejeans.AuthenticationApi, server: RecordingServer
    ) -> None:
        api.api_client.configuration.max_attempts = 1
        server.respond_with(http_response(status=503))
        assert (failure(api).attempts, len(server.requests)) == (1, 1)

    def test_code_is_not_sent_again_after_a_503(
        self, api: bluejeans.AuthenticationApi, server: RecordingServer
    ) -> None:
        server.respond_with(http_response(status=503))
        assert (failure(api, CODE).retryable, len(server.requests)) == (False, 1)

    def test_post_to_another_endpoint_is_not_retried(
        self, api: bluejeans.AuthenticationApi, server: RecordingServer
    ) -> None:
        server.respond_with(http_response(status=503))
        with pytest.raises(bluejeans.ServiceError):
            api.api_client.call_api("/v1/user/1/scheduled_meeting", "POST", body={})
        assert len(server.requests) == 1

    @pytest.mark.parametrize("status", [400, 401, 500])
    def test_other_error_statuses_are_not_retried(
        self, api: bluejeans.AuthenticationApi, server: RecordingServer, status: int
    ) -> None:
        server.respond_with(http_response(status=status))
        assert (failure(api).retryable, len(server.requests)) == (False, 1)

    @pytest.mark.parametrize("after", ["1000", "Fri, 31 Dec 2100 23:59:59 GMT"])
    def test_no_retry_if_retry_after_exceeds_the_deadline(
        self, api: bluejeans.AuthenticationApi, server: RecordingServer, after: str
    ) -> None:
        server.respond_with(http_response(status=429, Retry_After=after))
        error = failure(api)
        assert error.retry_after is not None
        assert (error.retry_after >= 1000, len(server.requests)) == (True, 1)

    @pytest.mark.parametrize(
        ("after", "seconds"), [("0", 0.0), ("Sat, 01 Jan 2000 00:00:00 GMT", 0.0), ("soon", None), ("", None)]
    )
    def test_retry_after_accepts_seconds_and_dates(
        self, api: bluejeans.AuthenticationApi, server: RecordingServer, after: str, seconds: float | None
    ) -> None:
        server.respond_with(http_response(status=503, Retry_After=after))
        assert failure(api).retry_after == seconds


class TestRedirects:
    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_redirects_are_not_followed(
        self, api: bluejeans.AuthenticationApi, server: RecordingServer, status: int
    ) -> None:
        with RecordingServer([http_response(GRANT)]) as elsewhere:
            server.respond_with(http_response(status=status, Location=f"{elsewhere.url}/oauth2/token"))
            assert isinstance(failure(api), bluejeans.RedirectError)
            assert elsewhere.connections == 0

    def test_authorization_page_returns_a_redirect(
        self, api: bluejeans.AuthenticationApi, server: RecordingServer
    ) -> None:
        with RecordingServer([http_response(GRANT)]) as elsewhere:
            server.respond_with(http_response(status=302, Location=elsewhere.url))
            assert api.get_authorization_code(client_id="x") is None  # type: ignore[func-returns-value]
            data, status, headers = api.get_authorization_code_with_http_info(client_id="x")
            assert (data, status, headers["Location"]) == (None, 302, elsewhere.url)
            assert elsewhere.connections == 0


class TestInvalidGrants:
    @pytest.mark.parametrize(
        "body",
        [b"", b"<html>", b"null", b"[]", b'"text"', b"{}", b'{"access_token": ""}', b'{"access_token": 5}', b"\xff"],
    )
    def test_response_without_a_grant_is_an_error_with_its_status(
        self, api: bluejeans.AuthenticationApi, server: RecordingServer, body: bytes
    ) -> None:
        server.respond_with(http_response(body=body))
        error = failure(api)
        assert (type(error), error.status) == (bluejeans.ApiResponseError, 200)

    @pytest.mark.parametrize("text", [b"\xef\xbb\xbf" + b'{"access_token": "t", "expires_in": "3600"}'])
    def test_byte_order_mark_and_number_in_quotes_are_accepted(
        self, api: bluejeans.AuthenticationApi, server: RecordingServer, text: bytes
    ) -> None:
        server.respond_with(http_response(body=text))
        assert api.get_token_by_client(CLIENT).expires_in == 3600

    def test_client_works_after_an_invalid_response(
        self, api: bluejeans.AuthenticationApi, server: RecordingServer
    ) -> None:
        server.respond_with(http_response(body=b"<html>"), http_response(GRANT))
        failure(api)
        assert api.get_token_by_client(CLIENT).access_token == "t"


class TestIncompleteResponses:
    def test_truncated_response_is_retried(self, api: bluejeans.AuthenticationApi, server: RecordingServer) -> None:
        cut = http_response(body=b'{"access_token": "t"}', Content_Length="99", Connection="close")
        server.respond_with(cut, http_response(GRANT))
        assert api.get_token_by_client(CLIENT).expires_in == 3600

    def test_truncated_responses_raise_after_the_last_attempt(
        self, api: bluejeans.AuthenticationApi, server: RecordingServer
    ) -> None:
        server.respond_with(http_response(body=b'{"access_token": "t"}', Content_Length="99", Connection="close"))
        error = failure(api)
        assert (type(error), error.status, error.attempts) == (bluejeans.ApiResponseError, 200, 3)
        assert error.reason == "the response is truncated"

    def test_response_may_end_with_the_connection(
        self, api: bluejeans.AuthenticationApi, server: RecordingServer
    ) -> None:
        server.respond_with(b'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{"access_token": "t"}')
        assert api.get_token_by_client(CLIENT).access_token == "t"

    def test_response_over_max_response_bytes_is_an_error(
        self, api: bluejeans.AuthenticationApi, server: RecordingServer
    ) -> None:
        api.api_client.configuration.max_response_bytes = 10
        server.respond_with(http_response(GRANT))
        error = failure(api)
        assert (type(error), error.body) == (bluejeans.ApiResponseError, '{"access_t')
        assert "Configuration.max_response_bytes (10)" in str(error)

    def test_compressed_response_over_the_limit_is_an_error(
        self, api: bluejeans.AuthenticationApi, server: RecordingServer
    ) -> None:
        server.respond_with(http_response(body=gzip.compress(b" " * (1 << 24)), Content_Encoding="gzip"))
        assert "max_response_bytes" in str(failure(api))

    def test_gzip_response_is_decompressed(self, api: bluejeans.AuthenticationApi, server: RecordingServer) -> None:
        server.respond_with(http_response(body=gzip.compress(b'{"access_token": "t"}'), Content_Encoding="gzip"))
        assert api.get_token_by_client(CLIENT).access_token == "t"

    @pytest.mark.parametrize(
        ("body", "encoding"),
        [(b"no gzip", "gzip"), (gzip.compress(b'{"access_token": "t"}')[:-9], "gzip"), (b"x", "br")],
        ids=["no gzip", "cut", "unknown"],
    )
    def test_invalid_content_encoding_is_an_error(
        self, api: bluejeans.AuthenticationApi, server: RecordingServer, body: bytes, encoding: str
    ) -> None:
        server.respond_with(http_response(body=body, Content_Encoding=encoding))
        assert isinstance(failure(api), bluejeans.ApiResponseError)

    def test_invalid_http_response_is_a_connection_error(
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
