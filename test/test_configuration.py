"""`Configuration`: defaults, validation, environment variables, warnings and logging."""

from __future__ import annotations

import copy
import logging
import os
import pickle
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from urllib3.exceptions import InsecureRequestWarning

import BlueJeansMeetingsRestApi as bluejeans
from BlueJeansMeetingsRestApi import configuration as configuration_module
from support.recording_server import RecordingServer, http_response

PACKAGE = logging.getLogger("BlueJeansMeetingsRestApi")


@pytest.fixture(autouse=True)
def own_defaults_and_handlers() -> Iterator[None]:
    handlers, level = list(PACKAGE.handlers), PACKAGE.level
    yield
    bluejeans.Configuration.set_default(None)
    for handler in set(PACKAGE.handlers) - set(handlers):
        PACKAGE.removeHandler(handler)
        handler.close()
    PACKAGE.setLevel(level)


def client_with(**settings: Any) -> bluejeans.ApiClient:
    configuration = bluejeans.Configuration()
    for name, value in settings.items():
        setattr(configuration, name, value)
    return bluejeans.ApiClient(configuration)


class TestDefaults:
    @pytest.mark.parametrize(
        ("name", "value"),
        {
            "host": "https://api.bluejeans.com",
            "temp_folder_path": None,
            "api_key": {},
            "api_key_prefix": {},
            "username": "",
            "password": "",
            "logger_format": "%(asctime)s %(levelname)s %(message)s",
            "logger_stream_handler": None,
            "logger_file_handler": None,
            "logger_file": None,
            "debug": False,
            "verify_ssl": True,
            "ssl_ca_cert": None,
            "cert_file": None,
            "key_file": None,
            "key_password": None,
            "ssl_context": None,
            "assert_hostname": None,
            "proxy": None,
            "safe_chars_for_path_param": "",
            "connect_timeout": 5.0,
            "read_timeout": 30.0,
            "call_timeout": 35.0,
            "max_attempts": 3,
            "max_response_bytes": 1048576,
            "allow_insecure_host": False,
            "trust_env": True,
            "credentials": None,
        }.items(),
    )
    def test_default_value_of_setting(self, name: str, value: Any) -> None:
        assert getattr(bluejeans.Configuration(), name) == value

    def test_loggers_have_the_names_of_the_2019_sdk(self) -> None:
        names = {key: logger.name for key, logger in bluejeans.Configuration().logger.items()}
        assert names == {"package_logger": "BlueJeansMeetingsRestApi", "urllib3_logger": "urllib3"}

    def test_configurations_share_no_dictionary(self) -> None:
        bluejeans.Configuration().api_key["access_token"] = "a"
        assert bluejeans.Configuration().api_key == {}

    def test_set_default_applies_to_later_configurations(self) -> None:
        default = bluejeans.Configuration()
        default.host = "https://mirror.example"
        default.api_key["access_token"] = "a"
        bluejeans.Configuration.set_default(default)
        first = bluejeans.Configuration()
        assert (first.host, first.api_key) == ("https://mirror.example", {"access_token": "a"})
        first.api_key["access_token"] = "b"
        default.host = "https://other.example"
        second = bluejeans.Configuration()
        assert (second.host, second.api_key) == ("https://mirror.example", {"access_token": "a"})

    @pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
    def test_copy_of_a_configuration_shares_no_dictionary(self, copied: Any) -> None:
        first = bluejeans.Configuration()
        second = copied(first)
        second.api_key["access_token"] = "a"
        assert first.api_key == {}


class TestAuthorization:
    def test_api_key_is_returned_after_its_prefix(self) -> None:
        configuration = bluejeans.Configuration()
        assert configuration.get_api_key_with_prefix("access_token") is None
        configuration.api_key["access_token"] = "abc"
        assert configuration.get_api_key_with_prefix("access_token") == "abc"
        configuration.api_key_prefix["access_token"] = "Bearer"
        assert configuration.get_api_key_with_prefix("access_token") == "Bearer abc"

    def test_auth_settings_have_the_shape_of_the_2019_sdk(self) -> None:
        configuration = bluejeans.Configuration()
        configuration.api_key["access_token"] = "abc"
        assert configuration.auth_settings() == {
            "access_token": {"type": "api_key", "in": "query", "key": "access_token", "value": "abc"}
        }

    def test_basic_auth_token_encodes_non_ascii_characters_as_utf_8(self) -> None:
        configuration = bluejeans.Configuration()
        configuration.username, configuration.password = "joe", "pä:€"
        assert configuration.get_basic_auth_token() == "Basic am9lOnDDpDrigqw="

    def test_repr_of_a_configuration_shows_no_secret(self) -> None:
        configuration = bluejeans.Configuration()
        configuration.api_key["access_token"] = configuration.password = "canary"
        assert "canary" not in f"{configuration!r} {bluejeans.ApiClient(configuration)!r}"


def test_debug_report_contains_the_versions() -> None:
    report = bluejeans.Configuration().to_debug_report()
    assert report.startswith("Python SDK Debug Report:\nOS: ")
    assert report.endswith(f"API: 1.0.4402212019\nSDK Package Version: {bluejeans.__version__}")


class TestInvalidSettings:
    @pytest.mark.parametrize(
        ("host", "shown"),
        [
            ("api.bluejeans.com", "'api.bluejeans.com'"),
            ("ftp://api.bluejeans.com", "'ftp://api.bluejeans.com'"),
            ("https://", "'https://'"),
            ("https://api.bluejeans.com:http", "'https://api.bluejeans.com:http'"),
            ("https://api.bluejeans.com:99999", "'https://api.bluejeans.com:99999'"),
            ("https://api.bluejeans.com?x=1", r"'https://api.bluejeans.com\?x=1' must not have a query"),
            ("https://api.bluejeans.com?access_token=canary", r"'https://api.bluejeans.com\?access_token=\*\*\*'"),
            ("https://api.bluejeans.com#x", "'https://api.bluejeans.com#x'"),
            ("https://api.bluejeans.com?", r"'https://api.bluejeans.com\?'"),
            ("https://user:canary@api.bluejeans.com", r"'https://\*\*\*@api.bluejeans.com'"),
            ("https://user:canary@api.bluejeans.com:x", r"'https://\*\*\*@api.bluejeans.com:x'"),
            ("https://api.blue jeans.com", "'https://api.blue jeans.com' must be a URL of ASCII characters"),
            ("https://api.bluejeans.com\r\nX: canary", "must be a URL of ASCII characters"),
            ("https://bl\u00fcejeans.com", "'https://bl\u00fcejeans.com' must be a URL of ASCII characters"),
            ("https://[::1", r"'https://\[::1'"),
            ("", "''"),
            (None, "None must be a URL"),
            ("http://api.bluejeans.com", "'http://api.bluejeans.com' would send secrets in clear text"),
            ("http://127.0.0.1.evil.example", "clear text"),
        ],
    )
    def test_invalid_host_is_shown_in_the_error(self, host: Any, shown: str) -> None:
        with pytest.raises(ValueError, match=f"Configuration.host .*{shown}") as caught:
            client_with(host=host)
        assert "canary" not in str(caught.value)

    @pytest.mark.parametrize("host", ["http://127.0.0.1", "http://localhost:8080", "http://[::1]:1/x", "https://h/x/y"])
    def test_local_host_or_host_with_a_path_is_accepted(self, host: str) -> None:
        client_with(host=host)

    def test_allow_insecure_host_accepts_plain_http(self) -> None:
        client_with(host="http://mirror.example", allow_insecure_host=True)

    def test_host_set_after_creation_is_checked_before_sending(self) -> None:
        client = client_with()
        client.configuration.host = "http://mirror.example"
        with pytest.raises(ValueError, match="clear text"):
            bluejeans.AuthenticationApi(client).get_token_info(access_token="x")

    @pytest.mark.parametrize("name", ["ssl_ca_cert", "cert_file", "key_file"])
    def test_missing_tls_file_is_shown_in_the_error(self, name: str) -> None:
        with pytest.raises(ValueError, match=f"Configuration.{name} is not an existing file: '/not/there.pem'"):
            client_with(**{name: "/not/there.pem"})

    def test_folder_of_ca_certificates_is_accepted(self, tmp_path: Path) -> None:
        client_with(ssl_ca_cert=str(tmp_path))

    @pytest.mark.parametrize(
        "proxy",
        [
            "proxy.example:3128",
            "socks5://proxy.example",
            "http://u:canary@:x",
            "http://",
            "http://u:pa/canary@proxy.example:1",
            "http://u:12#canary@proxy.example",
            "http://u:p?canary@proxy.example",
        ],
    )
    def test_invalid_proxy_is_an_error_that_shows_no_password(self, proxy: str) -> None:
        with pytest.raises(ValueError, match=r"Configuration\.proxy") as caught:
            client_with(proxy=proxy)
        assert "canary" not in str(caught.value)

    def test_proxy_url_may_contain_a_password(self) -> None:
        client_with(proxy="http://user:password@proxy.example:3128")

    @pytest.mark.parametrize("name", ["connect_timeout", "read_timeout", "call_timeout"])
    @pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf")])
    def test_timeout_that_is_not_positive_and_finite_is_an_error(self, name: str, value: float) -> None:
        with pytest.raises(ValueError, match=f"Configuration.{name} .*{value}"):
            client_with(**{name: value})

    @pytest.mark.parametrize("value", ["5", None, True])
    def test_timeout_of_another_type_is_an_error(self, value: Any) -> None:
        with pytest.raises(TypeError, match="Configuration.call_timeout"):
            client_with(call_timeout=value)

    @pytest.mark.parametrize("name", ["max_attempts", "max_response_bytes", "connection_pool_maxsize"])
    @pytest.mark.parametrize("value", [0, 1.5, True, "3"])
    def test_limit_that_is_not_a_positive_integer_is_an_error(self, name: str, value: Any) -> None:
        with pytest.raises(ValueError, match=f"Configuration.{name} "):
            client_with(**{name: value})


class TestHostVariable:
    def test_host_variable_is_the_default_host(self, monkeypatch: pytest.MonkeyPatch) -> None:
        configuration = bluejeans.Configuration()
        monkeypatch.setenv("BLUEJEANS_HOST", "https://later.example/")
        assert (configuration.host, configuration.base_url) == ("https://later.example/", "https://later.example")
        monkeypatch.delenv("BLUEJEANS_HOST")
        assert configuration.host == "https://api.bluejeans.com"

    def test_requests_are_sent_to_the_host_of_the_variable(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with RecordingServer([http_response({})]) as server, client_with() as client:
            monkeypatch.setenv("BLUEJEANS_HOST", server.url)
            client.call_api("/x", "GET")
            assert [request.target for request in server.requests] == ["/x"]

    def test_explicit_host_overrides_the_host_variable(self, monkeypatch: pytest.MonkeyPatch) -> None:
        configuration = bluejeans.Configuration()
        configuration.host = "https://api.bluejeans.com"
        monkeypatch.setenv("BLUEJEANS_HOST", "https://elsewhere.example")
        assert configuration.base_url == "https://api.bluejeans.com"

    def test_host_variable_is_ignored_without_trust_env(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("BLUEJEANS_HOST", "https://elsewhere.example")
        configuration = bluejeans.Configuration()
        configuration.trust_env = False
        assert configuration.base_url == "https://api.bluejeans.com"

    def test_host_file_variable_specifies_the_host(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        (tmp_path / "host").write_text("https://file.example\n")
        monkeypatch.setenv("BLUEJEANS_HOST_FILE", str(tmp_path / "host"))
        assert bluejeans.Configuration().base_url == "https://file.example"

    @pytest.mark.parametrize(
        "copied",
        [
            copy.copy,
            copy.deepcopy,
            lambda configuration: pickle.loads(pickle.dumps(configuration)),
            lambda configuration: bluejeans.Configuration.set_default(configuration) or bluejeans.Configuration(),
        ],
        ids=["copy", "deepcopy", "pickle", "set_default"],
    )
    def test_copies_preserve_whether_the_host_is_set(
        self, copied: Callable[[Any], bluejeans.Configuration], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("BLUEJEANS_HOST", "https://before.example")
        configuration = bluejeans.Configuration()
        assert configuration.host == "https://before.example"
        unset = copied(configuration)
        configuration.host = "https://set.example"
        was_set = copied(configuration)
        monkeypatch.setenv("BLUEJEANS_HOST", "https://after.example")
        assert (unset.host, was_set.host) == ("https://after.example", "https://set.example")

    @pytest.mark.parametrize(
        ("host", "message"),
        [
            ("no-url", "^BLUEJEANS_HOST 'no-url' must start with https://"),
            ("http://mirror.example", "^BLUEJEANS_HOST 'http://mirror.example' would send secrets in clear text"),
        ],
    )
    def test_invalid_host_variable_is_named_in_the_error(
        self, host: str, message: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("BLUEJEANS_HOST", host)
        with pytest.raises(ValueError, match=message):
            client_with()

    def test_invalid_content_of_the_host_file_is_not_shown(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        (tmp_path / "secret").write_text("canary")
        monkeypatch.setenv("BLUEJEANS_HOST_FILE", str(tmp_path / "secret"))
        with pytest.raises(ValueError, match="^BLUEJEANS_HOST_FILE specifies a file that does not contain") as caught:
            client_with()
        assert caught.value.__context__ is None
        assert "canary" not in str(caught.value)


class TestWarningAboutTheDefaultHost:
    @pytest.fixture(autouse=True)
    def server(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[RecordingServer]:
        """Stand in for the service at the default host."""
        with RecordingServer([http_response({"access_token": "t", "expires_in": 60})]) as server:
            monkeypatch.setattr(configuration_module, "DEFAULT_HOST", server.url)
            monkeypatch.setattr(configuration_module, "_warned", {})
            yield server

    def warnings(self, caplog: pytest.LogCaptureFixture) -> list[str]:
        return [record.getMessage() for record in caplog.records if record.name == PACKAGE.name]

    @pytest.mark.parametrize(
        "send",
        [
            lambda api: bluejeans.ClientCredentials("id", "secret", api=api).get_token(),
            lambda api: bluejeans.StaticToken("t").authorization_for(configuration_module.DEFAULT_HOST),
            lambda api: api.get_token_by_client(bluejeans.GrantRequestClient("client_credentials", "id", "secret")),
            lambda api: api.get_token_info(access_token="t"),
            lambda api: api.api_client.call_api("/x", "GET", header_params={"Authorization": "Bearer t"}),
            lambda api: api.api_client.rest_client.GET(f"{configuration_module.DEFAULT_HOST}/x?access_token=t"),
        ],
        ids=["credentials", "static token", "grant", "token in the query", "token in a header", "whole URL"],
    )
    def test_default_host_causes_one_warning_per_process(
        self, send: Callable[[Any], object], server: RecordingServer, caplog: pytest.LogCaptureFixture
    ) -> None:
        with bluejeans.AuthenticationApi() as api:
            send(api)
            send(api)
        [warning] = self.warnings(caplog)
        assert f"the default host {server.url}, because no host is set" in warning
        assert "The vendor has announced the end of the service at this host" in warning
        assert "Set Configuration.host, or the environment variable BLUEJEANS_HOST" in warning
        assert caplog.records[-1].levelno == logging.WARNING

    def test_threads_log_one_default_host_warning_together(self, caplog: pytest.LogCaptureFixture) -> None:
        together = threading.Barrier(8)

        def send() -> None:
            with bluejeans.AuthenticationApi() as api:
                together.wait()
                api.get_token_info(access_token="t")

        threads = [threading.Thread(target=send) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(self.warnings(caplog)) == 1

    @pytest.mark.parametrize("how", ["attribute", "set_default", "variable", "file"])
    def test_no_default_host_warning_if_the_host_is_set(
        self,
        how: str,
        server: RecordingServer,
        caplog: pytest.LogCaptureFixture,
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
    ) -> None:
        configuration = bluejeans.Configuration()
        if how in ("attribute", "set_default"):
            configuration.host = server.url
        if how == "set_default":
            bluejeans.Configuration.set_default(configuration)
            configuration = bluejeans.Configuration()
        if how == "variable":
            monkeypatch.setenv("BLUEJEANS_HOST", server.url)
        if how == "file":
            (tmp_path / "host").write_text(server.url)
            monkeypatch.setenv("BLUEJEANS_HOST_FILE", str(tmp_path / "host"))
        with bluejeans.AuthenticationApi(bluejeans.ApiClient(configuration)) as api:
            api.get_token_info(access_token="t")
        assert (len(server.requests), self.warnings(caplog)) == (1, [])

    def test_ignored_host_variable_does_not_prevent_the_warning(
        self, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("BLUEJEANS_HOST", "https://elsewhere.example")
        with client_with(trust_env=False) as client:
            bluejeans.AuthenticationApi(client).get_token_info(access_token="t")
        assert len(self.warnings(caplog)) == 1

    def test_no_default_host_warning_for_a_request_without_a_secret(
        self, server: RecordingServer, caplog: pytest.LogCaptureFixture
    ) -> None:
        with bluejeans.AuthenticationApi() as api:
            api.get_authorization_code(client_id="id", redirect_uri="https://app.example", state="s")
            api.api_client.call_api("/x", "GET")
        assert (len(server.requests), self.warnings(caplog)) == (2, [])

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
    def test_forked_child_logs_its_own_default_host_warning(self) -> None:
        program = (
            "import os, BlueJeansMeetingsRestApi as b\n"
            "def warn(): b.StaticToken('t').authorization_for('https://api.bluejeans.com')\n"
            "warn(); warn()\n"
            "child = os.fork()\n"
            "if child: os.waitpid(child, 0)\n"
            "else: warn(); warn()"
        )
        ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        assert ended.stderr.count("The vendor has announced the end of the service") == 2


class TestUppercaseSchemeAndHost:
    @pytest.mark.parametrize(
        ("host", "normalized"),
        [
            ("HTTPS://API.Example.COM", "https://api.example.com"),
            ("Https://Host:8443/Path/", "https://host:8443/Path"),
            ("HTTP://LOCALHOST:1", "http://localhost:1"),
            ("https://[FE80::1%25Eth0]:1", "https://[fe80::1%25Eth0]:1"),
        ],
    )
    def test_base_url_has_scheme_and_host_in_lower_case(self, host: str, normalized: str) -> None:
        assert client_with(host=host).configuration.base_url == normalized

    @pytest.fixture
    def authority(self) -> trustme.CA:
        return trustme.CA()

    @pytest.fixture
    def trusted(self, authority: trustme.CA, tmp_path: Path) -> str:
        authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
        return str(tmp_path / "authority.pem")

    @pytest.fixture
    def server(self, authority: trustme.CA) -> Iterator[RecordingServer]:
        """A server that requires a client certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost").configure_cert(context)
        authority.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
        with RecordingServer([http_response({})], tls=context) as server:
            yield server

    @pytest.fixture
    def own_certificate(self, authority: trustme.CA, tmp_path: Path) -> str:
        path = tmp_path / "client.pem"
        authority.issue_cert("client@example.com").private_key_and_cert_chain_pem.write_to_path(str(path))
        return str(path)

    def test_tls_files_are_used_for_an_uppercase_scheme(
        self, server: RecordingServer, trusted: str, own_certificate: str
    ) -> None:
        host = f"HTTPS://LocalHost:{server.port}"
        with client_with(host=host, ssl_ca_cert=trusted, cert_file=own_certificate) as client:
            client.call_api("/x", "GET")
            client.rest_client.GET(f"{host}/y")
        assert [request.target for request in server.requests] == ["/x", "/y"]

    def test_verify_ssl_false_is_used_for_an_uppercase_scheme(
        self, server: RecordingServer, own_certificate: str
    ) -> None:
        host = f"HTTPS://LocalHost:{server.port}"
        client = client_with(host=host, verify_ssl=False, cert_file=own_certificate)
        with client, pytest.warns(InsecureRequestWarning, match="verify_ssl is False"):
            client.call_api("/x", "GET")
        assert len(server.requests) == 1

    def test_certificate_is_verified_for_an_uppercase_scheme(
        self, server: RecordingServer, own_certificate: str
    ) -> None:
        client = client_with(host=f"HTTPS://LocalHost:{server.port}", cert_file=own_certificate)
        with client, pytest.raises(bluejeans.ApiTLSError):
            client.call_api("/x", "GET")
        assert server.requests == []

    @pytest.mark.parametrize("in_environment", [True, False])
    def test_proxy_tunnels_requests_with_an_uppercase_scheme(
        self, in_environment: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with RecordingServer([http_response(status=403)]) as proxy:
            url = f"HTTP://LocalHost:{proxy.port}"
            if in_environment:
                monkeypatch.setenv("HTTPS_PROXY", url)
            settings = {} if in_environment else {"proxy": url}
            client = client_with(host="HTTPS://API.Example.Test", max_attempts=1, **settings)
            with client, pytest.raises(bluejeans.ApiProxyError):
                client.call_api("/x", "GET")
            assert [(r.method, r.target) for r in proxy.requests] == [("CONNECT", "api.example.test:443")]

    def test_token_is_sent_to_the_same_host_in_another_case(self) -> None:
        api = bluejeans.AuthenticationApi(client_with(host="HTTPS://API.Example"))
        token = bluejeans.StaticToken("t", api=api, allowed_hosts=["HTTPS://Other.Example"])
        assert token.authorization_for("https://api.example/x") == "Bearer t"
        assert token.authorization_for("https://OTHER.example/x") == "Bearer t"

    def test_store_key_does_not_depend_on_the_case_of_the_host(self) -> None:
        store = bluejeans.MemoryTokenStore()
        keys = set()
        for host in ("https://api.example", "HTTPS://API.Example/"):
            api = bluejeans.AuthenticationApi(client_with(host=host))
            keys.add(bluejeans.ClientCredentials("id", "secret", api=api, store=store).store_key)
        assert len(keys) == 1


class TestLogging:
    def test_debug_changes_only_the_logger_of_this_package(self) -> None:
        others = [logging.getLogger(), logging.getLogger("urllib3"), logging.getLogger("http.client")]
        before = [(logger.level, list(logger.handlers)) for logger in others]
        configuration = bluejeans.Configuration()
        configuration.debug = True
        assert (PACKAGE.level, configuration.debug) == (logging.DEBUG, True)
        configuration.debug = False
        assert PACKAGE.level == logging.NOTSET
        assert before == [(logger.level, list(logger.handlers)) for logger in others]

    def test_creating_a_configuration_changes_no_logger(self) -> None:
        PACKAGE.setLevel(logging.ERROR)
        bluejeans.Configuration().debug = False
        assert PACKAGE.level == logging.ERROR

    def test_debug_logs_to_standard_error_without_a_handler(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(logging.getLogger(), "handlers", [])
        bluejeans.Configuration().debug = True
        PACKAGE.debug("seen")
        assert "DEBUG seen" in capsys.readouterr().err

    def test_logger_file_receives_the_log(self, tmp_path: Path) -> None:
        configuration = bluejeans.Configuration()
        configuration.logger_format = "%(levelname)s: %(message)s"
        configuration.logger_file = str(tmp_path / "first.log")
        configuration.logger_file = str(tmp_path / "second.log")
        configuration.debug = True
        PACKAGE.debug("seen")
        configuration.logger_file = None
        PACKAGE.debug("not seen")
        assert (tmp_path / "first.log").read_text() == ""
        assert (tmp_path / "second.log").read_text() == "DEBUG: seen\n"
        assert configuration.logger_file_handler is None

    def test_each_request_is_logged_as_a_line_without_content(
        self, api: bluejeans.AuthenticationApi, caplog: pytest.LogCaptureFixture
    ) -> None:
        api.api_client.configuration.debug = True
        with pytest.raises(bluejeans.UnauthorizedError):
            api.get_token_by_client({"grant_type": "client_credentials", "client_id": "i", "client_secret": "canary"})
        (line,) = (record.getMessage() for record in caplog.records if record.name.startswith(PACKAGE.name + ".rest"))
        assert line.startswith(f"POST {api.api_client.configuration.host}/oauth2/token?Client -> 401 in ")


class TestProxyVariables:
    @pytest.fixture
    def proxy(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[RecordingServer]:
        with RecordingServer([http_response({})]) as proxy:
            monkeypatch.setenv("http_proxy", f"127.0.0.1:{proxy.port}")
            yield proxy

    @pytest.fixture
    def service(self) -> Iterator[RecordingServer]:
        with RecordingServer([http_response({})]) as service:
            yield service

    def test_requests_use_the_proxy_of_the_environment(self, proxy: RecordingServer, service: RecordingServer) -> None:
        with client_with(host=service.url) as client:
            client.call_api("/x", "GET", query_params={"a": 1})
        assert [request.target for request in proxy.requests] == [f"{service.url}/x?a=1"]
        assert service.requests == []

    def test_no_proxy_variable_bypasses_the_proxy(
        self, proxy: RecordingServer, service: RecordingServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        with client_with(host=service.url) as client:
            client.call_api("/x", "GET")
        assert (len(proxy.requests), len(service.requests)) == (0, 1)

    def test_proxy_variable_is_ignored_without_trust_env(
        self, proxy: RecordingServer, service: RecordingServer
    ) -> None:
        with client_with(host=service.url, trust_env=False) as client:
            client.call_api("/x", "GET")
        assert (len(proxy.requests), len(service.requests)) == (0, 1)

    def test_proxy_setting_overrides_the_proxy_variable(self, proxy: RecordingServer, service: RecordingServer) -> None:
        with RecordingServer([http_response({})]) as other:
            proxied = f"http://user:p%40ss@127.0.0.1:{other.port}"
            with client_with(host=service.url, proxy=proxied) as client:
                client.call_api("/x", "GET")
            assert other.requests[0].headers["proxy-authorization"] == "Basic dXNlcjpwQHNz"
        assert proxy.requests == []

    def test_invalid_proxy_variable_is_an_error_that_shows_no_password(
        self, service: RecordingServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("http_proxy", "socks5://u:canary@proxy.example")
        client = client_with(host=service.url)
        with pytest.raises(ValueError, match="http_proxy") as caught:
            client.call_api("/x", "GET")
        assert "canary" not in str(caught.value)
