"""`bluejeans-auth doctor`: results and advice."""

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
    """Return the last result without a problem for each subject."""
    return dict(re.findall(r"^ok +(\S+) +(.*)$", output, re.M))


def problems(output: str) -> dict[str, str]:
    return dict(re.findall(r"^problem +(\S+) +(.*)$", output, re.M))


def test_doctor_finds_no_problem_in_a_valid_setup(env: dict[str, str]) -> None:
    ended = run("doctor", env=env)
    found = checks(ended.stdout)
    assert (problems(ended.stdout), ended.stderr, ended.returncode) == ({}, "", cli.DONE)
    assert found.pop("version").startswith("2.")
    assert found.pop("host") == f"{env['BLUEJEANS_HOST']} (BLUEJEANS_HOST)"
    assert found.pop("response").startswith("HTTP 401 after ")
    assert found.pop("clock").startswith("0 s ")
    assert found.keys() == {"proxy", "TLS", "credentials", "store", "sign-ins", "browser"}


def test_doctor_counts_the_saved_sign_ins(env: dict[str, str]) -> None:
    run("login", env=env)
    assert checks(run("doctor", env=env).stdout)["sign-ins"] == "1 saved"


def test_doctor_reports_that_the_host_comes_from_an_option(env: dict[str, str], bluejeans_sandbox: Sandbox) -> None:
    found = checks(run("doctor", "--host", bluejeans_sandbox.url, env={**env, "BLUEJEANS_HOST": "x"}).stdout)
    assert found["host"] == f"{bluejeans_sandbox.url} (--host)"


def test_doctor_reports_an_invalid_host(env: dict[str, str]) -> None:
    ended = run("doctor", "--host", "nowhere", env=env)
    assert "must start with https://" in problems(ended.stdout)["host"]
    assert ended.returncode == cli.REFUSED


def test_doctor_reports_an_invalid_host_in_the_environment(env: dict[str, str]) -> None:
    ended = run("doctor", env={**env, "BLUEJEANS_HOST": "no-url"})
    assert problems(ended.stdout)["host"].startswith("cannot be used: BLUEJEANS_HOST 'no-url' must start with https://")
    assert ended.returncode == cli.REFUSED


def test_doctor_reports_a_host_that_refuses_connections(env: dict[str, str]) -> None:
    ended = run("doctor", "--host", f"http://127.0.0.1:{unused_port()}", env=env)
    assert "Check Configuration.host and its port." in problems(ended.stdout)["response"]
    assert ended.returncode == cli.NETWORK


def test_doctor_reports_an_untrusted_certificate(env: dict[str, str]) -> None:
    with Sandbox(tls=True) as sandbox:
        ended = run("doctor", "--host", sandbox.url, env=env)
        trusting = run("doctor", "--host", sandbox.url, "--ca", str(sandbox.ca_cert), env=env)
    assert "Configuration.ssl_ca_cert" in problems(ended.stdout)["response"]
    assert ended.returncode == cli.NETWORK
    assert checks(trusting.stdout)["TLS"] == f"trusted by {sandbox.ca_cert}"


def test_doctor_reports_another_service_at_the_host(env: dict[str, str]) -> None:
    with RecordingServer([http_response(status=404)]) as other:
        ended = run("doctor", "--host", other.url, env=env)
    assert problems(ended.stdout)["response"].endswith("check the host")
    assert checks(ended.stdout)["clock"] == "the response has no Date header"


@pytest.mark.parametrize(("offset", "where"), [(3600, "behind"), (-3600, "ahead of")])
def test_doctor_reports_a_wrong_clock(env: dict[str, str], offset: int, where: str) -> None:
    with RecordingServer([http_response(status=401, Date=formatdate(time.time() + offset, usegmt=True))]) as service:
        ended = run("doctor", "--host", service.url, env=env)
    assert re.match(
        rf"3[56]\d\d s {where} the service's: set the clock of this machine", problems(ended.stdout)["clock"]
    )
    assert ended.returncode == cli.REFUSED


def test_doctor_prints_the_proxy_without_its_password(env: dict[str, str], bluejeans_sandbox: Sandbox) -> None:
    proxy = {"http_proxy": "http://me:a-password@127.0.0.1:9", "NO_PROXY": "", "no_proxy": ""}
    ended = run("doctor", env={**env, **proxy})
    assert checks(ended.stdout)["proxy"] == "http://127.0.0.1:9 (http_proxy)"
    assert "a-password" not in ended.stdout
    assert ended.returncode == cli.NETWORK


def test_doctor_reports_that_the_environment_has_no_credentials(
    env: dict[str, str], bluejeans_sandbox: Sandbox, tmp_path: Path
) -> None:
    nothing = environment(tmp_path, BLUEJEANS_HOST=bluejeans_sandbox.url)
    assert checks(run("doctor", env=nothing).stdout)["credentials"] == "none in the environment"


def test_doctor_reports_a_secret_file_that_others_can_read(env: dict[str, str], tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("x")
    secret.chmod(0o644)
    env = {**env, "BLUEJEANS_PASSWORD_FILE": str(secret), "BLUEJEANS_USERNAME": "u"}
    ended = run("doctor", env=env)
    assert problems(ended.stdout)["credentials"] == (
        f"BLUEJEANS_PASSWORD_FILE is '{secret}': other users can read or change it (mode 644): chmod 600 '{secret}'"
    )
    secret.chmod(0o600)
    assert problems(run("doctor", env=env).stdout) == {}


def test_doctor_reports_a_missing_secret_file(env: dict[str, str]) -> None:
    ended = run("doctor", env={**env, "BLUEJEANS_PASSWORD_FILE": "/nowhere", "BLUEJEANS_USERNAME": "u"})
    assert "BLUEJEANS_PASSWORD_FILE names a file that cannot be read" in problems(ended.stdout)["credentials"]


def test_doctor_reports_a_secret_that_is_set_twice(env: dict[str, str]) -> None:
    ended = run("doctor", env={**env, "BLUEJEANS_CLIENT_SECRET_FILE": "/nowhere"})
    assert "are both set: unset one of them" in problems(ended.stdout)["credentials"]


def test_doctor_reports_an_empty_secret_file(env: dict[str, str]) -> None:
    ended = run("doctor", env={**env, "BLUEJEANS_PASSWORD_FILE": os.devnull, "BLUEJEANS_USERNAME": "u"})
    assert problems(ended.stdout)["credentials"] == f"BLUEJEANS_PASSWORD_FILE: '{os.devnull}' is empty"


def test_doctor_reports_a_secret_without_an_identity(env: dict[str, str]) -> None:
    ended = run("doctor", env={**env, "BLUEJEANS_PASSWORD": "a-password"})
    problem = problems(ended.stdout)["credentials"]
    assert problem == "BLUEJEANS_PASSWORD is set without BLUEJEANS_USERNAME: set BLUEJEANS_USERNAME, too"


@pytest.fixture
def tokens(env: dict[str, str], tmp_path: Path) -> Path:
    run("token", env=env)
    return tmp_path / "state" / "bluejeans-auth" / "tokens.json"


@pytest.mark.skipif(os.name == "nt", reason="POSIX file permissions")
def test_doctor_reports_a_token_file_that_others_can_read(env: dict[str, str], tokens: Path) -> None:
    tokens.chmod(0o640)
    assert f"chmod 600 '{tokens}'" in problems(run("doctor", env=env).stdout)["store"]


@pytest.mark.skipif(os.name == "nt", reason="POSIX file permissions")
def test_doctor_reports_a_token_folder_that_others_can_write(env: dict[str, str], tokens: Path) -> None:
    tokens.parent.chmod(0o777)
    assert f"chmod go-w '{tokens.parent}'" in problems(run("doctor", env=env).stdout)["store"]


@pytest.mark.skipif(os.name == "nt", reason="POSIX file permissions")
def test_doctor_reports_a_token_file_that_is_a_link(env: dict[str, str], tokens: Path) -> None:
    tokens.rename(tokens.with_name("target"))
    tokens.symlink_to("target")
    assert "remove it" in problems(run("doctor", env=env).stdout)["store"]


@pytest.mark.skipif(os.name == "nt", reason="POSIX file permissions")
@pytest.mark.skipif(os.name != "nt" and os.geteuid() == 0, reason="root can write to every folder")
def test_doctor_reports_a_token_folder_without_write_permission(env: dict[str, str], tokens: Path) -> None:
    tokens.parent.chmod(0o500)
    assert "chmod u+rwx" in problems(run("doctor", env=env).stdout)["store"]


@pytest.mark.skipif(os.name == "nt", reason="POSIX file permissions")
def test_doctor_reports_an_invalid_token_store_url(env: dict[str, str]) -> None:
    ended = run("doctor", env={**env, "BLUEJEANS_TOKEN_STORE": "gopher://x"})
    assert problems(ended.stdout)["store"].startswith("cannot be used: ")
