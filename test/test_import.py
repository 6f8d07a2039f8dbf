"""The public names of the package and the side effects of importing it."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

import BlueJeansMeetingsRestApi as bluejeans
from BlueJeansMeetingsRestApi import exceptions, models


def run_in_new_process(program: str) -> str:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout


def test_import_loads_no_unneeded_module() -> None:
    program = (
        "import sys; before = set(sys.modules)\n"  # not empty if coverage is measured
        "import BlueJeansMeetingsRestApi as b; b.AuthenticationApi()\n"
        "unwanted = {'dateutil', 'multiprocessing', 'concurrent', 'flask', 'werkzeug', 'trustme', 'asyncio'}\n"
        "print(sorted(unwanted & {name.partition('.')[0] for name in sys.modules.keys() - before}))"
    )
    assert run_in_new_process(program) == "[]\n"


def test_import_starts_no_thread_and_configures_no_logger() -> None:
    program = (
        "import logging, threading, urllib3\n"
        "def loggers(): return [(n, l.level, l.handlers, l.propagate) for n, l in\n"
        "    sorted(logging.Logger.manager.loggerDict.items()) if isinstance(l, logging.Logger)\n"
        "    and not n.startswith('BlueJeans')] + [logging.root.level, logging.root.handlers]\n"
        "before = loggers()\n"
        "import BlueJeansMeetingsRestApi as b; b.AuthenticationApi()\n"
        "package = logging.getLogger('BlueJeansMeetingsRestApi')\n"
        "print(loggers() == before, threading.active_count(), package.handlers, package.level)"
    )
    assert run_in_new_process(program) == "True 1 [] 0\n"


@pytest.mark.parametrize(
    ("module", "names"),
    [
        ("rest", "ApiException RESTClientObject RESTResponse"),
        ("api", "AuthenticationApi"),
        ("api.authentication_api", "AuthenticationApi"),
        ("api_client", "ApiClient"),
        ("configuration", "Configuration"),
        ("models.grant_request_client", "GrantRequestClient"),
        ("models.grant_code_scope_app_permissions", "GrantCodeScopeAppPermissions"),
        ("models.inline_response200", "InlineResponse200"),
        ("models.error", "Error"),
    ],
)
def test_import_paths_of_the_2019_sdk_still_work(module: str, names: str) -> None:
    imported = importlib.import_module(f"BlueJeansMeetingsRestApi.{module}")
    assert [name for name in names.split() if not hasattr(imported, name)] == []


def test_package_exports_only_the_expected_names() -> None:
    public = {name for name, value in vars(bluejeans).items() if isinstance(value, type)} - LAZY_NAMES
    kinds = {n for n, v in vars(exceptions).items() if isinstance(v, type) and issubclass(v, Exception)}
    of_models = {n for n, v in vars(models).items() if isinstance(v, type)}
    assert public == kinds | of_models | {"ApiClient", "AuthenticationApi", "Configuration"}


LAZY_NAMES = {
    *("AccessToken", "Refresh"),
    *("AuthorizationCodeFlow", "authorization_url"),
    *("Credentials", "ClientCredentials", "MeetingCredentials", "PasswordCredentials", "RefreshTokenCredentials"),
    *("BearerAuth", "StaticToken", "TokenProvider", "TokenRefresher", "default_credentials"),
    *("FileTokenStore", "MemoryTokenStore", "RedisTokenStore", "TokenStore", "TokenStoreError"),
}


def test_credentials_module_is_loaded_on_first_use() -> None:
    program = (
        "import sys, BlueJeansMeetingsRestApi as b; b.AuthenticationApi()\n"
        "of_package = lambda: {n.partition('.')[2] for n in sys.modules if n.startswith('BlueJeans')}\n"
        "before = of_package(); b.ClientCredentials\n"
        "print('credentials' in before, 'credentials' in of_package())"
    )
    assert run_in_new_process(program) == "False True\n"


@pytest.mark.parametrize("name", sorted(LAZY_NAMES))
def test_lazily_loaded_name_is_available(name: str) -> None:
    assert name in dir(bluejeans)
    assert getattr(bluejeans, name).__name__ == name


def test_unknown_name_raises_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Credential'"):
        _ = bluejeans.Credential  # type: ignore[attr-defined]
