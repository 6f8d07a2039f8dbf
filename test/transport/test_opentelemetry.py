"""OpenTelemetry's instrumentation of urllib3 traces each attempt of a call, without a secret."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

import BlueJeansMeetingsRestApi as bluejeans
from support.recording_server import RecordingServer, http_response, reset

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


class TestOpenTelemetry:
    @pytest.fixture
    def spans(self) -> Iterator[Any]:
        """A function that returns the finished spans. The instrumentation captures every header that it can see."""
        from opentelemetry.instrumentation.urllib3 import URLLib3Instrumentor
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import SimpleSpanProcessor
        from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

        exporter, provider = InMemorySpanExporter(), TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        instrumentor = URLLib3Instrumentor()
        instrumentor.instrument(
            tracer_provider=provider, captured_request_headers=[".*"], captured_response_headers=[".*"]
        )
        yield exporter.get_finished_spans
        instrumentor.uninstrument()

    def test_each_attempt_has_one_span_and_its_own_traceparent(
        self, api: bluejeans.AuthenticationApi, server: RecordingServer, spans: Any
    ) -> None:
        server.respond_with(http_response(status=503, Retry_After="0"), reset, http_response(GRANT))
        assert token(api) == "canary-granted"
        found = spans()
        assert [span.attributes.get("http.status_code") for span in found] == [503, None, 200]
        assert {(span.kind.name, span.name) for span in found} == {("CLIENT", "POST")}
        assert {span.attributes["http.url"] for span in found} == {f"{server.url}/oauth2/token?Client"}
        sent = [request.headers["traceparent"].split("-")[1:3] for request in server.requests]
        assert sent == [[f"{span.context.trace_id:032x}", f"{span.context.span_id:016x}"] for span in found]

    def test_spans_contain_no_secret(
        self, api: bluejeans.AuthenticationApi, server: RecordingServer, spans: Any
    ) -> None:
        server.respond_with(http_response(GRANT), http_response({"user": 1}), http_response(status=401), reset)
        token(api)
        api.get_token_info(access_token="canary-access-token")
        with pytest.raises(bluejeans.UnauthorizedError):
            api.get_token_info(access_token="canary-access-token")
        client = api.api_client
        with pytest.raises(bluejeans.ApiConnectionError):
            client.call_api("/x", "GET", header_params={"Authorization": "Bearer canary-access-token"})
        shown = "".join(span.to_json() for span in spans())
        assert len(spans()) > 3
        assert [secret for secret in SECRETS if secret in shown] == []
        assert "/oauth2/tokenInfo" in shown
        assert "canary-access-token" in server.requests[1].target

    def test_call_over_tls_has_a_span(self, spans: Any, tmp_path: Path) -> None:
        import ssl

        authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(context)
        authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
        configuration = bluejeans.Configuration()
        configuration.ssl_ca_cert = str(tmp_path / "ca.pem")
        with RecordingServer([http_response(GRANT)], tls=context) as server:
            configuration.host = server.url
            with bluejeans.AuthenticationApi(bluejeans.ApiClient(configuration)) as api:
                assert token(api) == "canary-granted"
            assert [span.attributes["http.url"] for span in spans()] == [f"{server.url}/oauth2/token?Client"]
            assert "traceparent" in server.requests[0].headers
