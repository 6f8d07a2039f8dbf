"""`Configuration`: the settings of the 2019 SDK and ours, what is refused, and what is left alone."""

from __future__ import annotations

import copy
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import BlueJeansMeetingsRestApi as bluejeans
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


def made_with(**settings: Any) -> bluejeans.ApiClient:
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
    def test_is(self, name: str, value: Any) -> None:
        assert getattr(bluejeans.Configuration(), name) == value

    def test_loggers_are_those_of_the_2019_sdk(self) -> None:
        names = {key: logger.name for key, logger in bluejeans.Configuration().logger.items()}
        assert names == {"package_logger": "BlueJeansMeetingsRestApi", "urllib3_logger": "urllib3"}

    def test_two_share_nothing(self) -> None:
        bluejeans.Configuration().api_key["access_token"] = "a"
        assert bluejeans.Configuration().api_key == {}

    def test_can_be_set(self) -> None:
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
    def test_a_copy_shares_nothing(self, copied: Any) -> None:
        first = bluejeans.Configuration()
        second = copied(first)
        second.api_key["access_token"] = "a"
        assert first.api_key == {}


class TestAuthorization:
    def test_a_key_with_its_prefix(self) -> None:
        configuration = bluejeans.Configuration()
        assert configuration.get_api_key_with_prefix("access_token") is None
        configuration.api_key["access_token"] = "abc"
        assert configuration.get_api_key_with_prefix("access_token") == "abc"
        configuration.api_key_prefix["access_token"] = "Bearer"
        assert configuration.get_api_key_with_prefix("access_token") == "Bearer abc"

    def test_settings_have_the_shape_of_the_2019_sdk(self) -> None:
        configuration = bluejeans.Configuration()
        configuration.api_key["access_token"] = "abc"
        assert configuration.auth_settings() == {
            "access_token": {"type": "api_key", "in": "query", "key": "access_token", "value": "abc"}
        }

    def test_basic_auth_takes_any_letters(self) -> None:
        configuration = bluejeans.Configuration()
        configuration.username, configuration.password = "joe", "pä:€"
        assert configuration.get_basic_auth_token() == "Basic am9lOnDDpDrigqw="

    def test_its_text_shows_no_secret(self) -> None:
        configuration = bluejeans.Configuration()
        configuration.api_key["access_token"] = configuration.password = "canary"
        assert "canary" not in f"{configuration!r} {bluejeans.ApiClient(configuration)!r}"


def test_debug_report_names_the_versions() -> None:
    report = bluejeans.Configuration().to_debug_report()
    assert report.startswith("Python SDK Debug Report:\nOS: ")
    assert report.endswith(f"API: 1.0.4402212019\nSDK Package Version: {bluejeans.__version__}")


class TestBadSettings:
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
    def test_a_host_that_is_none_is_named_and_shown(self, host: Any, shown: str) -> None:
        with pytest.raises(ValueError, match=f"Configuration.host .*{shown}") as caught:
            made_with(host=host)
        assert "canary" not in str(caught.value)

    @pytest.mark.parametrize("host", ["http://127.0.0.1", "http://localhost:8080", "http://[::1]:1/x", "https://h/x/y"])
    def test_a_host_on_this_machine_or_below_a_path_is_taken(self, host: str) -> None:
        made_with(host=host)

    def test_an_insecure_host_is_taken_where_it_is_allowed(self) -> None:
        made_with(host="http://mirror.example", allow_insecure_host=True)

    def test_a_host_set_later_is_checked_before_anything_is_sent(self) -> None:
        client = made_with()
        client.configuration.host = "http://mirror.example"
        with pytest.raises(ValueError, match="clear text"):
            bluejeans.AuthenticationApi(client).get_token_info(access_token="x")

    @pytest.mark.parametrize("name", ["ssl_ca_cert", "cert_file", "key_file"])
    def test_a_file_that_is_not_there_is_named(self, name: str) -> None:
        with pytest.raises(ValueError, match=f"Configuration.{name} names no file: '/not/there.pem'"):
            made_with(**{name: "/not/there.pem"})

    def test_a_folder_of_authorities_is_taken(self, tmp_path: Path) -> None:
        made_with(ssl_ca_cert=str(tmp_path))

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
    def test_a_proxy_that_is_none_is_named(self, proxy: str) -> None:
        with pytest.raises(ValueError, match=r"Configuration\.proxy") as caught:
            made_with(proxy=proxy)
        assert "canary" not in str(caught.value)

    def test_a_proxy_may_ask_for_a_password(self) -> None:
        made_with(proxy="http://user:password@proxy.example:3128")

    @pytest.mark.parametrize("name", ["connect_timeout", "read_timeout", "call_timeout"])
    @pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf")])
    def test_a_time_in_which_nothing_can_end_is_named(self, name: str, value: float) -> None:
        with pytest.raises(ValueError, match=f"Configuration.{name} .*{value}"):
            made_with(**{name: value})

    @pytest.mark.parametrize("value", ["5", None, True])
    def test_a_time_that_is_no_number_is_named(self, value: Any) -> None:
        with pytest.raises(TypeError, match="Configuration.call_timeout"):
            made_with(call_timeout=value)

    @pytest.mark.parametrize("name", ["max_attempts", "max_response_bytes", "connection_pool_maxsize"])
    @pytest.mark.parametrize("value", [0, 1.5, True, "3"])
    def test_a_count_that_is_none_is_named(self, name: str, value: Any) -> None:
        with pytest.raises(ValueError, match=f"Configuration.{name} "):
            made_with(**{name: value})


class TestLogging:
    def test_debug_sets_the_level_of_this_packages_logger_alone(self) -> None:
        others = [logging.getLogger(), logging.getLogger("urllib3"), logging.getLogger("http.client")]
        before = [(logger.level, list(logger.handlers)) for logger in others]
        configuration = bluejeans.Configuration()
        configuration.debug = True
        assert (PACKAGE.level, configuration.debug) == (logging.DEBUG, True)
        configuration.debug = False
        assert PACKAGE.level == logging.NOTSET
        assert before == [(logger.level, list(logger.handlers)) for logger in others]

    def test_making_one_touches_no_logger(self) -> None:
        PACKAGE.setLevel(logging.ERROR)
        bluejeans.Configuration().debug = False
        assert PACKAGE.level == logging.ERROR

    def test_debug_is_seen_where_the_program_has_no_handler(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(logging.getLogger(), "handlers", [])
        bluejeans.Configuration().debug = True
        PACKAGE.debug("seen")
        assert "DEBUG seen" in capsys.readouterr().err

    def test_a_file_takes_the_log(self, tmp_path: Path) -> None:
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

    def test_each_request_is_a_line_without_its_content(
        self, api: bluejeans.AuthenticationApi, caplog: pytest.LogCaptureFixture
    ) -> None:
        api.api_client.configuration.debug = True
        with pytest.raises(bluejeans.UnauthorizedError):
            api.get_token_by_client({"grant_type": "client_credentials", "client_id": "i", "client_secret": "canary"})
        (line,) = (record.getMessage() for record in caplog.records if record.name.startswith(PACKAGE.name + ".rest"))
        assert line.startswith(f"POST {api.api_client.configuration.host}/oauth2/token?Client -> 401 in ")


class TestProxyOfTheEnvironment:
    @pytest.fixture
    def proxy(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[RecordingServer]:
        with RecordingServer([http_response({})]) as proxy:
            monkeypatch.setenv("http_proxy", f"127.0.0.1:{proxy.port}")
            yield proxy

    @pytest.fixture
    def service(self) -> Iterator[RecordingServer]:
        with RecordingServer([http_response({})]) as service:
            yield service

    def test_is_the_way(self, proxy: RecordingServer, service: RecordingServer) -> None:
        with made_with(host=service.url) as client:
            client.call_api("/x", "GET", query_params={"a": 1})
        assert [request.target for request in proxy.requests] == [f"{service.url}/x?a=1"]
        assert service.requests == []

    def test_is_not_where_no_proxy_says_so(
        self, proxy: RecordingServer, service: RecordingServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        with made_with(host=service.url) as client:
            client.call_api("/x", "GET")
        assert (len(proxy.requests), len(service.requests)) == (0, 1)

    def test_is_not_where_the_environment_is_not_trusted(
        self, proxy: RecordingServer, service: RecordingServer
    ) -> None:
        with made_with(host=service.url, trust_env=False) as client:
            client.call_api("/x", "GET")
        assert (len(proxy.requests), len(service.requests)) == (0, 1)

    def test_gives_way_to_the_setting(self, proxy: RecordingServer, service: RecordingServer) -> None:
        with RecordingServer([http_response({})]) as other:
            proxied = f"http://user:p%40ss@127.0.0.1:{other.port}"
            with made_with(host=service.url, proxy=proxied) as client:
                client.call_api("/x", "GET")
            assert other.requests[0].headers["proxy-authorization"] == "Basic dXNlcjpwQHNz"
        assert proxy.requests == []

    def test_that_is_none_is_named_without_its_password(
        self, service: RecordingServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("http_proxy", "socks5://u:canary@proxy.example")
        client = made_with(host=service.url)
        with pytest.raises(ValueError, match="http_proxy") as caught:
            client.call_api("/x", "GET")
        assert "canary" not in str(caught.value)
