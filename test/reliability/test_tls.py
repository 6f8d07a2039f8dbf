"""Rows 25 to 28: TLS, untrusted certificates and client certificates."""

from __future__ import annotations

import datetime
import ssl
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme

from support.caller_process import GRANT, Outcome
from support.recording_server import RecordingServer, http_response

Call = Callable[..., Outcome]
AGES_AGO = datetime.datetime(2001, 1, 1, tzinfo=datetime.timezone.utc)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def trusted(authority: trustme.CA, tmp_path: Path) -> str:
    """Write the certificate of the CA to a file, and return its path."""
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    return str(tmp_path / "authority.pem")


@contextmanager
def serving(certificate: Any, **settings: Any) -> Iterator[RecordingServer]:
    """Run a server with this certificate.

    settings: attributes of its SSLContext.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # about TLS 1.1, which one test needs
        for name, value in settings.items():
            setattr(context, name, value)
    with RecordingServer([http_response(GRANT)], tls=context) as server:
        yield server


@pytest.mark.fault(25, "a private CA in a file or a folder", "it is trusted if `ssl_ca_cert` is set")
@pytest.mark.parametrize("kind", ["file", "folder"])
def test_ca_in_ssl_ca_cert_is_trusted(call: Call, authority: trustme.CA, trusted: str, kind: str) -> None:
    if kind == "folder":
        folder = Path(trusted).with_name("authorities")
        folder.mkdir()
        # OpenSSL finds a certificate in a folder by a hash of its subject.
        (folder / f"{subject_hash(authority)}.0").write_bytes(authority.cert_pem.bytes())
        trusted = str(folder)
    with serving(authority.issue_cert("127.0.0.1")) as server:
        assert call(server.url, ssl_ca_cert=trusted).data["expires_in"] == 3600


def subject_hash(authority: trustme.CA) -> str:
    import subprocess

    command = ["openssl", "x509", "-noout", "-subject_hash"]
    return (
        subprocess.run(command, input=authority.cert_pem.bytes(), capture_output=True, check=True)
        .stdout.decode()
        .strip()
    )


class TestCertificates:
    """An untrusted certificate causes one handshake, no retry, and an error that suggests a fix."""

    def refused(self, call: Call, certificate: Any, host: str = "127.0.0.1", **settings: Any) -> str:
        with serving(certificate) as server:
            outcome = call(f"https://{host}:{server.port}", **settings)
            assert (server.connections, outcome.attempts, outcome.retryable, outcome.status) == (1, 1, False, 0)
            assert f"no trusted TLS connection to {host}:{server.port}" in outcome.text
            return outcome.text

    @pytest.mark.fault(25, "a certificate of an untrusted CA", "the error suggests `ssl_ca_cert`", "ApiTLSError")
    def test_certificate_of_an_untrusted_ca_is_refused(self, call: Call, authority: trustme.CA) -> None:
        text = self.refused(call, authority.issue_cert("127.0.0.1"))
        assert "(unable to get local issuer certificate)" in text
        assert "Configuration.ssl_ca_cert" in text

    @pytest.mark.fault(25, "a self-signed certificate", "the error suggests `ssl_ca_cert`", "ApiTLSError")
    def test_self_signed_certificate_is_refused(self, call: Call) -> None:
        class SelfSigned(trustme.CA):
            def configure_cert(self, context: ssl.SSLContext) -> None:
                with self.private_key_pem.tempfile() as key, self.cert_pem.tempfile() as certificate:
                    context.load_cert_chain(certificate, key)

        text = self.refused(call, SelfSigned())
        assert "self" in text
        assert "signed certificate" in text
        assert "Configuration.ssl_ca_cert" in text

    @pytest.mark.fault(25, "an expired certificate", "the error says that the server must renew it", "ApiTLSError")
    def test_expired_certificate_is_refused(self, call: Call, authority: trustme.CA, trusted: str) -> None:
        text = self.refused(call, authority.issue_cert("127.0.0.1", not_after=AGES_AGO), ssl_ca_cert=trusted)
        assert "(certificate has expired)" in text
        assert "renew its certificate" in text
        assert "ssl_ca_cert" not in text

    @pytest.mark.fault(25, "a host name mismatch", "the error says to check `host`", "ApiTLSError")
    @pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
    def test_certificate_for_another_host_is_refused(
        self, call: Call, authority: trustme.CA, trusted: str, host: str
    ) -> None:
        text = self.refused(call, authority.issue_cert("other.example"), host, ssl_ca_cert=trusted)
        assert "mismatch" in text
        assert "Check Configuration.host" in text
        assert "ssl_ca_cert" not in text


@pytest.mark.fault(26, "a server that supports TLS 1.1 at most", "an error after one handshake", "ApiTLSError")
def test_server_without_tls_1_2_is_refused(call: Call, authority: trustme.CA, trusted: str) -> None:
    with serving(authority.issue_cert("127.0.0.1"), maximum_version=ssl.TLSVersion.TLSv1_1) as server:
        outcome = call(server.url, ssl_ca_cert=trusted)
        assert "TLS 1.2 or newer" in outcome.text
        assert server.connections == 1


@pytest.mark.fault(
    26, "an `https://` URL with a plain HTTP port", "the error says that the port does not support TLS", "ApiTLSError"
)
def test_https_to_a_plain_http_port_reports_missing_tls(call: Call) -> None:
    def misunderstand(connection: Any) -> None:
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with RecordingServer([misunderstand], accept_invalid_http=True) as server:
        outcome = call(server.url.replace("http:", "https:"))
        assert "The server does not support TLS on this port" in outcome.text


@pytest.mark.fault(26, "an `http://` URL with a TLS port", "an error after all attempts", "ApiConnectionError")
def test_plain_http_to_a_tls_port_raises_a_connection_error(call: Call, authority: trustme.CA) -> None:
    with serving(authority.issue_cert("127.0.0.1")) as server:
        outcome = call(server.url.replace("https:", "http:"), max_attempts=2)
        assert "lost the connection" in outcome.text


@pytest.mark.fault(27, "`verify_ssl=False`", "any certificate is accepted, with one warning")
def test_verify_ssl_false_accepts_any_certificate_with_one_warning(call: Call, authority: trustme.CA) -> None:
    with serving(authority.issue_cert("other.example")) as server:
        server.respond_with(http_response(GRANT, Connection="close"))
        outcome = call(server.url, verify_ssl=False, calls=[{"operation": "get_token_by_client"}] * 3)
        assert outcome.output.count("Warning: ") == 1
        assert "Configuration.verify_ssl is False" in outcome.output
        assert server.connections == 3


@pytest.mark.fault(27, "`verify_ssl=False` on one client", "other clients verify certificates", "ApiTLSError")
def test_verify_ssl_false_does_not_affect_other_clients(call: Call, authority: trustme.CA) -> None:
    with serving(authority.issue_cert("127.0.0.1")) as server:
        other = {"operation": "get_token_by_client", "settings": {"host": server.url}}
        call(server.url, verify_ssl=False, calls=[{"operation": "get_token_by_client"}, other])
        assert len(server.requests) == 1


class TestClientCertificates:
    @pytest.fixture
    def server(self, authority: trustme.CA) -> Iterator[RecordingServer]:
        certificate = authority.issue_cert("127.0.0.1")
        with serving(certificate, verify_mode=ssl.CERT_REQUIRED) as server:
            assert server.tls is not None
            authority.configure_trust(server.tls)
            yield server

    @pytest.mark.fault(28, "the service requires a client certificate", "`cert_file` and `key_file` are used")
    @pytest.mark.parametrize("together", [True, False], ids=["in one file", "in two files"])
    def test_client_certificate_is_sent_if_requested(
        self, call: Call, server: RecordingServer, authority: trustme.CA, trusted: str, tmp_path: Path, together: bool
    ) -> None:
        client_certificate = authority.issue_cert("client@example.com")
        both, key = tmp_path / "client.pem", tmp_path / "client-key.pem"
        client_certificate.private_key_and_cert_chain_pem.write_to_path(str(both))
        client_certificate.private_key_pem.write_to_path(str(key))
        outcome = call(server.url, ssl_ca_cert=trusted, cert_file=str(both), key_file=None if together else str(key))
        assert outcome.data["expires_in"] == 3600

    @pytest.mark.fault(
        28, "no client certificate, although the service requires one", "the error suggests `cert_file`", "ApiTLSError"
    )
    def test_missing_client_certificate_is_explained_in_the_error(
        self, call: Call, server: RecordingServer, trusted: str
    ) -> None:
        outcome = call(server.url, ssl_ca_cert=trusted)
        assert "Configuration.cert_file and key_file" in outcome.text
        assert (outcome.attempts, len(server.requests)) == (1, 0)
