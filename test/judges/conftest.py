"""What the judges share: programs that others wrote, which look at the sandbox, the client and docs/openapi.yaml.

`tox -e judges` installs them. Elsewhere they are skipped, with what is missing as the reason.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from node import Node

import BlueJeansMeetingsRestApi as bluejeans
from BlueJeansMeetingsRestApi.sandbox import Sandbox

if TYPE_CHECKING:
    from browser import Browser

HERE = Path(__file__).parent
NEEDED = (HERE / "requirements.txt").read_text(encoding="utf-8")
MISSING = [name for name in re.findall("# imported as (.+)", NEEDED) if not importlib.util.find_spec(name)]
REASON = f"`tox -e judges` runs these; here is no {', '.join(MISSING)}"

if MISSING and os.environ.get("JUDGES") == "required":
    raise pytest.UsageError(REASON)


class SkippedModule(pytest.Module):
    """A file of tests that is not imported, as what it imports is not installed."""

    def collect(self) -> Any:
        pytest.skip(REASON, allow_module_level=True)


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Module | None:
    return SkippedModule.from_parent(parent, path=module_path) if MISSING else None


@pytest.fixture(scope="session")
def node(pytestconfig: pytest.Config) -> Node:
    """The judges that are written in JavaScript, installed anew where package-lock.json has changed."""
    assert pytestconfig.cache is not None
    return Node(pytestconfig.cache.mkdir("judges"))


@pytest.fixture(scope="session")
def document() -> Path:
    """The OpenAPI document."""
    return HERE.parent.parent / "docs" / "openapi.yaml"


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """One service for all of these tests: those of hypothesis may not have one for each."""
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def browser(sandbox: Sandbox) -> Browser:
    """The sandbox's user at a browser. Their name at oidc-provider is their id."""
    from browser import Browser

    return Browser(sandbox.username, sandbox.password)


@pytest.fixture(scope="session")
def client() -> dict[str, str]:
    """The credentials of the client that oidc-provider knows."""
    return {"client_id": "an-application", "client_secret": secrets.token_hex(16)}


@pytest.fixture(scope="session")
def provider(node: Node, client: dict[str, str]) -> Iterator[str]:
    """The address of oidc-provider, for clients that speak the service's dialect."""
    from shim import ServersDialect

    paths = {
        "authorize": "/auth",
        "token": "/token",
        "revoke": "/token/revocation",
        "introspect": "/token/introspection",
    }
    settings = {"ISSUER": "http://127.0.0.1", **{name.upper(): value for name, value in client.items()}}
    with node.serve("node", "provider.mjs", **settings) as url, ServersDialect(url, **client, **paths) as proxy:
        yield proxy.url


@pytest.fixture
def provider_api(provider: str) -> Iterator[bluejeans.AuthenticationApi]:
    """The operations, against oidc-provider."""
    configuration = bluejeans.Configuration()
    configuration.host = provider
    with bluejeans.AuthenticationApi(bluejeans.ApiClient(configuration)) as api:
        yield api


@pytest.fixture(scope="session")
def generated(document: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The package that openapi-generator makes."""
    import openapi_generator_cli

    folder = tmp_path_factory.mktemp("generated")
    options = [f"--input-spec={document}", f"--output={folder}", "--package-name=generated_client"]
    openapi_generator_cli.run(["generate", "--generator-name=python", *options]).check_returncode()
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        yield importlib.import_module("generated_client")


@pytest.fixture(scope="session")
def theirs(generated: Any) -> Any:
    return generated.ApiClient()


@pytest.fixture(scope="session")
def ours() -> Iterator[bluejeans.ApiClient]:
    with bluejeans.ApiClient() as client:
        yield client
