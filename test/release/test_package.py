"""The sdist and the wheel, tested in environments with nothing else installed."""

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
# Licenses that allow shipping with closed-source programs. MPL 2.0 is the license of certifi's CA bundle.
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

requirements = {line for line in importlib.metadata.requires("BlueJeansMeetingsRestApi") if "extra ==" in line}
print(*sorted({re.search(r'extra == "(\\w+)"', line)[1] for line in requirements} - {"all", "benchmarks"}))
installed = {found.metadata["Name"].lower() for found in importlib.metadata.distributions()}
print("installed:", *installed & {re.match(r"[\\w.-]+", line)[0].lower() for line in requirements})
"""

WITHOUT_AN_EXTRA = {
    "sandbox": "from BlueJeansMeetingsRestApi.sandbox import Sandbox; Sandbox().start()",
    "file": "from BlueJeansMeetingsRestApi import FileTokenStore; FileTokenStore('tokens.json')",
    "cli": "from BlueJeansMeetingsRestApi.sign_in.saved import default_store_path; default_store_path()",
    "redis": "from BlueJeansMeetingsRestApi import RedisTokenStore; RedisTokenStore('redis://127.0.0.1')",
    "encryption": "from BlueJeansMeetingsRestApi import FileTokenStore; FileTokenStore('t', encryption_key='k')",
}


@pytest.fixture(scope="session")
def oldest_python() -> str:
    """Return the path of the oldest Python that the package supports."""
    found = shutil.which("python3.9")
    if found is None or subprocess.run([found, "--version"], capture_output=True, check=False).returncode:
        if os.environ.get("BLUEJEANS_TEST_SKIPS_NOTHING"):
            pytest.fail("python3.9 is missing")
        pytest.skip("python3.9 is missing")
    return found


@pytest.fixture(params=["wheel", "sdist", "wheel on the oldest Python"])
def core(request: pytest.FixtureRequest, install: Install) -> Environment:
    """Return an environment with only the package and its dependencies."""
    kind, _, oldest = request.param.partition(" on ")
    return install(kind, python=request.getfixturevalue("oldest_python") if oldest else sys.executable)


def test_sdist_and_wheel_pass_twine_check(built: dict[str, Path]) -> None:
    succeed(sys.executable, "-m", "twine", "check", "--strict", *built.values())


def test_wheel_passes_check_wheel_contents(built: dict[str, Path]) -> None:
    succeed(sys.executable, "-m", "check_wheel_contents", built["wheel"])


def test_wheel_contains_every_file_of_the_package(built: dict[str, Path], tracked: list[str]) -> None:
    with zipfile.ZipFile(built["wheel"]) as wheel:
        contents = set(wheel.namelist())
    assert {name for name in tracked if name.startswith("BlueJeansMeetingsRestApi/")} - contents == set()


def test_sdist_contains_every_file_that_the_tests_need(built: dict[str, Path], tracked: list[str]) -> None:
    with tarfile.open(built["sdist"]) as sdist:
        contents = {name.partition("/")[2] for name in sdist.getnames()}
    folders = ("BlueJeansMeetingsRestApi/", "docs/", "examples/", "test/", "tox", "pyproject.toml", "README.md")
    assert {name for name in tracked if name.startswith(folders)} - contents == set()


def test_core_installation_has_no_dependency_of_the_extras(core: Environment) -> None:
    finished = core.run("python", "-c", PACKAGES_OF_EXTRAS)
    assert (finished.stderr, finished.stdout) == ("", f"{' '.join(sorted(WITHOUT_AN_EXTRA))}\ninstalled:\n")


def test_core_installation_gets_a_token(core: Environment, bluejeans_sandbox: Sandbox) -> None:
    identity = {"BLUEJEANS_CLIENT_ID": bluejeans_sandbox.client_id}
    identity["BLUEJEANS_CLIENT_SECRET"] = bluejeans_sandbox.client_secret
    finished = core.run("python", "-W", "error", "-c", GET_A_TOKEN, BLUEJEANS_HOST=bluejeans_sandbox.url, **identity)
    assert (finished.stderr, finished.stdout) == ("", "a token for enterprise 12345\n")


@pytest.mark.parametrize("extra", WITHOUT_AN_EXTRA)
def test_missing_extra_raises_import_error_with_the_pip_command(install: Install, extra: str) -> None:
    finished = install("wheel").run("python", "-c", WITHOUT_AN_EXTRA[extra])
    error = finished.stderr.splitlines()[-1]
    assert error.startswith("ImportError: ")
    assert error.endswith(f'which is not installed: pip install "BlueJeansMeetingsRestApi[{extra}]"')


def test_command_reports_a_missing_extra_in_one_line(install: Install) -> None:
    finished = install("wheel").run("bluejeans-auth", "demo")
    assert (finished.stdout, finished.returncode) == ("", 2)
    assert 'pip install "BlueJeansMeetingsRestApi[sandbox]"' in finished.stderr
    assert finished.stderr.count("\n") == 1


def test_sandbox_of_the_wheel_runs_the_demo(install: Install) -> None:
    finished = install("wheel", "sandbox").run("bluejeans-auth", "demo")
    assert (finished.stderr, finished.returncode) == ("", 0)


def test_sandbox_of_the_wheel_serves_its_pages(install: Install) -> None:
    program = (
        "import urllib.request; from BlueJeansMeetingsRestApi.sandbox import Sandbox\n"
        "with Sandbox() as s:\n"
        "    query = f'clientId={s.client_id}&redirectUri={s.redirect_uri}&responseType=code'\n"
        "    print(urllib.request.urlopen(f'{s.url}/oauth2/authorize?{query}').read().decode())"
    )
    finished = install("wheel", "sandbox").run("python", "-c", program)
    assert "<form" in finished.stdout, finished.stderr


def test_type_checkers_use_the_types_of_the_installed_package(install: Install, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "from BlueJeansMeetingsRestApi import AuthenticationApi\nAuthenticationApi().get_token_info(1)\n"
    )
    command = ["mypy", "--python-executable", install("wheel").python, "--cache-dir", tmp_path, program]
    finished = Environment(Path(sys.prefix)).run(*map(str, command))
    assert "InlineResponse200" in finished.stdout  # the type in the list of overloads that do not match
    assert "import-untyped" not in finished.stdout


def test_every_dependency_has_a_permissive_license(install: Install) -> None:
    options = ["--with-system", "--partial-match", f"--allow-only={PERMISSIVE}"]
    succeed(sys.executable, "-m", "piplicenses", f"--python={install('wheel', 'all').python}", *options)


def test_table_of_licenses_matches_the_installed_dependencies(install: Install, tree: Path) -> None:
    table = (tree / "docs" / "VERSIONS.md").read_text(encoding="utf-8")
    documented = dict(re.findall(r"^\| (\S+) \| (?:the core|`)[^|]* \| ([^|]+) \|$", table, re.M))
    python = install("wheel", "all").python
    command = ["piplicenses", f"--python={python}", "--format=json", "--packages", *documented]
    found = {package["Name"]: package["License"] for package in json.loads(succeed(sys.executable, "-m", *command))}
    assert [name for name, licence in documented.items() if licence.split()[0] not in found[name]] == []
    program = "from importlib.metadata import *; print(*requires('BlueJeansMeetingsRestApi'), sep='\\n')"
    required = [line for line in succeed(python, "-c", program).splitlines() if '"benchmarks"' not in line]
    assert {re.match(r"[\w-]+", line)[0] for line in required} == set(documented)  # type: ignore[index]
