"""vcrpy records and replays the calls of this package."""

from __future__ import annotations

import importlib
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

import BlueJeansMeetingsRestApi as bluejeans
from support.recording_server import RecordingServer, http_response

# On Python 3.9 vcrpy requires urllib3 1.26.
vcr: Any = pytest.importorskip("vcr")

SECRETS = ["canary-client-secret", "canary-access-token", "canary-granted"]
GRANT = {"access_token": "canary-granted", "expires_in": 3600}


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with RecordingServer([http_response(GRANT)]) as server:
        yield server


@pytest.fixture
def configuration(server: RecordingServer) -> bluejeans.Configuration:
    configuration = bluejeans.Configuration()
    configuration.host, configuration.trust_env = server.url, False
    return configuration


@pytest.fixture
def api(configuration: bluejeans.Configuration) -> Iterator[bluejeans.AuthenticationApi]:
    with bluejeans.AuthenticationApi(bluejeans.ApiClient(configuration)) as api:
        yield api


def token(api: bluejeans.AuthenticationApi) -> str | None:
    return api.get_token_by_client({"client_id": "an-id", "client_secret": "canary-client-secret"}).access_token


class TestVcrpy:
    @pytest.fixture(autouse=True)
    def quiet(self) -> None:
        logging.getLogger("vcr").setLevel(logging.WARNING)

    def test_recorded_call_is_replayed_without_the_service(
        self, configuration: bluejeans.Configuration, server: RecordingServer, tmp_path: Path
    ) -> None:
        cassette = str(tmp_path / "cassette.yaml")
        with vcr.use_cassette(cassette), bluejeans.AuthenticationApi(bluejeans.ApiClient(configuration)) as api:
            assert token(api) == "canary-granted"
        with (
            vcr.use_cassette(cassette, record_mode="none", match_on=["method", "uri", "body"]) as played,
            bluejeans.AuthenticationApi(bluejeans.ApiClient(configuration)) as api,
        ):
            assert token(api) == "canary-granted"
        assert (played.play_count, len(server.requests)) == (1, 1)
        (request,) = played.requests
        assert (request.method, request.uri) == ("POST", f"{server.url}/oauth2/token?Client")
        assert json.loads(request.body)["client_secret"] == "canary-client-secret"

    def test_client_is_recorded_only_inside_a_cassette(
        self, api: bluejeans.AuthenticationApi, server: RecordingServer, tmp_path: Path
    ) -> None:
        token(api)
        with vcr.use_cassette(str(tmp_path / "cassette.yaml")) as recorded:
            token(api)
        token(api)
        assert (len(recorded.requests), len(server.requests)) == (1, 3)

    def test_call_over_tls_is_recorded_and_replayed(self, tmp_path: Path) -> None:
        import ssl

        authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(context)
        authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
        configuration = bluejeans.Configuration()
        configuration.ssl_ca_cert = str(tmp_path / "ca.pem")
        with RecordingServer([http_response(GRANT)], tls=context) as server:
            configuration.host = server.url
            for _ in range(2):
                with (
                    vcr.use_cassette(str(tmp_path / "cassette.yaml")),
                    bluejeans.AuthenticationApi(bluejeans.ApiClient(configuration)) as api,
                ):
                    assert token(api) == "canary-granted"
            assert len(server.requests) == 1

    def test_error_and_retries_are_recorded_and_replayed(
        self, configuration: bluejeans.Configuration, server: RecordingServer, tmp_path: Path
    ) -> None:
        server.respond_with(http_response(status=503, Retry_After="0"), http_response({"message": "No"}, 401))
        for _ in range(2):
            with (
                vcr.use_cassette(str(tmp_path / "cassette.yaml"), allow_playback_repeats=False) as cassette,
                bluejeans.AuthenticationApi(bluejeans.ApiClient(configuration)) as api,
                pytest.raises(bluejeans.UnauthorizedError, match="No") as caught,
            ):
                token(api)
            assert (caught.value.attempts, len(cassette.requests)) == (2, 2)
        assert len(server.requests) == 2

    def test_documented_filters_keep_secrets_out_of_a_cassette(
        self, configuration: bluejeans.Configuration, server: RecordingServer, tmp_path: Path
    ) -> None:
        page = (Path(__file__).parents[2] / "docs" / "TESTING.md").read_text("utf-8")
        code = page.partition("## My tests record and replay calls")[2].partition("```py\n")[2].partition("```")[0]
        namespace: dict[str, Any] = {}
        exec(code, namespace)
        server.respond_with(http_response(GRANT), http_response({"user": 1}))
        cassette = tmp_path / "cassette.yaml"
        for _ in range(2):
            with (
                namespace["recorder"].use_cassette(str(cassette)),
                bluejeans.AuthenticationApi(bluejeans.ApiClient(configuration)) as api,
            ):
                assert token(api)
                api.get_token_info(access_token="canary-access-token")
                api.api_client.call_api("/x", "GET", header_params={"Authorization": "Bearer canary-access-token"})
        assert "/oauth2/tokenInfo" in cassette.read_text("utf-8")
        assert [secret for secret in SECRETS if secret in cassette.read_text("utf-8")] == []
        assert len(server.requests) == 3

    def test_package_that_is_imported_inside_a_cassette_works_outside_of_it(self, server: RecordingServer) -> None:
        program = f"""
import vcr
with vcr.use_cassette("/dev/null", record_mode="none"):
    import BlueJeansMeetingsRestApi as bluejeans
    from BlueJeansMeetingsRestApi.transport.pool import _pool_classes
    _pool_classes()
configuration = bluejeans.Configuration()
configuration.host, configuration.trust_env = {server.url!r}, False
with bluejeans.ApiClient(configuration) as client:
    print(client.call_api("/", "GET")[1])
"""
        root = Path(__file__).parents[2]
        printed = subprocess.run(
            [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, timeout=120, check=False
        )
        assert (printed.stdout, printed.stderr) == ("200\n", "")

    def test_filter_of_the_testing_page_keeps_secrets_out_of_a_cassette(
        self, api: bluejeans.AuthenticationApi, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.syspath_prepend(Path(__file__).parents[2] / "examples" / "testing")
        recorder: Any = importlib.import_module("cassettes").recorder
        cassette = tmp_path / "cassette.yaml"
        for _ in range(2):
            with recorder.use_cassette(str(cassette)) as played:
                granted = token(api)
                api.get_token_info(access_token="canary-access-token")
        assert (granted, played.play_count) == ("masked", 2)
        assert [secret for secret in SECRETS if secret in cassette.read_text(encoding="utf-8")] == []
