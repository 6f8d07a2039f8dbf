"""What importing the package gives, and what it leaves alone."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

import BlueJeansMeetingsRestApi as bluejeans
from BlueJeansMeetingsRestApi import exceptions, models


def in_a_new_process(program: str) -> str:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout


def test_it_loads_nothing_that_is_not_needed_yet() -> None:
    program = (
        "import sys; before = set(sys.modules)\n"  # which are those of coverage, where that is measured
        "import BlueJeansMeetingsRestApi as b; b.AuthenticationApi()\n"
        "unwanted = {'dateutil', 'multiprocessing', 'concurrent', 'flask', 'werkzeug', 'trustme', 'asyncio'}\n"
        "print(sorted(unwanted & {name.partition('.')[0] for name in sys.modules.keys() - before}))"
    )
    assert in_a_new_process(program) == "[]\n"


def test_it_starts_no_thread_and_touches_no_logger() -> None:
    program = (
        "import logging, threading, urllib3\n"
        "def seen(): return [(n, l.level, l.handlers, l.propagate) for n, l in\n"
        "    sorted(logging.Logger.manager.loggerDict.items()) if isinstance(l, logging.Logger)\n"
        "    and not n.startswith('BlueJeans')] + [logging.root.level, logging.root.handlers]\n"
        "before = seen()\n"
        "import BlueJeansMeetingsRestApi as b; b.AuthenticationApi()\n"
        "package = logging.getLogger('BlueJeansMeetingsRestApi')\n"
        "print(seen() == before, threading.active_count(), package.handlers, package.level)"
    )
    assert in_a_new_process(program) == "True 1 [] 0\n"


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
def test_the_names_of_the_2019_sdk_are_where_they_were(module: str, names: str) -> None:
    where = importlib.import_module(f"BlueJeansMeetingsRestApi.{module}")
    assert [name for name in names.split() if not hasattr(where, name)] == []


def test_every_public_name_is_in_one_place() -> None:
    public = {name for name, value in vars(bluejeans).items() if isinstance(value, type)} - LATER
    kinds = {n for n, v in vars(exceptions).items() if isinstance(v, type) and issubclass(v, Exception)}
    of_models = {n for n, v in vars(models).items() if isinstance(v, type)}
    assert public == kinds | of_models | {"ApiClient", "AuthenticationApi", "Configuration"}


LATER = {
    *("AccessToken", "Refresh", "TokenProvider"),
    *("AuthorizationCodeFlow", "authorization_url"),
    *("Credentials", "ClientCredentials", "MeetingCredentials", "PasswordCredentials", "RefreshTokenCredentials"),
    *("StaticToken", "default_credentials"),
    *("FileTokenStore", "MemoryTokenStore", "RedisTokenStore", "TokenStore", "TokenStoreError"),
}


def test_what_keeps_tokens_valid_is_loaded_when_it_is_asked_for() -> None:
    program = (
        "import sys, BlueJeansMeetingsRestApi as b; b.AuthenticationApi()\n"
        "of_package = lambda: {n.partition('.')[2] for n in sys.modules if n.startswith('BlueJeans')}\n"
        "before = of_package(); b.ClientCredentials\n"
        "print('credentials' in before, 'credentials' in of_package())"
    )
    assert in_a_new_process(program) == "False True\n"


@pytest.mark.parametrize("name", sorted(LATER))
def test_a_name_that_is_loaded_later_is_there(name: str) -> None:
    assert name in dir(bluejeans)
    assert getattr(bluejeans, name).__name__ == name


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Credential'"):
        _ = bluejeans.Credential  # type: ignore[attr-defined]
