"""The connections below urllib3: TLS, and what logs and debug output of other packages see of a request."""

from __future__ import annotations

import http.client
import logging
import queue
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

import BlueJeansMeetingsRestApi as bluejeans
from BlueJeansMeetingsRestApi.transport import Service
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
    def test_an_authority_of_ones_own_is_trusted(self, configuration: bluejeans.Configuration) -> None:
        assert user(configuration) == 1

    def test_others_are_not(self, configuration: bluejeans.Configuration) -> None:
        configuration.ssl_ca_cert = None
        with pytest.raises(bluejeans.ApiTLSError):
            user(configuration)

    def test_nor_is_another_name(self, configuration: bluejeans.Configuration, secure: RecordingServer) -> None:
        configuration.host = f"https://localhost:{secure.port}"
        with pytest.raises(bluejeans.ApiTLSError):
            user(configuration)

    def test_but_for_one_that_is_named(self, configuration: bluejeans.Configuration, secure: RecordingServer) -> None:
        configuration.host = f"https://localhost:{secure.port}"
        configuration.assert_hostname = "127.0.0.1"
        assert user(configuration) == 1

    @pytest.mark.filterwarnings("ignore:Configuration.verify_ssl is False")
    def test_checking_can_be_switched_off_for_one_client(self, configuration: bluejeans.Configuration) -> None:
        configuration.ssl_ca_cert = None
        configuration.verify_ssl = False
        assert user(configuration) == 1
        configuration.verify_ssl = True
        with pytest.raises(bluejeans.ApiTLSError):
            user(configuration)

    def test_a_client_certificate_is_shown(
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
    def test_a_file_without_a_certificate_is_named(
        self, configuration: bluejeans.Configuration, tmp_path: Path, name: str
    ) -> None:
        (tmp_path / "bad.pem").write_text("no certificate")
        setattr(configuration, name, str(tmp_path / "bad.pem"))
        with pytest.raises(ValueError, match=f"Configuration.{name} .*bad.pem"):
            user(configuration)

    def test_tls_1_2_is_the_least(self) -> None:
        assert context_of(bluejeans.Configuration()).minimum_version == ssl.TLSVersion.TLSv1_2

    def test_clients_without_settings_of_their_own_share_what_takes_long_to_load(self) -> None:
        assert context_of(bluejeans.Configuration()) is context_of(bluejeans.Configuration())


def context_of(configuration: bluejeans.Configuration) -> ssl.SSLContext:
    context: ssl.SSLContext = Service(configuration, configuration.base_url, 1).pool.conn_kw["ssl_context"].context
    return context


class TestSecrets:
    def test_a_token_in_the_query_reaches_the_service_and_no_log(
        self, configuration: bluejeans.Configuration, secure: RecordingServer, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        user(configuration)
        assert secure.requests[0].target == "/oauth2/tokenInfo?access_token=canary"
        assert any(record.name.startswith("urllib3") for record in caplog.records)
        assert "canary" not in caplog.text

    def test_nor_does_one_in_the_path_that_a_caller_wrote(
        self, configuration: bluejeans.Configuration, secure: RecordingServer, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        with bluejeans.ApiClient(configuration) as client:
            client.call_api("/x?access_token=canary", "GET")
        assert secure.requests[0].target == "/x?access_token=canary"
        assert "canary" not in caplog.text

    def test_the_debug_output_of_http_client_does_not_show_our_requests(
        self,
        configuration: bluejeans.Configuration,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        monkeypatch.setattr(http.client.HTTPConnection, "debuglevel", 1)
        user(configuration)
        assert capsys.readouterr().out == ""


class TestBodies:
    """Each with ten bytes as the limit."""

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

    def answer(self, ending: str, body: bytes) -> bytes:
        ending = ending.format(len(body))
        content = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body) if "chunked" in ending else body
        return b"HTTP/1.1 200 OK\r\n%s\r\n\r\n%s" % (ending.encode(), content)

    @endings
    def test_may_be_as_long_as_the_limit(
        self, client: bluejeans.ApiClient, server: RecordingServer, ending: str
    ) -> None:
        server.respond_with(self.answer(ending, b"0123456789"))
        assert self.body(client) == "0123456789"

    @endings
    def test_may_be_no_longer(self, client: bluejeans.ApiClient, server: RecordingServer, ending: str) -> None:
        server.respond_with(self.answer(ending, b"0123456789a"))
        assert self.problem(client) == "the answer is longer than Configuration.max_response_bytes (10)"

    def test_are_cut_off_where_less_comes_than_was_promised_and_be_it_as_much_as_the_limit(
        self, client: bluejeans.ApiClient, server: RecordingServer
    ) -> None:
        server.respond_with(b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\nConnection: close\r\n\r\n0123456789")
        assert self.problem(client) == "the answer was cut off"

    @pytest.mark.parametrize(
        "answer",
        [
            b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ncut",
            b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\ncut",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nno length\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n" + 99 * b"x",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n63\r\n" + 99 * b"x",
        ],
        ids=["cut off", "not there", "cut off in a chunk", "no chunks", "too long", "too long in a chunk"],
    )
    def test_that_are_not_read_to_their_end_end_the_connection(
        self, client: bluejeans.ApiClient, server: RecordingServer, answer: bytes
    ) -> None:
        said = queue.Queue[bytes]()

        def half_close(connection: socket.socket) -> None:
            connection.sendall(answer)
            connection.shutdown(socket.SHUT_WR)
            said.put(connection.recv(1))

        server.respond_with(half_close)
        self.problem(client)
        assert said.get(timeout=5) == b""
