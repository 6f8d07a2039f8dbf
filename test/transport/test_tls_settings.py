"""TLS settings: encrypted client keys, the user's own SSLContext, and the host name of an HTTPS proxy."""

from __future__ import annotations

import contextlib
import copy
import logging
import os
import pickle
import select
import socket
import ssl
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography.hazmat.primitives import serialization

import BlueJeansMeetingsRestApi as bluejeans
from support.recording_server import RecordingServer, http_response

PASSWORD = "canary-key-password"
PROXY_PASSWORD = "canary-proxy-password"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def ca_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("authority") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


@contextlib.contextmanager
def tls_server(authority: trustme.CA, *names: str, client_certificate: bool = False) -> Iterator[RecordingServer]:
    """A server with a certificate for these names. It may require a certificate of the client."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    if client_certificate:
        context.verify_mode = ssl.CERT_REQUIRED
        authority.configure_trust(context)
    with RecordingServer([http_response({"user": 1})], tls=context) as server:
        yield server


def configured(host: str, **settings: Any) -> bluejeans.Configuration:
    configuration = bluejeans.Configuration()
    configuration.host, configuration.max_attempts, configuration.trust_env = host, 1, False
    for name, value in settings.items():
        setattr(configuration, name, value)
    return configuration


def user(configuration: bluejeans.Configuration) -> object:
    with bluejeans.AuthenticationApi(bluejeans.ApiClient(configuration)) as api:
        return api.get_token_info(access_token="canary").user


def tunnel_to(port: int) -> Callable[[Any], None]:
    """Respond to CONNECT and relay the bytes of both sides."""

    def respond(connection: Any) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        with socket.create_connection(("127.0.0.1", port)) as upstream:
            while True:
                ready = [connection] if connection.pending() else select.select([connection, upstream], [], [])[0]
                for source in ready:
                    received = source.recv(1 << 16)
                    if not received:
                        return
                    (upstream if source is connection else connection).sendall(received)

    return respond


class TestHttpsProxies:
    @pytest.fixture
    def secure(self, authority: trustme.CA) -> Iterator[RecordingServer]:
        with tls_server(authority, "127.0.0.1") as server:
            yield server

    def host(self, scheme: str, secure: RecordingServer) -> str:
        return secure.url if scheme == "https" else "http://127.0.0.1:9"

    def proxy_url(self, name: str, proxy: RecordingServer) -> str:
        return f"https://user:{PROXY_PASSWORD}@{name}:{proxy.port}"

    @pytest.mark.parametrize("scheme", ["https", "http"])
    @pytest.mark.parametrize("own_context", [False, True], ids=["ssl_ca_cert", "ssl_context"])
    @pytest.mark.parametrize("assert_hostname", [None, "other.example", False])
    @pytest.mark.parametrize(
        ("name", "certificate"),
        [("localhost", "other.example"), ("127.0.0.1", "localhost"), ("127.0.0.1", "127.0.0.2")],
    )
    def test_proxy_with_another_hosts_certificate_receives_nothing(
        self,
        authority: trustme.CA,
        ca_file: str,
        secure: RecordingServer,
        scheme: str,
        own_context: bool,
        assert_hostname: Any,
        name: str,
        certificate: str,
    ) -> None:
        trust = {"ssl_context": ssl.create_default_context(cafile=ca_file)} if own_context else {"ssl_ca_cert": ca_file}
        with tls_server(authority, certificate) as proxy:
            settings = configured(self.host(scheme, secure), proxy=self.proxy_url(name, proxy), **trust)
            settings.assert_hostname = assert_hostname
            with pytest.raises(bluejeans.ApiProxyError, match="certificate is not valid for|mismatch") as caught:
                user(settings)
            assert (proxy.requests, proxy.connections, caught.value.retryable) == ([], 1, False)
        assert PROXY_PASSWORD not in "".join(traceback.format_exception(caught.type, caught.value, caught.tb))

    @pytest.mark.parametrize("own_context", [False, True], ids=["ssl_ca_cert", "ssl_context"])
    @pytest.mark.parametrize("name", ["localhost", "127.0.0.1"])
    def test_tunnel_through_a_proxy_whose_certificate_matches(
        self, authority: trustme.CA, ca_file: str, secure: RecordingServer, own_context: bool, name: str
    ) -> None:
        trust = {"ssl_context": ssl.create_default_context(cafile=ca_file)} if own_context else {"ssl_ca_cert": ca_file}
        with tls_server(authority, name) as proxy:
            proxy.respond_with(tunnel_to(secure.port))
            assert user(configured(secure.url, proxy=self.proxy_url(name, proxy), **trust)) == 1
            assert [request.method for request in proxy.requests] == ["CONNECT"]
        assert "proxy-authorization" not in secure.requests[0].headers

    @pytest.mark.parametrize("own_context", [False, True], ids=["ssl_ca_cert", "ssl_context"])
    @pytest.mark.parametrize("name", ["localhost", "127.0.0.1"])
    def test_forwarding_by_a_proxy_whose_certificate_matches(
        self, authority: trustme.CA, ca_file: str, own_context: bool, name: str
    ) -> None:
        trust = {"ssl_context": ssl.create_default_context(cafile=ca_file)} if own_context else {"ssl_ca_cert": ca_file}
        with tls_server(authority, name) as proxy:
            assert user(configured("http://127.0.0.1:9", proxy=self.proxy_url(name, proxy), **trust)) == 1

    def test_assert_hostname_applies_to_the_service_behind_a_proxy(
        self, authority: trustme.CA, ca_file: str, secure: RecordingServer
    ) -> None:
        with tls_server(authority, "localhost") as proxy:
            proxy.respond_with(tunnel_to(secure.port))
            settings = configured(f"https://localhost:{secure.port}", proxy=self.proxy_url("localhost", proxy))
            settings.ssl_ca_cert, settings.assert_hostname = ca_file, "127.0.0.1"
            assert user(settings) == 1

    @pytest.mark.filterwarnings("ignore:Configuration.verify_ssl is False")
    @pytest.mark.parametrize("scheme", ["https", "http"])
    def test_verify_ssl_false_accepts_any_proxy_certificate(
        self, authority: trustme.CA, secure: RecordingServer, scheme: str
    ) -> None:
        with tls_server(authority, "other.example") as proxy:
            if scheme == "https":
                proxy.respond_with(tunnel_to(secure.port))
            settings = configured(self.host(scheme, secure), proxy=self.proxy_url("localhost", proxy))
            settings.verify_ssl = False
            assert user(settings) == 1

    def test_untrusted_certificate_of_the_service_is_not_an_error_of_the_proxy(
        self, authority: trustme.CA, ca_file: str
    ) -> None:
        with tls_server(authority, "localhost") as proxy, tls_server(authority, "other.example") as service:
            proxy.respond_with(tunnel_to(service.port))
            settings = configured(service.url, proxy=self.proxy_url("localhost", proxy), ssl_ca_cert=ca_file)
            with pytest.raises(bluejeans.ApiTLSError, match="no trusted TLS"):
                user(settings)


class TestKeyPassword:
    @pytest.fixture
    def server(self, authority: trustme.CA) -> Iterator[RecordingServer]:
        with tls_server(authority, "127.0.0.1", client_certificate=True) as server:
            yield server

    @pytest.fixture(params=["PKCS8", "TraditionalOpenSSL"])
    def key(self, request: pytest.FixtureRequest, client: trustme.LeafCert) -> bytes:
        """The client's encrypted private key in PEM."""
        key: Any = serialization.load_pem_private_key(client.private_key_pem.bytes(), None)
        encryption = serialization.BestAvailableEncryption(PASSWORD.encode())
        form = getattr(serialization.PrivateFormat, request.param)
        encrypted: bytes = key.private_bytes(serialization.Encoding.PEM, form, encryption)
        return encrypted

    @pytest.fixture
    def client(self, authority: trustme.CA) -> trustme.LeafCert:
        return authority.issue_cert("client@example.com")

    @pytest.fixture
    def settings(
        self, server: RecordingServer, ca_file: str, client: trustme.LeafCert, key: bytes, tmp_path: Path
    ) -> bluejeans.Configuration:
        (tmp_path / "key.pem").write_bytes(key)
        client.cert_chain_pems[0].write_to_path(str(tmp_path / "cert.pem"))
        settings = configured(server.url, ssl_ca_cert=ca_file)
        settings.cert_file, settings.key_file = str(tmp_path / "cert.pem"), str(tmp_path / "key.pem")
        return settings

    @pytest.mark.parametrize("password", [PASSWORD, PASSWORD.encode()], ids=["str", "bytes"])
    def test_encrypted_key_is_loaded_with_its_password(
        self, settings: bluejeans.Configuration, password: str | bytes
    ) -> None:
        settings.key_password = password
        assert user(settings) == 1

    def test_encrypted_key_in_the_file_of_the_certificate_is_loaded(
        self, settings: bluejeans.Configuration, client: trustme.LeafCert, key: bytes, tmp_path: Path
    ) -> None:
        (tmp_path / "both.pem").write_bytes(key + client.cert_chain_pems[0].bytes())
        settings.cert_file, settings.key_file = str(tmp_path / "both.pem"), None
        with pytest.raises(ValueError, match=r"Configuration.cert_file '.*both.pem'.*Configuration.key_password"):
            user(settings)
        settings.key_password = PASSWORD
        assert user(settings) == 1

    @pytest.mark.parametrize("password", [None, "", b""])
    def test_missing_password_is_an_error_that_names_both_settings(
        self, settings: bluejeans.Configuration, server: RecordingServer, password: Any
    ) -> None:
        settings.key_password = password
        with pytest.raises(ValueError, match=r"Configuration\.key_file .*key\.pem.* is encrypted") as caught:
            user(settings)
        assert "Configuration.key_password" in str(caught.value)
        assert "Configuration.ssl_context" in str(caught.value)
        assert server.connections == 0

    @pytest.mark.parametrize(
        "wrong", [f"{PASSWORD}x", f"{PASSWORD}x".encode(), f"{PASSWORD}\udcff", PASSWORD * 100, "\0"]
    )
    def test_wrong_password_is_an_error_that_shows_no_password(
        self, settings: bluejeans.Configuration, caplog: pytest.LogCaptureFixture, wrong: Any
    ) -> None:
        caplog.set_level(logging.DEBUG)
        settings.key_password = wrong
        with pytest.raises(ValueError, match=r"key\.pem.*Configuration\.key_password is wrong") as caught:
            user(settings)
        shown = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
        ours = "".join(part for part in shown.split("  File ") if "BlueJeansMeetingsRestApi/" in part.split("\n")[0])
        link: BaseException | None = caught.value
        while link is not None:
            ours += f"{link} {vars(link)} {link.args!r}"
            link = link.__cause__ or link.__context__
        assert PASSWORD not in ours
        assert PASSWORD not in caplog.text

    def test_corrected_password_is_used_by_the_next_call(self, settings: bluejeans.Configuration) -> None:
        settings.key_password = "wrong"
        with bluejeans.AuthenticationApi(bluejeans.ApiClient(settings)) as api:
            with pytest.raises(ValueError, match="key_password is wrong"):
                api.get_token_info(access_token="canary")
            settings.key_password = PASSWORD
            assert api.get_token_info(access_token="canary").user == 1

    def test_changed_password_opens_a_new_connection(
        self, settings: bluejeans.Configuration, server: RecordingServer
    ) -> None:
        settings.key_password = PASSWORD
        with bluejeans.AuthenticationApi(bluejeans.ApiClient(settings)) as api:
            api.get_token_info(access_token="canary")
            settings.key_password = PASSWORD.encode()
            api.get_token_info(access_token="canary")
        assert server.connections == 2

    def test_key_of_another_certificate_is_not_blamed_on_the_password(
        self, settings: bluejeans.Configuration, authority: trustme.CA, tmp_path: Path
    ) -> None:
        authority.issue_cert("other@example.com").cert_chain_pems[0].write_to_path(str(tmp_path / "cert.pem"))
        settings.key_password = PASSWORD
        with pytest.raises(ValueError, match="KEY_VALUES_MISMATCH"):
            user(settings)

    @pytest.mark.skipif(os.name == "nt", reason="needs a pseudo-terminal")
    def test_encrypted_key_does_not_prompt_on_a_terminal(self, settings: bluejeans.Configuration) -> None:
        from support.terminal import Terminal

        program = """if True:
            import sys
            import BlueJeansMeetingsRestApi as bluejeans
            configuration = bluejeans.Configuration()
            configuration.host, configuration.cert_file, configuration.key_file = sys.argv[1:]
            try:
                bluejeans.ApiClient(configuration).call_api("/x", "GET")
            except ValueError as error:
                print("raised", error)
        """
        arguments = ["-c", program, settings.host, str(settings.cert_file), str(settings.key_file)]
        terminal = Terminal(arguments, {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})
        try:
            assert terminal.wait_for("raised|pass phrase|PEM") == "raised"
            assert terminal.end() == 0
        finally:
            terminal.process.kill()
            terminal.process.wait()

    def test_key_password_is_in_no_text_and_in_no_pickle(self, settings: bluejeans.Configuration) -> None:
        settings.key_password = PASSWORD
        assert PASSWORD not in f"{settings} {settings!r} {settings.to_debug_report()} {bluejeans.ApiClient(settings)!r}"
        with pytest.raises(TypeError, match="key_password cannot be pickled") as caught:
            pickle.dumps(settings)
        assert PASSWORD not in str(caught.value)
        assert copy.copy(settings).key_password == copy.deepcopy(settings).key_password == PASSWORD

    @pytest.mark.parametrize("value", [1, True, lambda: PASSWORD, bytearray(b"canary")])
    def test_key_password_of_another_type_is_refused_without_its_value(self, value: Any) -> None:
        with pytest.raises(TypeError, match=r"Configuration\.key_password must be str or bytes, not \w+$") as caught:
            configured("https://a.example", key_password=value).check()
        assert "canary" not in str(caught.value)


class TestSSLContext:
    @pytest.fixture
    def context(self, ca_file: str) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=ca_file)

    @pytest.fixture
    def server(self, authority: trustme.CA) -> Iterator[RecordingServer]:
        with tls_server(authority, "127.0.0.1") as server:
            yield server

    def test_ssl_context_replaces_the_other_tls_settings(
        self, context: ssl.SSLContext, server: RecordingServer, tmp_path: Path
    ) -> None:
        (tmp_path / "bad.pem").write_text("not a certificate")
        settings = configured(server.url, ssl_context=context, assert_hostname="other.example", key_password="x")
        settings.ssl_ca_cert = settings.cert_file = settings.key_file = str(tmp_path / "bad.pem")
        assert user(settings) == 1

    @pytest.mark.parametrize(
        "setting", [{"verify_ssl": False}, {"assert_hostname": False}, {"assert_hostname": "127.0.0.1"}]
    )
    def test_other_settings_do_not_weaken_an_ssl_context(
        self, context: ssl.SSLContext, server: RecordingServer, setting: dict[str, Any]
    ) -> None:
        settings = configured(f"https://localhost:{server.port}", ssl_context=context, **setting)
        with pytest.raises(bluejeans.ApiTLSError, match="mismatch|not valid for"):
            user(settings)
        assert (context.check_hostname, context.verify_mode) == (True, ssl.CERT_REQUIRED)
        assert server.requests == []

    def test_ssl_context_that_does_not_trust_the_service_is_refused(self, server: RecordingServer) -> None:
        with pytest.raises(bluejeans.ApiTLSError, match="ssl_ca_cert|ssl_context"):
            user(configured(server.url, ssl_context=ssl.create_default_context(), verify_ssl=False))

    @pytest.mark.parametrize("verify_mode", [ssl.CERT_REQUIRED, ssl.CERT_NONE])
    def test_ssl_context_without_verification_is_obeyed_with_a_warning(
        self, context: ssl.SSLContext, server: RecordingServer, verify_mode: ssl.VerifyMode
    ) -> None:
        context.check_hostname, context.verify_mode = False, verify_mode
        with pytest.warns(Warning, match="ssl_context does not verify"):
            assert user(configured(f"https://localhost:{server.port}", ssl_context=context)) == 1

    def test_client_certificate_of_an_ssl_context_is_sent(self, authority: trustme.CA, context: ssl.SSLContext) -> None:
        authority.issue_cert("client@example.com").configure_cert(context)
        with tls_server(authority, "127.0.0.1", client_certificate=True) as server:
            assert user(configured(server.url, ssl_context=context)) == 1

    def test_replaced_ssl_context_opens_a_new_connection(
        self, context: ssl.SSLContext, ca_file: str, server: RecordingServer
    ) -> None:
        settings = configured(server.url, ssl_context=context)
        with bluejeans.AuthenticationApi(bluejeans.ApiClient(settings)) as api:
            for _ in range(2):
                api.get_token_info(access_token="canary")
            assert server.connections == 1
            settings.ssl_context = ssl.create_default_context(cafile=ca_file)
            api.get_token_info(access_token="canary")
            assert server.connections == 2
            settings.ssl_context = ssl.create_default_context()
            with pytest.raises(bluejeans.ApiTLSError):
                api.get_token_info(access_token="canary")

    @pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
    def test_copies_of_a_configuration_share_its_ssl_context(
        self, context: ssl.SSLContext, copied: Callable[[Any], Any]
    ) -> None:
        assert copied(configured("https://a.example", ssl_context=context)).ssl_context is context

    def test_configuration_with_an_ssl_context_cannot_be_pickled(self, context: ssl.SSLContext) -> None:
        with pytest.raises(TypeError, match="ssl_context cannot be pickled"):
            pickle.dumps(configured("https://a.example", ssl_context=context))

    @pytest.mark.parametrize("value", ["ca.pem", True, ssl.SSLContext])
    def test_ssl_context_of_another_type_is_refused(self, value: Any) -> None:
        with pytest.raises(TypeError, match=r"Configuration\.ssl_context must be an ssl\.SSLContext, not"):
            configured("https://a.example", ssl_context=value).check()

    def test_ssl_context_for_servers_is_refused(self) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with pytest.raises(ValueError, match=r"Configuration\.ssl_context is for servers"):
            configured("https://a.example", ssl_context=context).check()

    def test_assert_hostname_of_one_client_does_not_affect_others(
        self, ca_file: str, server: RecordingServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("certifi.where", lambda: ca_file)
        from BlueJeansMeetingsRestApi.transport import tls

        tls._shared_context.cache_clear()
        try:
            host = f"https://localhost:{server.port}"
            assert user(configured(host, assert_hostname="127.0.0.1")) == 1
            assert user(configured(server.url)) == 1
            with pytest.raises(bluejeans.ApiTLSError):
                user(configured(host))
        finally:
            tls._shared_context.cache_clear()
