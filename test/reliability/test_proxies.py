"""Row 29: a proxy stands between. It is proxy.py, a real one, with a password."""

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
    """The port of a proxy that asks for a password."""
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
    """A service over TLS, whose authority is in `authority.pem`."""
    import ssl

    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with RecordingServer([http_response(GRANT)], tls=context) as server:
        yield server


def url_of(port: int, password: str = PASSWORD) -> str:
    return f"http://a-user:{quote(password, '')}@127.0.0.1:{port}"


class TestTheWayThrough:
    @pytest.mark.fault(29, "the way leads through a proxy with a password", "it is taken, over TLS and without")
    def test_over_tls(self, call: Call, proxy: int, secure: RecordingServer, tmp_path: Path) -> None:
        outcome = call(secure.url, ssl_ca_cert=str(tmp_path / "authority.pem"), proxy=url_of(proxy))
        assert outcome.data["expires_in"] == 3600
        assert "proxy-authorization" not in secure.requests[0].headers

    @pytest.mark.fault(29, "the way leads through a proxy with a password", "it is taken, over TLS and without")
    def test_without_tls(self, call: Call, proxy: int, server: RecordingServer) -> None:
        assert call(server.url, proxy=url_of(proxy)).data["expires_in"] == 3600
        assert "via" in server.requests[0].headers

    @pytest.mark.fault(29, "HTTPS_PROXY, HTTP_PROXY or ALL_PROXY names a proxy", "it is taken")
    @pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
    def test_named_by_the_environment(self, call: Call, proxy: int, server: RecordingServer, variable: str) -> None:
        call(server.url, environment={variable: url_of(proxy)})
        assert "via" in server.requests[0].headers

    @pytest.mark.fault(29, "the environment names a proxy, and `trust_env` is off", "the direct way is taken")
    def test_named_by_an_environment_that_is_not_trusted(self, call: Call, server: RecordingServer) -> None:
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


@pytest.mark.fault(29, "NO_PROXY has the host: its name, a domain, a network, a port", "the direct way is taken")
@pytest.mark.parametrize("no_proxy", BYPASSED)
def test_no_proxy_has_the_host(call: Call, server: RecordingServer, no_proxy: str) -> None:
    environment = {"HTTP_PROXY": url_of(unused_port()), "NO_PROXY": no_proxy.format(port=server.port)}
    call(server.url, environment=environment)
    assert len(server.requests) == 1


@pytest.mark.fault(29, "NO_PROXY has other hosts", "the proxy is taken", "ApiProxyError")
@pytest.mark.parametrize("no_proxy", NOT_BYPASSED)
def test_no_proxy_has_other_hosts(call: Call, server: RecordingServer, no_proxy: str) -> None:
    environment = {"HTTP_PROXY": url_of(unused_port()), "NO_PROXY": no_proxy}
    call(server.url, environment=environment, max_attempts=1)
    assert server.requests == []


@pytest.mark.fault(29, "NO_PROXY has a domain above the host", "the direct way is taken", "ApiConnectionError")
@pytest.mark.parametrize("no_proxy", ["invalid", ".invalid", "*.invalid", "A-HOST.INVALID", "x, a-host.invalid:443"])
def test_no_proxy_has_a_domain_above_the_host(call: Call, no_proxy: str) -> None:
    environment = {"HTTPS_PROXY": url_of(unused_port()), "NO_PROXY": no_proxy}
    assert "cannot find a-host.invalid" in call("https://a-host.invalid", environment=environment, max_attempts=1).text


class TestProxiesInTheWay:
    """The error names the proxy and the setting that names it, and not its password."""

    @pytest.mark.fault(29, "the proxy refuses connections", "tried again; names the proxy", "ApiProxyError")
    @pytest.mark.parametrize("host", ["https://127.0.0.1:1", "http://127.0.0.1:1"])
    def test_refuses_connections(self, call: Call, host: str) -> None:
        port = unused_port()
        outcome = call(host, proxy=url_of(port), max_attempts=2)
        assert f"The proxy is http://127.0.0.1:{port} (Configuration.proxy)." in outcome.text
        assert (outcome.attempts, outcome.retryable) == (2, True)

    @pytest.mark.fault(29, "the environment's proxy refuses connections", "names the variable", "ApiProxyError")
    @pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
    def test_of_the_environment(self, call: Call, variable: str) -> None:
        port = unused_port()
        outcome = call("https://127.0.0.1:1", environment={variable: url_of(port)}, max_attempts=1)
        assert f"http://127.0.0.1:{port} ({variable})" in outcome.text

    @pytest.mark.fault(29, "the proxy does not exist", "names the proxy", "ApiProxyError")
    def test_does_not_exist(self, call: Call) -> None:
        proxy = f"http://a-user:{PASSWORD}@no-such-proxy.invalid:3128"
        outcome = call("https://127.0.0.1:1", proxy=proxy, max_attempts=1)
        assert "The proxy is http://no-such-proxy.invalid:3128" in outcome.text

    @pytest.mark.fault(29, "the proxy wants another password (407)", "one try; says so", "ApiProxyError")
    @pytest.mark.parametrize("scheme", ["http", "https"])
    def test_wants_another_password(self, call: Call, proxy: int, scheme: str) -> None:
        outcome = call(f"{scheme}://127.0.0.1:1", proxy=url_of(proxy, PASSWORD + "x"))
        assert "It requires a valid user name and password" in outcome.text
        assert (outcome.attempts, outcome.retryable) == (1, False)

    @pytest.mark.fault(29, "the proxy cuts CONNECT", "tried again; names the proxy", "ApiProxyError")
    @pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 ", b"HTTP/1.1 502 Bad Gateway\r\n\r\n"])
    @pytest.mark.parametrize("operation", ["get_token_by_client", "get_token_by_code"])
    def test_cuts_connect(self, call: Call, answer: bytes, operation: str) -> None:
        with RecordingServer([lambda connection: connection.sendall(answer)]) as broken:
            outcome = call("https://127.0.0.1:1", operation, proxy=url_of(broken.port), max_attempts=2)
            assert [request.method for request in broken.requests] == ["CONNECT", "CONNECT"]
            assert f"The proxy is http://127.0.0.1:{broken.port}" in outcome.text

    @pytest.mark.fault(29, "the proxy says nothing to CONNECT", "ends in time; names the proxy", "ApiProxyError")
    def test_says_nothing(self, call: Call) -> None:
        with RecordingServer([lambda connection: connection.recv(1)]) as silent:
            outcome = call("https://127.0.0.1:1", proxy=url_of(silent.port), connect_timeout=0.3, max_attempts=1)
            assert f"The proxy is http://127.0.0.1:{silent.port}" in outcome.text

    @pytest.mark.fault(29, "a proxy's URL that is none", "refused without its password", "ValueError")
    @pytest.mark.parametrize("url", [f"socks5://u:{PASSWORD}@h", f"http://u:{PASSWORD}@", f"http://u:{PASSWORD}@h:x"])
    def test_that_is_none(self, call: Call, server: RecordingServer, url: str) -> None:
        outcome = call(server.url, environment={"HTTP_PROXY": url})
        assert outcome.text.startswith("HTTP_PROXY ")
