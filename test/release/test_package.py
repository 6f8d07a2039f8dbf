"""What users install: the sdist and the wheel, tried where nothing else is."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from BlueJeansMeetingsRestApi.sandbox import Sandbox
from support.environments import Environment, succeed

Install = Callable[..., Environment]
# May be shipped with a program that keeps its own source to itself. MPL 2.0 is that of certifi's list of authorities.
PERMISSIVE = "Apache;BSD;MIT;Mozilla Public License 2.0;MPL-2.0;Python Software Foundation;PSF-2.0"

GET_A_TOKEN = """
import os
import BlueJeansMeetingsRestApi as bluejeans

configuration = bluejeans.Configuration()
configuration.host = os.environ["BLUEJEANS_HOST"]
api = bluejeans.AuthenticationApi(bluejeans.ApiClient(configuration))
identity = (os.environ["BLUEJEANS_CLIENT_ID"], os.environ["BLUEJEANS_CLIENT_SECRET"])
grant = api.get_token_by_client(bluejeans.GrantRequestClient("client_credentials", *identity))
assert len(bluejeans.ClientCredentials(*identity, api=api).get_token().token) == 32
print("a token for enterprise", grant.scope.enterprise)
"""

PACKAGES_OF_EXTRAS = """
import importlib.metadata, re

asked = {line for line in importlib.metadata.requires("BlueJeansMeetingsRestApi") if "extra ==" in line}
print(*sorted({re.search(r'extra == "(\\w+)"', line)[1] for line in asked} - {"all", "benchmarks"}))
installed = {found.metadata["Name"].lower() for found in importlib.metadata.distributions()}
print("installed:", *installed & {re.match(r"[\\w.-]+", line)[0].lower() for line in asked})
"""

WITHOUT_AN_EXTRA = {
    "sandbox": "from BlueJeansMeetingsRestApi.sandbox import Sandbox; Sandbox().start()",
    "file": "from BlueJeansMeetingsRestApi import FileTokenStore; FileTokenStore('tokens.json')",
    "cli": "from BlueJeansMeetingsRestApi.cli.sign_ins import store_path; store_path()",
    "redis": "from BlueJeansMeetingsRestApi import RedisTokenStore; RedisTokenStore('redis://127.0.0.1')",
    "encryption": "from BlueJeansMeetingsRestApi import FileTokenStore; FileTokenStore('t', encryption_key='k')",
}


@pytest.fixture(scope="session")
def oldest_python() -> str:
    """The oldest Python that the package is for."""
    found = shutil.which("python3.9")
    if found is None or subprocess.run([found, "--version"], capture_output=True, check=False).returncode:
        if os.environ.get("BLUEJEANS_TEST_SKIPS_NOTHING"):
            pytest.fail("python3.9 is missing")
        pytest.skip("python3.9 is missing")
    return found


@pytest.fixture(params=["wheel", "sdist", "wheel on the oldest Python"])
def alone(request: pytest.FixtureRequest, install: Install) -> Environment:
    """Where the package is installed with what it depends on, and nothing else is."""
    kind, _, oldest = request.param.partition(" on ")
    return install(kind, python=request.getfixturevalue("oldest_python") if oldest else sys.executable)


def test_they_are_what_an_index_takes(built: dict[str, Path]) -> None:
    succeed(sys.executable, "-m", "twine", "check", "--strict", *built.values())


def test_the_wheel_holds_nothing_that_it_should_not(built: dict[str, Path]) -> None:
    succeed(sys.executable, "-m", "check_wheel_contents", built["wheel"])


def test_the_wheel_holds_every_file_of_the_package(built: dict[str, Path], tracked: list[str]) -> None:
    with zipfile.ZipFile(built["wheel"]) as wheel:
        held = set(wheel.namelist())
    assert {name for name in tracked if name.startswith("BlueJeansMeetingsRestApi/")} - held == set()


def test_the_sdist_holds_what_it_takes_to_run_the_tests(built: dict[str, Path], tracked: list[str]) -> None:
    with tarfile.open(built["sdist"]) as sdist:
        held = {name.partition("/")[2] for name in sdist.getnames()}
    folders = ("BlueJeansMeetingsRestApi/", "docs/", "examples/", "test/", "tox", "pyproject.toml", "README.md")
    assert {name for name in tracked if name.startswith(folders)} - held == set()


def test_the_core_brings_nothing_of_the_extras(alone: Environment) -> None:
    ended = alone.run("python", "-c", PACKAGES_OF_EXTRAS)
    assert (ended.stderr, ended.stdout) == ("", f"{' '.join(sorted(WITHOUT_AN_EXTRA))}\ninstalled:\n")


def test_the_core_gets_a_token(alone: Environment, bluejeans_sandbox: Sandbox) -> None:
    identity = {"BLUEJEANS_CLIENT_ID": bluejeans_sandbox.client_id}
    identity["BLUEJEANS_CLIENT_SECRET"] = bluejeans_sandbox.client_secret
    ended = alone.run("python", "-W", "error", "-c", GET_A_TOKEN, BLUEJEANS_HOST=bluejeans_sandbox.url, **identity)
    assert (ended.stderr, ended.stdout) == ("", "a token for enterprise 12345\n")


@pytest.mark.parametrize("extra", WITHOUT_AN_EXTRA)
def test_what_an_extra_would_bring_is_said(install: Install, extra: str) -> None:
    ended = install("wheel").run("python", "-c", WITHOUT_AN_EXTRA[extra])
    said = ended.stderr.splitlines()[-1]
    assert said.startswith("ImportError: ")
    assert said.endswith(f'which is not installed: pip install "BlueJeansMeetingsRestApi[{extra}]"')


def test_the_command_says_so_in_a_line(install: Install) -> None:
    ended = install("wheel").run("bluejeans-auth", "demo")
    assert (ended.stdout, ended.returncode) == ("", 2)
    assert 'pip install "BlueJeansMeetingsRestApi[sandbox]"' in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_the_sandbox_runs_from_the_wheel(install: Install) -> None:
    ended = install("wheel", "sandbox").run("bluejeans-auth", "demo")
    assert (ended.stderr, ended.returncode) == ("", 0)


def test_the_pages_of_the_sandbox_are_in_the_wheel(install: Install) -> None:
    program = (
        "import urllib.request; from BlueJeansMeetingsRestApi.sandbox import Sandbox\n"
        "with Sandbox() as s:\n"
        "    query = f'clientId={s.client_id}&redirectUri={s.redirect_uri}&responseType=code'\n"
        "    print(urllib.request.urlopen(f'{s.url}/oauth2/authorize?{query}').read().decode())"
    )
    ended = install("wheel", "sandbox").run("python", "-c", program)
    assert "<form" in ended.stdout, ended.stderr


def test_type_checkers_read_its_types(install: Install, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "from BlueJeansMeetingsRestApi import AuthenticationApi\nAuthenticationApi().get_token_info(1)\n"
    )
    command = ["mypy", "--python-executable", install("wheel").python, "--cache-dir", tmp_path, program]
    ended = Environment(Path(sys.prefix)).run(*map(str, command))
    assert '"get_token_info" of "AuthenticationApi"' in ended.stdout
    assert "import-untyped" not in ended.stdout


def test_every_dependency_may_be_shipped_with_other_programs(install: Install) -> None:
    options = ["--with-system", "--partial-match", f"--allow-only={PERMISSIVE}"]
    succeed(sys.executable, "-m", "piplicenses", f"--python={install('wheel', 'all').python}", *options)


def test_the_table_of_licences_is_true(install: Install, tree: Path) -> None:
    table = (tree / "docs" / "VERSIONS.md").read_text(encoding="utf-8")
    said = dict(re.findall(r"^\| (\S+) \| (?:the core|`)[^|]* \| ([^|]+) \|$", table, re.M))
    python = install("wheel", "all").python
    command = ["piplicenses", f"--python={python}", "--format=json", "--packages", *said]
    found = {package["Name"]: package["License"] for package in json.loads(succeed(sys.executable, "-m", *command))}
    assert [name for name, licence in said.items() if licence.split()[0] not in found[name]] == []
    program = "from importlib.metadata import *; print(*requires('BlueJeansMeetingsRestApi'), sep='\\n')"
    required = [line for line in succeed(python, "-c", program).splitlines() if '"benchmarks"' not in line]
    assert {re.match(r"[\w-]+", line)[0] for line in required} == set(said)  # type: ignore[index]
