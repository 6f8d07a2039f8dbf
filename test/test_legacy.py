"""Legacy: programs that replace or extend parts of the 2019 SDK still work."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from multiprocessing.pool import ThreadPool
from typing import Any
from unittest import mock

import pytest

import BlueJeansMeetingsRestApi as bluejeans
from BlueJeansMeetingsRestApi.rest import RESTClientObject
from support.recording_server import RecordingServer, http_response

GRANT = {"access_token": "a-token", "expires_in": 3600}
REQUEST = bluejeans.GrantRequestClient(client_id="id", client_secret="secret")


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with RecordingServer([http_response(GRANT)]) as server:
        yield server


@pytest.fixture
def configuration(server: RecordingServer) -> bluejeans.Configuration:
    configuration = bluejeans.Configuration()
    configuration.host = server.url
    return configuration


class TestDirectRequests:
    def test_client_request_sends_to_a_whole_url(
        self, configuration: bluejeans.Configuration, server: RecordingServer
    ) -> None:
        with bluejeans.ApiClient(configuration) as client:
            url, headers = f"{server.url}/v1/user/7", {"Authorization": "Bearer x"}
            answer = client.request("GET", url, query_params=[("a", "b c")], headers=headers)
        sent = server.requests[0]
        assert (answer.status, sent.method, sent.target) == (200, "GET", "/v1/user/7?a=b+c")
        assert sent.headers["authorization"] == "Bearer x"

    @pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
    def test_rest_client_method_sends_to_a_whole_url(
        self, configuration: bluejeans.Configuration, server: RecordingServer, method: str
    ) -> None:
        with bluejeans.ApiClient(configuration) as client:
            headers = {"Content-Type": "application/json"}
            answer = getattr(client.rest_client, method)(f"{server.url}/x?y", headers=headers, body={"a": 1})
        sent = server.requests[0]
        assert (sent.method, sent.target, sent.json, answer.data[:1]) == (method, "/x?y", {"a": 1}, "{")

    def test_rest_client_method_raises_the_exception_of_the_status(
        self, configuration: bluejeans.Configuration, server: RecordingServer
    ) -> None:
        server.respond_with(http_response({"message": "no"}, status=404))
        with bluejeans.ApiClient(configuration) as client, pytest.raises(bluejeans.NotFoundError):
            client.rest_client.GET(f"{server.url}/x")

    def test_plain_http_to_another_host_is_rejected(self, configuration: bluejeans.Configuration) -> None:
        with bluejeans.ApiClient(configuration) as client, pytest.raises(ValueError, match="clear text"):
            client.request("GET", "http://other.example/x")

    def test_unknown_http_method_is_named_in_the_error(self, configuration: bluejeans.Configuration) -> None:
        with bluejeans.ApiClient(configuration) as client, pytest.raises(ValueError, match="not 'FETCH'"):
            client.request("fetch", f"{configuration.host}/x")


class TestReplacedMethods:
    def test_overridden_request_sends_the_calls(self, configuration: bluejeans.Configuration) -> None:
        class Signing(bluejeans.ApiClient):
            def request(self, method: str, url: str, **options: Any) -> Any:
                options["headers"]["X-Signature"] = "s"
                return super().request(method, url, **options)

        with Signing(configuration) as client, RecordingServer([http_response(GRANT)]) as server:
            configuration.host = server.url
            assert bluejeans.AuthenticationApi(client).get_token_by_client(REQUEST).access_token == "a-token"
        sent = server.requests[0]
        assert (sent.headers["x-signature"], sent.target) == ("s", "/oauth2/token?Client")
        assert sent.json == {"client_id": "id", "client_secret": "secret", "grant_type": "client_credentials"}

    def test_overridden_post_with_the_2019_signature_is_called(self, configuration: bluejeans.Configuration) -> None:
        seen = []

        class Logging(RESTClientObject):
            def POST(  # noqa: N802
                self,
                url: str,
                headers: Any = None,
                query_params: Any = None,
                post_params: Any = None,
                body: Any = None,
                _preload_content: bool = True,
                _request_timeout: Any = None,
            ) -> Any:
                seen.append(url)
                return self.request(
                    "POST",
                    url,
                    headers=headers,
                    query_params=query_params,
                    post_params=post_params,
                    body=body,
                    _preload_content=_preload_content,
                    _request_timeout=_request_timeout,
                )

        with bluejeans.ApiClient(configuration) as client:
            client.rest_client = Logging(configuration)
            grant = bluejeans.AuthenticationApi(client).get_token_by_client(REQUEST)
        assert (grant.expires_in, seen) == (3600, [f"{configuration.host}/oauth2/token?Client"])

    @pytest.mark.parametrize(
        "name", ["rest.RESTClientObject.request", "rest.RESTClientObject.POST", "ApiClient.request"]
    )
    def test_mock_of_a_sending_method_replaces_the_network(
        self, configuration: bluejeans.Configuration, server: RecordingServer, name: str
    ) -> None:
        answer = mock.Mock(status=200, data='{"access_token": "mocked"}')
        with mock.patch(f"BlueJeansMeetingsRestApi.{name}", return_value=answer):
            grant = bluejeans.AuthenticationApi(bluejeans.ApiClient(configuration)).get_token_by_client(REQUEST)
        assert (grant.access_token, server.connections) == ("mocked", 0)

    def test_overridden_request_gets_another_token_after_a_401(
        self, configuration: bluejeans.Configuration, server: RecordingServer
    ) -> None:
        class Own(bluejeans.ApiClient):
            def request(self, *args: Any, **options: Any) -> Any:
                return super().request(*args, **options)

        server.respond_with(
            http_response(GRANT),
            http_response(status=401),
            http_response({**GRANT, "access_token": "next"}),
            http_response({}),
        )
        configuration.credentials = bluejeans.ClientCredentials("id", "secret")
        with Own(configuration) as client:
            client.call_api("/v1/user/7", "GET")
        tokens = [sent.headers.get("authorization") for sent in server.requests]
        assert tokens == [None, "Bearer a-token", None, "Bearer next"]

    def test_overridden_call_api_with_the_2019_signature_is_called(
        self, configuration: bluejeans.Configuration
    ) -> None:
        seen = []

        class Counting(bluejeans.ApiClient):
            def call_api(  # type: ignore[override]
                self,
                resource_path: str,
                method: str,
                path_params: Any = None,
                query_params: Any = None,
                header_params: Any = None,
                body: Any = None,
                post_params: Any = None,
                files: Any = None,
                response_type: Any = None,
                auth_settings: Any = None,
                async_req: Any = None,
                _return_http_data_only: Any = None,
                collection_formats: Any = None,
                _preload_content: bool = True,
                _request_timeout: Any = None,
            ) -> Any:
                seen.append((resource_path, method, response_type))
                return super().call_api(
                    resource_path,
                    method,
                    path_params,
                    query_params,
                    header_params,
                    body,
                    response_type=response_type,
                    _return_http_data_only=_return_http_data_only,
                )

        with Counting(configuration) as client:
            bluejeans.AuthenticationApi(client).get_token_by_client(REQUEST)
        assert seen == [("/oauth2/token?Client", "POST", "GrantClient")]

    @pytest.mark.parametrize("operation", ["get_token_by_client", "get_token_info", "get_authorization_code"])
    def test_overridden_call_api_gets_lists_of_pairs_and_all_keywords(
        self, configuration: bluejeans.Configuration, server: RecordingServer, operation: str
    ) -> None:
        class Traced(bluejeans.ApiClient):
            def call_api(self, path, method, path_params, query_params, header_params, **options):  # type: ignore[no-untyped-def,override]
                query_params.append(("trace", "1"))
                seen.append(options)
                return super().call_api(path, method, path_params, query_params, header_params, **options)

        seen: list[dict[str, Any]] = []
        with bluejeans.AuthenticationApi(Traced(configuration)) as api:
            getattr(api, operation)(**({"grant_request_client": REQUEST} if operation == "get_token_by_client" else {}))
        assert server.requests[0].target.endswith("trace=1")
        names = {"body", "post_params", "files", "response_type", "auth_settings", "collection_formats"}
        assert names <= seen[0].keys()

    @pytest.mark.parametrize("body", [{}, [], 0, False, ""])
    def test_overridden_request_sends_empty_bodies_as_json(
        self, configuration: bluejeans.Configuration, server: RecordingServer, body: Any
    ) -> None:
        class Signing(bluejeans.ApiClient):
            def request(self, *args: Any, **options: Any) -> Any:
                return super().request(*args, **options)

        with Signing(configuration) as client:
            client.call_api("/x", "POST", body=body)
        assert server.requests[0].json == body

    def test_overridden_request_does_not_log_path_parameters(
        self, configuration: bluejeans.Configuration, caplog: pytest.LogCaptureFixture
    ) -> None:
        class Own(bluejeans.ApiClient):
            def request(self, *args: Any, **options: Any) -> Any:
                return super().request(*args, **options)

        caplog.set_level("DEBUG")
        with Own(configuration) as client:
            client.call_api("/v1/user/{id}", "GET", path_params={"id": "canary"})
        assert "/v1/user/{id} -> 200" in caplog.text
        assert "canary" not in caplog.text

    def test_unmodified_client_does_not_load_the_legacy_module(self, server: RecordingServer) -> None:
        program = (
            "import sys, BlueJeansMeetingsRestApi as b; c = b.Configuration(); c.host = sys.argv[1]\n"
            "b.AuthenticationApi(b.ApiClient(c)).get_token_by_client({'client_id': 'x'})\n"
            "print('BlueJeansMeetingsRestApi.legacy' in sys.modules)"
        )
        ran = subprocess.run([sys.executable, "-c", program, server.url], capture_output=True, text=True, check=True)
        assert ran.stdout == "False\n"

    def test_mock_of_the_with_http_info_variant_is_called(self, configuration: bluejeans.Configuration) -> None:
        name = "BlueJeansMeetingsRestApi.AuthenticationApi.get_token_by_client_with_http_info"
        api = bluejeans.AuthenticationApi(bluejeans.ApiClient(configuration))
        with mock.patch(name, return_value="mocked") as mocked:
            assert api.get_token_by_client(REQUEST) == "mocked"
        mocked.assert_called_once_with(REQUEST, _return_http_data_only=True)

    def test_operation_calls_its_overridden_with_http_info_variant(
        self, configuration: bluejeans.Configuration
    ) -> None:
        class Api(bluejeans.AuthenticationApi):
            def get_token_by_client_with_http_info(self, *args: Any, **options: Any) -> Any:
                seen.append(options["_return_http_data_only"])
                return super().get_token_by_client_with_http_info(*args, **options)

        seen: list[bool] = []
        with Api(bluejeans.ApiClient(configuration)) as api:
            assert api.get_token_by_client(REQUEST).access_token == "a-token"
        assert seen == [True]

    def test_assigned_pool_runs_async_calls(self, configuration: bluejeans.Configuration) -> None:
        with ThreadPool(1) as own, bluejeans.ApiClient(configuration) as client:
            client.pool = own
            call: Any = bluejeans.AuthenticationApi(client).get_token_by_client(REQUEST, async_req=True)
            assert (call.get().access_token, client.pool) == ("a-token", own)


class TestSubclassedModels:
    def test_overridden_constructor_of_a_model_is_called(self) -> None:
        class FromVault(bluejeans.GrantRequestClient):
            def __init__(self, vault: dict[str, str]) -> None:
                super().__init__(client_id=vault["id"], client_secret=vault["secret"])

        made = FromVault({"id": "a", "secret": "b"})
        assert made.to_dict() == {"grant_type": "client_credentials", "client_id": "a", "client_secret": "b"}
        assert FromVault({"id": "c", "secret": "d"}).client_id == "c"

    def test_constructor_of_a_mixin_is_called(self) -> None:
        class Timed:
            def __init__(self, *args: Any, **kwargs: Any) -> None:
                super().__init__(*args, **kwargs)
                self.fetched_at = 7

        class TimedGrant(Timed, bluejeans.GrantClient):
            pass

        read = bluejeans.ApiClient().deserialize(mock.Mock(data='{"access_token": "t"}'), TimedGrant)
        assert (TimedGrant("t").fetched_at, read.fetched_at, read.access_token) == (7, 7, "t")

    def test_subclass_adds_a_field_like_the_2019_generator(self) -> None:
        class More(bluejeans.Partition):
            swagger_types = {**bluejeans.Partition.swagger_types, "colour": "str"}
            attribute_map = {**bluejeans.Partition.attribute_map, "colour": "theColour"}

            def __init__(self, id: int | None = None, name: str | None = None, colour: str | None = None) -> None:
                super().__init__(id, name)
                self.colour = colour

        client = bluejeans.ApiClient()
        read = client.deserialize(mock.Mock(data='{"id": 1, "theColour": "blue"}'), More)
        assert read.to_dict() == {"id": 1, "name": None, "colour": "blue"}
        assert client.sanitize_for_serialization(read) == {"id": 1, "theColour": "blue"}
        assert repr(read) == "{'colour': 'blue', 'id': 1, 'name': None}"

    def test_empty_subclass_of_a_model_is_equal_to_it(self) -> None:
        class Mine(bluejeans.Partition):
            pass

        assert (
            (Mine(1, "z1") == bluejeans.Partition(1, "z1")) is (bluejeans.Partition(1, "z1") == Mine(1, "z1")) is True
        )

    @pytest.mark.parametrize("name", ["access_token", "expires_in", "scope"])
    def test_autospec_of_a_model_has_its_attributes(self, name: str) -> None:
        assert hasattr(mock.create_autospec(bluejeans.GrantClient, instance=True), name)
