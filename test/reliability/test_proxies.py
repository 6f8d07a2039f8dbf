"""Row 29: calls through a proxy with a password, which is proxy.py."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
import trustme

from support.caller import SECRETS
from support.caller_process import GRANT, TIMEOUT, Outcome
from support.recording_server import RecordingServer, http_response, unused_port

Call = Callable[..., Outcome]
PASSWORD = SECRETS["proxy_password"]


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Run a proxy that requires a password, and return its port."""
    port_file = tmp_path_factory.mktemp("proxy") / "port"
    options = ["--hostname", "127.0.0.1", "--port", "0", "--port-file", str(port_file), "--num-workers", "1"]
    command = [sys.executable, "-m", "proxy", *options, "--num-acceptors", "1", "--basic-auth", f"a-user:{PASSWORD}"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        written = threading.Event()
        while not (port_file.exists() and port_file.read_text().strip()):
            assert process.poll() is None
            written.wait(0.02)
        yield int(port_file.read_text())
        process.terminate()
        process.wait(TIMEOUT)


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[RecordingServer]:
    """Run a server with TLS, and write the certificate of its CA to `authority.pem`."""
    import ssl

    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with RecordingServer([http_response(GRANT)], tls=context) as server:
        yield server


def url_of(port: int, password: str = PASSWORD) -> str:
    return f"http://a-user:{quote(password, '')}@127.0.0.1:{port}"


class TestThroughAProxy:
    @pytest.mark.fault(29, "a proxy that requires a password", "the call succeeds, over HTTPS and over HTTP")
    def test_https_request_is_tunneled_through_a_proxy_with_a_password(
        self, call: Call, proxy: int, secure: RecordingServer, tmp_path: Path
    ) -> None:
        outcome = call(secure.url, ssl_ca_cert=str(tmp_path / "authority.pem"), proxy=url_of(proxy))
        assert outcome.data["expires_in"] == 3600
        assert "proxy-authorization" not in secure.requests[0].headers

    @pytest.mark.fault(29, "a proxy that requires a password", "the call succeeds, over HTTPS and over HTTP")
    def test_http_request_is_forwarded_by_a_proxy_with_a_password(
        self, call: Call, proxy: int, server: RecordingServer
    ) -> None:
        assert call(server.url, proxy=url_of(proxy)).data["expires_in"] == 3600
        assert "via" in server.requests[0].headers

    @pytest.mark.fault(29, "HTTPS_PROXY, HTTP_PROXY or ALL_PROXY is set", "the proxy is used")
    @pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
    def test_proxy_of_an_environment_variable_is_used(
        self, call: Call, proxy: int, server: RecordingServer, variable: str
    ) -> None:
        call(server.url, environment={variable: url_of(proxy)})
        assert "via" in server.requests[0].headers

    @pytest.mark.fault(29, "HTTP_PROXY is set, and `trust_env` is False", "the connection is direct")
    def test_proxy_variables_are_ignored_without_trust_env(self, call: Call, server: RecordingServer) -> None:
        call(server.url, environment={"HTTP_PROXY": url_of(unused_port())}, trust_env=False)
        assert len(server.requests) == 1


BYPASSED = [
    "127.0.0.1",
    "other.example, 127.0.0.1",
    "*",
    "127.0.0.0/8",
    "127.0.0.1:{port}",
    "0.0.0.0/0:{port}",
    "10.0.0.0/8 127.0.0.1",
]
NOT_BYPASSED = [
    "",
    ",",
    "other.example",
    "127.0.0.1:1",
    "10.0.0.0/8",
    "0.0.1",
    "::/0",
    "127.0.0.0/99",
    ".",
    "127.0.0.1.example",
]


@pytest.mark.fault(29, "NO_PROXY contains the host, its network or its port", "the connection is direct")
@pytest.mark.parametrize("no_proxy", BYPASSED)
def test_host_in_no_proxy_bypasses_the_proxy(call: Call, server: RecordingServer, no_proxy: str) -> None:
    environment = {"HTTP_PROXY": url_of(unused_port()), "NO_PROXY": no_proxy.format(port=server.port)}
    call(server.url, environment=environment)
    assert len(server.requests) == 1


@pytest.mark.fault(29, "NO_PROXY contains other hosts", "the proxy is used", "ApiProxyError")
@pytest.mark.parametrize("no_proxy", NOT_BYPASSED)
def test_host_not_in_no_proxy_uses_the_proxy(call: Call, server: RecordingServer, no_proxy: str) -> None:
    environment = {"HTTP_PROXY": url_of(unused_port()), "NO_PROXY": no_proxy}
    call(server.url, environment=environment, max_attempts=1)
    assert server.requests == []


@pytest.mark.fault(
    29, "NO_PROXY contains a parent domain of the host", "the connection is direct", "ApiConnectionError"
)
@pytest.mark.parametrize("no_proxy", ["invalid", ".invalid", "*.invalid", "A-HOST.INVALID", "x, a-host.invalid:443"])
def test_parent_domain_in_no_proxy_bypasses_the_proxy(call: Call, no_proxy: str) -> None:
    environment = {"HTTPS_PROXY": url_of(unused_port()), "NO_PROXY": no_proxy}
    assert "cannot find a-host.invalid" in call("https://a-host.invalid", environment=environment, max_attempts=1).text


class TestProxyErrors:
    """The error contains the URL of the proxy without its password, and the setting that specifies it."""

    @pytest.mark.fault(29, "the proxy refuses connections", "a retry; the error contains the proxy", "ApiProxyError")
    @pytest.mark.parametrize("host", ["https://127.0.0.1:1", "http://127.0.0.1:1"])
    def test_proxy_that_refuses_connections_is_retried_and_in_the_error(self, call: Call, host: str) -> None:
        port = unused_port()
        outcome = call(host, proxy=url_of(port), max_attempts=2)
        assert f"The proxy is http://127.0.0.1:{port} (Configuration.proxy)." in outcome.text
        assert (outcome.attempts, outcome.retryable) == (2, True)

    @pytest.mark.fault(
        29, "a proxy of the environment refuses connections", "the error names the variable", "ApiProxyError"
    )
    @pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
    def test_error_contains_the_variable_of_the_proxy(self, call: Call, variable: str) -> None:
        port = unused_port()
        outcome = call("https://127.0.0.1:1", environment={variable: url_of(port)}, max_attempts=1)
        assert f"http://127.0.0.1:{port} ({variable})" in outcome.text

    @pytest.mark.fault(29, "the host name of the proxy does not exist", "the error contains the proxy", "ApiProxyError")
    def test_unknown_proxy_host_is_in_the_error(self, call: Call) -> None:
        proxy = f"http://a-user:{PASSWORD}@no-such-proxy.invalid:3128"
        outcome = call("https://127.0.0.1:1", proxy=proxy, max_attempts=1)
        assert "The proxy is http://no-such-proxy.invalid:3128" in outcome.text

    @pytest.mark.fault(
        29, "the proxy refuses the password (407)", "one attempt; the error explains it", "ApiProxyError"
    )
    @pytest.mark.parametrize("scheme", ["http", "https"])
    def test_wrong_proxy_password_is_not_retried(self, call: Call, proxy: int, scheme: str) -> None:
        outcome = call(f"{scheme}://127.0.0.1:1", proxy=url_of(proxy, PASSWORD + "x"))
        assert "It requires a valid user name and password" in outcome.text
        assert (outcome.attempts, outcome.retryable) == (1, False)

    @pytest.mark.fault(
        29, "CONNECT fails or its response is truncated", "a retry; the error contains the proxy", "ApiProxyError"
    )
    @pytest.mark.parametrize("response", [b"", b"HTTP/1.1 200 ", b"HTTP/1.1 502 Bad Gateway\r\n\r\n"])
    @pytest.mark.parametrize("operation", ["get_token_by_client", "get_token_by_code"])
    def test_truncated_or_failed_connect_is_retried(self, call: Call, response: bytes, operation: str) -> None:
        with RecordingServer([lambda connection: connection.sendall(response)]) as broken:
            outcome = call("https://127.0.0.1:1", operation, proxy=url_of(broken.port), max_attempts=2)
            assert [request.method for request in broken.requests] == ["CONNECT", "CONNECT"]
            assert f"The proxy is http://127.0.0.1:{broken.port}" in outcome.text

    @pytest.mark.fault(
        29, "the proxy does not respond to CONNECT", "the call times out; the error contains the proxy", "ApiProxyError"
    )
    def test_call_times_out_if_the_proxy_does_not_respond(self, call: Call) -> None:
        with RecordingServer([lambda connection: connection.recv(1)]) as silent:
            outcome = call("https://127.0.0.1:1", proxy=url_of(silent.port), connect_timeout=0.3, max_attempts=1)
            assert f"The proxy is http://127.0.0.1:{silent.port}" in outcome.text

    @pytest.mark.fault(29, "an invalid proxy URL", "an error that does not show the password", "ValueError")
    @pytest.mark.parametrize("url", [f"socks5://u:{PASSWORD}@h", f"http://u:{PASSWORD}@", f"http://u:{PASSWORD}@h:x"])
    def test_invalid_proxy_url_is_refused_without_showing_its_password(
        self, call: Call, server: RecordingServer, url: str
    ) -> None:
        outcome = call(server.url, environment={"HTTP_PROXY": url})
        assert outcome.text.startswith("HTTP_PROXY ")
