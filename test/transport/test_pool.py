"""The connections to a host: TLS, what logs contain of a request, and bodies of responses."""

from __future__ import annotations

import http.client
import logging
import queue
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

import BlueJeansMeetingsRestApi as bluejeans
from BlueJeansMeetingsRestApi.transport.pool import Pool
from BlueJeansMeetingsRestApi.transport.settings import ConnectionSettings
from support.recording_server import RecordingServer, http_response


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def secure(authority: trustme.CA) -> Iterator[RecordingServer]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with RecordingServer([http_response({"user": 1})], tls=context) as server:
        yield server


@pytest.fixture
def configuration(secure: RecordingServer, authority: trustme.CA, tmp_path: Path) -> bluejeans.Configuration:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    configuration = bluejeans.Configuration()
    configuration.host = secure.url
    configuration.ssl_ca_cert = str(tmp_path / "ca.pem")
    return configuration


def user(configuration: bluejeans.Configuration) -> object:
    with bluejeans.AuthenticationApi(bluejeans.ApiClient(configuration)) as api:
        return api.get_token_info(access_token="canary").user


class TestTLS:
    def test_ca_of_the_settings_is_trusted(self, configuration: bluejeans.Configuration) -> None:
        assert user(configuration) == 1

    def test_ca_that_is_not_in_the_settings_is_refused(self, configuration: bluejeans.Configuration) -> None:
        configuration.ssl_ca_cert = None
        with pytest.raises(bluejeans.ApiTLSError):
            user(configuration)

    def test_host_name_mismatch_is_refused(
        self, configuration: bluejeans.Configuration, secure: RecordingServer
    ) -> None:
        configuration.host = f"https://localhost:{secure.port}"
        with pytest.raises(bluejeans.ApiTLSError):
            user(configuration)

    def test_assert_hostname_overrides_the_name_in_the_url(
        self, configuration: bluejeans.Configuration, secure: RecordingServer
    ) -> None:
        configuration.host = f"https://localhost:{secure.port}"
        configuration.assert_hostname = "127.0.0.1"
        assert user(configuration) == 1

    @pytest.mark.filterwarnings("ignore:Configuration.verify_ssl is False")
    def test_verification_can_be_disabled_and_enabled_again(self, configuration: bluejeans.Configuration) -> None:
        configuration.ssl_ca_cert = None
        configuration.verify_ssl = False
        assert user(configuration) == 1
        configuration.verify_ssl = True
        with pytest.raises(bluejeans.ApiTLSError):
            user(configuration)

    def test_client_certificate_is_sent(
        self, configuration: bluejeans.Configuration, secure: RecordingServer, authority: trustme.CA, tmp_path: Path
    ) -> None:
        assert secure.tls is not None
        secure.tls.verify_mode = ssl.CERT_REQUIRED
        authority.configure_trust(secure.tls)
        mine = authority.issue_cert("client@example.com")
        mine.private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "client.pem"))
        configuration.cert_file = str(tmp_path / "client.pem")
        assert user(configuration) == 1

    @pytest.mark.parametrize("name", ["ssl_ca_cert", "cert_file"])
    def test_file_without_a_certificate_is_an_error_with_its_name(
        self, configuration: bluejeans.Configuration, tmp_path: Path, name: str
    ) -> None:
        (tmp_path / "bad.pem").write_text("no certificate")
        setattr(configuration, name, str(tmp_path / "bad.pem"))
        with pytest.raises(ValueError, match=f"Configuration.{name} .*bad.pem"):
            user(configuration)

    def test_minimum_version_is_tls_1_2(self) -> None:
        assert context_of().minimum_version == ssl.TLSVersion.TLSv1_2

    def test_clients_with_default_settings_share_the_tls_context(self) -> None:
        assert context_of() is context_of()


def context_of() -> ssl.SSLContext:
    """Return the TLS context of a client with default settings."""
    pool: Any = Pool(ConnectionSettings(trust_env=False), "https://a.example", 1)._pool
    context: ssl.SSLContext = pool.conn_kw["ssl_context"].context
    return context


class TestSecrets:
    def test_token_in_the_query_is_sent_and_not_logged(
        self, configuration: bluejeans.Configuration, secure: RecordingServer, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        user(configuration)
        assert secure.requests[0].target == "/oauth2/tokenInfo?access_token=canary"
        assert any(record.name.startswith("urllib3") for record in caplog.records)
        assert "canary" not in caplog.text

    def test_query_in_the_path_of_the_caller_is_not_logged(
        self, configuration: bluejeans.Configuration, secure: RecordingServer, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        with bluejeans.ApiClient(configuration) as client:
            client.call_api("/x?access_token=canary", "GET")
        assert secure.requests[0].target == "/x?access_token=canary"
        assert "canary" not in caplog.text

    def test_debug_output_of_http_client_does_not_contain_requests(
        self,
        configuration: bluejeans.Configuration,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        monkeypatch.setattr(http.client.HTTPConnection, "debuglevel", 1)
        user(configuration)
        assert capsys.readouterr().out == ""


class TestBodies:
    """Bodies with a limit of ten bytes."""

    @pytest.fixture
    def server(self) -> Iterator[RecordingServer]:
        with RecordingServer() as server:
            yield server

    @pytest.fixture
    def client(self, server: RecordingServer) -> Iterator[bluejeans.ApiClient]:
        configuration = bluejeans.Configuration()
        configuration.host, configuration.max_response_bytes, configuration.max_attempts = server.url, 10, 1
        with bluejeans.ApiClient(configuration) as client:
            yield client

    def body(self, client: bluejeans.ApiClient) -> str:
        client.call_api("/", "GET")
        return str(client.last_response.data)

    def problem(self, client: bluejeans.ApiClient) -> str:
        with pytest.raises(bluejeans.ApiResponseError) as caught:
            client.call_api("/", "GET")
        return str(caught.value.reason)

    endings = pytest.mark.parametrize(
        "ending", ["Content-Length: {}", "Transfer-Encoding: chunked", "Connection: close"]
    )

    def response(self, ending: str, body: bytes) -> bytes:
        ending = ending.format(len(body))
        content = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body) if "chunked" in ending else body
        return b"HTTP/1.1 200 OK\r\n%s\r\n\r\n%s" % (ending.encode(), content)

    @endings
    def test_body_as_long_as_the_limit_is_returned(
        self, client: bluejeans.ApiClient, server: RecordingServer, ending: str
    ) -> None:
        server.respond_with(self.response(ending, b"0123456789"))
        assert self.body(client) == "0123456789"

    @endings
    def test_body_longer_than_the_limit_is_an_error(
        self, client: bluejeans.ApiClient, server: RecordingServer, ending: str
    ) -> None:
        server.respond_with(self.response(ending, b"0123456789a"))
        assert self.problem(client) == "the response is longer than Configuration.max_response_bytes (10)"

    def test_truncated_body_at_the_size_limit_is_reported_as_truncated(
        self, client: bluejeans.ApiClient, server: RecordingServer
    ) -> None:
        server.respond_with(b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\nConnection: close\r\n\r\n0123456789")
        assert self.problem(client) == "the response is truncated"

    @pytest.mark.parametrize(
        "response",
        [
            b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ncut",
            b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\ncut",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nno length\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n" + 99 * b"x",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n63\r\n" + 99 * b"x",
        ],
        ids=["truncated", "missing", "truncated in a chunk", "no chunks", "too long", "too long in a chunk"],
    )
    def test_body_that_is_not_read_to_its_end_closes_the_connection(
        self, client: bluejeans.ApiClient, server: RecordingServer, response: bytes
    ) -> None:
        said = queue.Queue[bytes]()

        def half_close(connection: socket.socket) -> None:
            connection.sendall(response)
            connection.shutdown(socket.SHUT_WR)
            said.put(connection.recv(1))

        server.respond_with(half_close)
        self.problem(client)
        assert said.get(timeout=5) == b""


class TestPublicApiOfUrllib3:
    """The arguments of `urlopen`, which other packages instrument."""

    @pytest.fixture
    def seen(self, monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, dict[str, Any]]]:
        """The arguments of each call of urlopen."""
        import urllib3

        seen = []
        urlopen = urllib3.HTTPConnectionPool.urlopen

        def record(self: Any, *args: Any, **options: Any) -> Any:
            seen.append((args, dict(options)))
            return urlopen(self, *args, **options)

        monkeypatch.setattr(urllib3.HTTPConnectionPool, "urlopen", record)
        return seen

    def call(self, client: bluejeans.ApiClient) -> None:
        client.call_api(
            "/x",
            "POST",
            query_params={"access_token": "canary-query"},
            header_params={"Authorization": "Bearer canary-header", "X-Key": "canary-key", "User-Agent": "me"},
            body={"client_secret": "canary-body"},
        )

    def test_urlopen_sees_the_body_and_no_other_secret(self, seen: list[Any]) -> None:
        configuration = bluejeans.Configuration()
        with RecordingServer([http_response()]) as server, bluejeans.ApiClient(configuration) as client:
            configuration.host = server.url
            self.call(client)
            sent = server.requests[0]
        ((args, options),) = seen
        assert args == ("POST", "/x")
        body = options.pop("body")
        assert (bytes(body), body == sent.body) == (b'{"client_secret": "canary-body"}', True)
        assert "canary" not in f"{args} {options} {body} {body!r}"
        assert options["headers"]["User-Agent"] == sent.headers["user-agent"]
        assert (sent.target, sent.headers["x-key"]) == ("/x?access_token=canary-query", "canary-key")

    def test_urlopen_sees_the_url_of_the_service_behind_a_proxy(self, seen: list[Any]) -> None:
        configuration = bluejeans.Configuration()
        with RecordingServer([http_response()]) as proxy, bluejeans.ApiClient(configuration) as client:
            configuration.host = "http://127.0.0.1:9"
            configuration.proxy = proxy.url.replace("//", "//user:canary-password@")
            self.call(client)
            sent = proxy.requests[0]
        ((args, options),) = seen
        assert args == ("POST", "http://127.0.0.1:9/x")
        assert "canary" not in f"{args} {options}"
        assert sent.target == "http://127.0.0.1:9/x?access_token=canary-query"
        assert sent.headers["proxy-authorization"].startswith("Basic ")

    @pytest.mark.parametrize(
        ("added", "sent"),
        [
            ({"traceparent": "00-1-2-01"}, {"traceparent": "00-1-2-01", "accept-encoding": "identity"}),
            ({"User-Agent": "traced"}, {"user-agent": "traced"}),
            ({"Content-Length": "1", "Transfer-Encoding": "chunked"}, {"content-length": "32"}),
        ],
        ids=["added", "changed", "framing"],
    )
    def test_headers_that_instrumentation_adds_are_sent(
        self, monkeypatch: pytest.MonkeyPatch, added: dict[str, str], sent: dict[str, str]
    ) -> None:
        import urllib3

        urlopen = urllib3.HTTPConnectionPool.urlopen

        def inject(self: Any, *args: Any, **options: Any) -> Any:
            options["headers"].update(added)
            return urlopen(self, *args, **options)

        monkeypatch.setattr(urllib3.HTTPConnectionPool, "urlopen", inject)
        configuration = bluejeans.Configuration()
        with RecordingServer([http_response()]) as server, bluejeans.ApiClient(configuration) as client:
            configuration.host = server.url
            self.call(client)
            headers = server.requests[0].headers
        assert {name: headers[name] for name in sent} == sent
        assert "transfer-encoding" not in headers
        assert headers["authorization"] == "Bearer canary-header"

    def test_header_with_a_line_feed_that_instrumentation_adds_is_refused(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import urllib3

        urlopen = urllib3.HTTPConnectionPool.urlopen

        def inject(self: Any, *args: Any, **options: Any) -> Any:
            options["headers"]["baggage"] = "a\r\nX: y"
            return urlopen(self, *args, **options)

        monkeypatch.setattr(urllib3.HTTPConnectionPool, "urlopen", inject)
        configuration = bluejeans.Configuration()
        with RecordingServer([http_response()]) as server, bluejeans.ApiClient(configuration) as client:
            configuration.host = server.url
            with pytest.raises(ValueError, match="'baggage'"):
                self.call(client)
            assert server.requests == []
