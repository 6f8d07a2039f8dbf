"""`bluejeans-auth doctor`: what it finds, and what it says to do."""

from __future__ import annotations

import os
import re
import time
from email.utils import formatdate
from pathlib import Path

import pytest

from BlueJeansMeetingsRestApi import cli
from BlueJeansMeetingsRestApi.sandbox import Sandbox
from support.command import environment, run
from support.recording_server import RecordingServer, http_response, unused_port


@pytest.fixture
def env(bluejeans_sandbox: Sandbox, tmp_path: Path) -> dict[str, str]:
    return environment(tmp_path, bluejeans_sandbox)


def checks(output: str) -> dict[str, str]:
    """The findings that are no problem, by what was looked at; the last of each."""
    return dict(re.findall(r"^ok +(\S+) +(.*)$", output, re.M))


def problems(output: str) -> dict[str, str]:
    return dict(re.findall(r"^problem +(\S+) +(.*)$", output, re.M))


def test_all_is_well(env: dict[str, str]) -> None:
    ended = run("doctor", env=env)
    found = checks(ended.stdout)
    assert (problems(ended.stdout), ended.stderr, ended.returncode) == ({}, "", cli.DONE)
    assert found.pop("version").startswith("2.")
    assert found.pop("host") == f"{env['BLUEJEANS_HOST']} (BLUEJEANS_HOST)"
    assert found.pop("answer").startswith("HTTP 401 after ")
    assert found.pop("clock").startswith("0 s ")
    assert found.keys() == {"proxy", "TLS", "credentials", "store", "sign-ins", "browser"}


def test_after_a_sign_in_it_is_counted(env: dict[str, str]) -> None:
    run("login", env=env)
    assert checks(run("doctor", env=env).stdout)["sign-ins"] == "1 kept"


def test_the_host_is_named_by_an_argument(env: dict[str, str], bluejeans_sandbox: Sandbox) -> None:
    found = checks(run("doctor", "--host", bluejeans_sandbox.url, env={**env, "BLUEJEANS_HOST": "x"}).stdout)
    assert found["host"] == f"{bluejeans_sandbox.url} (--host)"


def test_the_host_is_none(env: dict[str, str]) -> None:
    ended = run("doctor", "--host", "nowhere", env=env)
    assert "must start with https://" in problems(ended.stdout)["host"]
    assert ended.returncode == cli.REFUSED


def test_invalid_variable_of_the_host_is_named(env: dict[str, str]) -> None:
    ended = run("doctor", env={**env, "BLUEJEANS_HOST": "no-url"})
    assert problems(ended.stdout)["host"].startswith("cannot be used: BLUEJEANS_HOST 'no-url' must start with https://")
    assert ended.returncode == cli.REFUSED


def test_nobody_listens(env: dict[str, str]) -> None:
    ended = run("doctor", "--host", f"http://127.0.0.1:{unused_port()}", env=env)
    assert "Check Configuration.host and its port." in problems(ended.stdout)["answer"]
    assert ended.returncode == cli.NETWORK


def test_the_certificate_is_not_trusted(env: dict[str, str]) -> None:
    with Sandbox(tls=True) as sandbox:
        ended = run("doctor", "--host", sandbox.url, env=env)
        trusting = run("doctor", "--host", sandbox.url, "--ca", str(sandbox.ca_cert), env=env)
    assert "Configuration.ssl_ca_cert" in problems(ended.stdout)["answer"]
    assert ended.returncode == cli.NETWORK
    assert checks(trusting.stdout)["TLS"] == f"trusted, by {sandbox.ca_cert}"


def test_another_service_answers(env: dict[str, str]) -> None:
    with RecordingServer([http_response(status=404)]) as other:
        ended = run("doctor", "--host", other.url, env=env)
    assert problems(ended.stdout)["answer"].endswith("check the host")
    assert checks(ended.stdout)["clock"] == "the service does not tell the time"


@pytest.mark.parametrize(("offset", "where"), [(3600, "behind"), (-3600, "ahead of")])
def test_the_clock_is_wrong(env: dict[str, str], offset: int, where: str) -> None:
    with RecordingServer([http_response(status=401, Date=formatdate(time.time() + offset, usegmt=True))]) as service:
        ended = run("doctor", "--host", service.url, env=env)
    assert re.match(rf"3[56]\d\d s {where} the service's: set this machine's clock", problems(ended.stdout)["clock"])
    assert ended.returncode == cli.REFUSED


def test_the_proxy_is_told_without_its_password(env: dict[str, str], bluejeans_sandbox: Sandbox) -> None:
    proxy = {"http_proxy": "http://me:a-password@127.0.0.1:9", "NO_PROXY": "", "no_proxy": ""}
    ended = run("doctor", env={**env, **proxy})
    assert checks(ended.stdout)["proxy"] == "http://127.0.0.1:9, which http_proxy names"
    assert "a-password" not in ended.stdout
    assert ended.returncode == cli.NETWORK


class TestCredentials:
    def test_none(self, env: dict[str, str], bluejeans_sandbox: Sandbox, tmp_path: Path) -> None:
        nothing = environment(tmp_path, BLUEJEANS_HOST=bluejeans_sandbox.url)
        assert checks(run("doctor", env=nothing).stdout)["credentials"] == "none in the environment"

    def test_a_file_that_others_may_read(self, env: dict[str, str], tmp_path: Path) -> None:
        secret = tmp_path / "secret"
        secret.write_text("x")
        secret.chmod(0o644)
        env = {**env, "BLUEJEANS_PASSWORD_FILE": str(secret), "BLUEJEANS_USERNAME": "u"}
        ended = run("doctor", env=env)
        assert problems(ended.stdout)["credentials"] == (
            f"BLUEJEANS_PASSWORD_FILE names '{secret}': others may read or change it (mode 644): chmod 600 '{secret}'"
        )
        secret.chmod(0o600)
        assert problems(run("doctor", env=env).stdout) == {}

    def test_a_file_that_is_not_there(self, env: dict[str, str]) -> None:
        ended = run("doctor", env={**env, "BLUEJEANS_PASSWORD_FILE": "/nowhere", "BLUEJEANS_USERNAME": "u"})
        assert "BLUEJEANS_PASSWORD_FILE names a file that cannot be read" in problems(ended.stdout)["credentials"]

    def test_a_value_and_a_file(self, env: dict[str, str]) -> None:
        ended = run("doctor", env={**env, "BLUEJEANS_CLIENT_SECRET_FILE": "/nowhere"})
        assert "are both set: unset one of them" in problems(ended.stdout)["credentials"]

    def test_an_empty_file(self, env: dict[str, str]) -> None:
        ended = run("doctor", env={**env, "BLUEJEANS_PASSWORD_FILE": os.devnull, "BLUEJEANS_USERNAME": "u"})
        assert problems(ended.stdout)["credentials"] == f"BLUEJEANS_PASSWORD_FILE: '{os.devnull}' is empty"

    def test_a_secret_without_whose_it_is(self, env: dict[str, str]) -> None:
        ended = run("doctor", env={**env, "BLUEJEANS_PASSWORD": "a-password"})
        assert problems(ended.stdout)["credentials"] == "BLUEJEANS_PASSWORD is set alone: set BLUEJEANS_USERNAME too"


@pytest.mark.skipif(os.name == "nt", reason="permissions of files are those of POSIX")
class TestStore:
    @pytest.fixture
    def tokens(self, env: dict[str, str], tmp_path: Path) -> Path:
        run("token", env=env)
        return tmp_path / "state" / "bluejeans-auth" / "tokens.json"

    def test_that_others_may_read(self, env: dict[str, str], tokens: Path) -> None:
        tokens.chmod(0o640)
        assert f"chmod 600 '{tokens}'" in problems(run("doctor", env=env).stdout)["store"]

    def test_in_a_folder_that_others_may_change(self, env: dict[str, str], tokens: Path) -> None:
        tokens.parent.chmod(0o777)
        assert f"chmod go-w '{tokens.parent}'" in problems(run("doctor", env=env).stdout)["store"]

    def test_that_is_a_link(self, env: dict[str, str], tokens: Path) -> None:
        tokens.rename(tokens.with_name("elsewhere"))
        tokens.symlink_to("elsewhere")
        assert "remove it" in problems(run("doctor", env=env).stdout)["store"]

    @pytest.mark.skipif(os.name != "nt" and os.geteuid() == 0, reason="root may write everywhere")
    def test_in_a_folder_that_nobody_may_change(self, env: dict[str, str], tokens: Path) -> None:
        tokens.parent.chmod(0o500)
        assert "chmod u+rwx" in problems(run("doctor", env=env).stdout)["store"]

    def test_at_an_address_that_is_none(self, env: dict[str, str]) -> None:
        ended = run("doctor", env={**env, "BLUEJEANS_TOKEN_STORE": "gopher://x"})
        assert problems(ended.stdout)["store"].startswith("cannot be used: ")
