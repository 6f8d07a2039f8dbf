"""Rows 25 to 28: the connection cannot be trusted."""

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
    """The file of an authority's certificate."""
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    return str(tmp_path / "authority.pem")


@contextmanager
def serving(certificate: Any, **settings: Any) -> Iterator[RecordingServer]:
    """A server with a certificate, and with `settings` of its SSLContext."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that TLS 1.1 is old is the point of one of them
        for name, value in settings.items():
            setattr(context, name, value)
    with RecordingServer([http_response(GRANT)], tls=context) as server:
        yield server


@pytest.mark.fault(25, "an authority of one's own, as a file or a folder", "trusted, where `ssl_ca_cert` names it")
@pytest.mark.parametrize("kind", ["file", "folder"])
def test_the_authority_is_named(call: Call, authority: trustme.CA, trusted: str, kind: str) -> None:
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
    """One handshake, no other try, and what to do."""

    def refused(self, call: Call, certificate: Any, host: str = "127.0.0.1", **settings: Any) -> str:
        with serving(certificate) as server:
            outcome = call(f"https://{host}:{server.port}", **settings)
            assert (server.connections, outcome.attempts, outcome.retryable, outcome.status) == (1, 1, False, 0)
            assert f"no trusted TLS connection to {host}:{server.port}" in outcome.text
            return outcome.text

    @pytest.mark.fault(25, "a certificate of an unknown authority", "names `ssl_ca_cert`", "ApiTLSError")
    def test_of_an_unknown_authority(self, call: Call, authority: trustme.CA) -> None:
        text = self.refused(call, authority.issue_cert("127.0.0.1"))
        assert "(unable to get local issuer certificate)" in text
        assert "Configuration.ssl_ca_cert" in text

    @pytest.mark.fault(25, "a self-signed certificate", "names `ssl_ca_cert`", "ApiTLSError")
    def test_self_signed(self, call: Call) -> None:
        class SelfSigned(trustme.CA):
            def configure_cert(self, context: ssl.SSLContext) -> None:
                with self.private_key_pem.tempfile() as key, self.cert_pem.tempfile() as certificate:
                    context.load_cert_chain(certificate, key)

        text = self.refused(call, SelfSigned())
        assert "self" in text
        assert "signed certificate" in text
        assert "Configuration.ssl_ca_cert" in text

    @pytest.mark.fault(25, "an expired certificate", "says so, and who can mend it", "ApiTLSError")
    def test_expired(self, call: Call, authority: trustme.CA, trusted: str) -> None:
        text = self.refused(call, authority.issue_cert("127.0.0.1", not_after=AGES_AGO), ssl_ca_cert=trusted)
        assert "(certificate has expired)" in text
        assert "renew its certificate" in text
        assert "ssl_ca_cert" not in text

    @pytest.mark.fault(25, "another host's certificate", "says so, and names `host`", "ApiTLSError")
    @pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
    def test_of_another_host(self, call: Call, authority: trustme.CA, trusted: str, host: str) -> None:
        text = self.refused(call, authority.issue_cert("other.example"), host, ssl_ca_cert=trusted)
        assert "mismatch" in text
        assert "Check Configuration.host" in text
        assert "ssl_ca_cert" not in text


@pytest.mark.fault(26, "a server that knows TLS 1.1 at most", "refused, in one handshake", "ApiTLSError")
def test_the_server_is_old(call: Call, authority: trustme.CA, trusted: str) -> None:
    with serving(authority.issue_cert("127.0.0.1"), maximum_version=ssl.TLSVersion.TLSv1_1) as server:
        outcome = call(server.url, ssl_ca_cert=trusted)
        assert "TLS 1.2 or newer" in outcome.text
        assert server.connections == 1


@pytest.mark.fault(26, "plain HTTP where TLS should be", "says that the port speaks no TLS", "ApiTLSError")
def test_the_port_speaks_no_tls(call: Call) -> None:
    def misunderstand(connection: Any) -> None:
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with RecordingServer([misunderstand], accept_invalid_http=True) as server:
        outcome = call(server.url.replace("http:", "https:"))
        assert "The server does not support TLS on this port" in outcome.text


@pytest.mark.fault(26, "TLS where plain HTTP should be", "no answer, after three tries", "ApiConnectionError")
def test_the_port_speaks_tls(call: Call, authority: trustme.CA) -> None:
    with serving(authority.issue_cert("127.0.0.1")) as server:
        outcome = call(server.url.replace("https:", "http:"), max_attempts=2)
        assert "lost the connection" in outcome.text


@pytest.mark.fault(27, "`verify_ssl=False`", "any certificate will do, with one warning")
def test_nothing_is_verified(call: Call, authority: trustme.CA) -> None:
    with serving(authority.issue_cert("other.example")) as server:
        server.respond_with(http_response(GRANT, Connection="close"))
        outcome = call(server.url, verify_ssl=False, calls=[{"operation": "get_token_by_client"}] * 3)
        assert outcome.output.count("Warning: ") == 1
        assert "Configuration.verify_ssl is False" in outcome.output
        assert server.connections == 3


@pytest.mark.fault(27, "`verify_ssl=False` on one client", "others verify as before", "ApiTLSError")
def test_nothing_is_verified_by_one_client(call: Call, authority: trustme.CA) -> None:
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

    @pytest.mark.fault(28, "the service asks for a client certificate", "`cert_file` and `key_file` are shown")
    @pytest.mark.parametrize("together", [True, False], ids=["in one file", "in two files"])
    def test_asked_for_and_given(
        self, call: Call, server: RecordingServer, authority: trustme.CA, trusted: str, tmp_path: Path, together: bool
    ) -> None:
        mine = authority.issue_cert("client@example.com")
        both, key = tmp_path / "client.pem", tmp_path / "client-key.pem"
        mine.private_key_and_cert_chain_pem.write_to_path(str(both))
        mine.private_key_pem.write_to_path(str(key))
        outcome = call(server.url, ssl_ca_cert=trusted, cert_file=str(both), key_file=None if together else str(key))
        assert outcome.data["expires_in"] == 3600

    @pytest.mark.fault(28, "a client certificate is asked for, and none is there", "names `cert_file`", "ApiTLSError")
    def test_asked_for_and_missing(self, call: Call, server: RecordingServer, trusted: str) -> None:
        outcome = call(server.url, ssl_ca_cert=trusted)
        assert "Configuration.cert_file and key_file" in outcome.text
        assert (outcome.attempts, len(server.requests)) == (1, 0)
