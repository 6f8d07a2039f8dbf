"""RedisTokenStore verifies the certificate and the host name of a real Redis server over TLS."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
import redis
import trustme

from BlueJeansMeetingsRestApi.token_stores import RedisTokenStore, TokenStoreError
from support.recording_server import unused_port
from support.redis_server import PASSWORD, RedisServer, redis_server


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("redis")


@pytest.fixture(scope="module")
def port(folder: Path) -> int:
    return unused_port()


@pytest.fixture(scope="module", autouse=True)
def server(folder: Path, port: int) -> Iterator[RedisServer]:
    """Return a Redis server with a certificate that is valid for 127.0.0.1 and not for localhost."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    certificate = authority.issue_cert("127.0.0.1")
    certificate.private_key_and_cert_chain_pem.write_to_path(str(folder / "redis.pem"))
    pem = folder / "redis.pem"
    with redis_server(folder, tls_port=port, tls_cert_file=pem, tls_key_file=pem, tls_auth_clients="no") as server:
        yield server


def url_of(host: str, port: int, **options: object) -> str:
    return f"rediss://:{PASSWORD}@{host}:{port}/0?{urlencode(options)}"


def store_at(url: str) -> RedisTokenStore:
    return RedisTokenStore(url, timeout=10)


def test_certificate_for_the_host_name_is_accepted(folder: Path, port: int) -> None:
    assert store_at(url_of("127.0.0.1", port, ssl_ca_certs=folder / "ca.pem")).read("key") is None


def test_certificate_for_another_host_name_is_refused(folder: Path, port: int, server: RedisServer) -> None:
    with server.client as client:
        client.config_resetstat()
        store = store_at(url_of("localhost", port, ssl_ca_certs=folder / "ca.pem"))
        with pytest.raises(TokenStoreError):
            store.read("key")
        assert "cmdstat_hget" not in client.info("commandstats")


def test_redis_certificate_of_an_untrusted_ca_is_refused(port: int) -> None:
    with pytest.raises(TokenStoreError):
        store_at(url_of("127.0.0.1", port)).read("key")


@pytest.mark.parametrize("options", [{"ssl_check_hostname": "false"}, {"ssl_cert_reqs": "none"}])
def test_option_in_the_url_accepts_another_host_name(folder: Path, port: int, options: dict[str, str]) -> None:
    url = url_of("localhost", port, ssl_ca_certs=folder / "ca.pem", **options)
    assert store_at(url).read("key") is None


@pytest.mark.parametrize("check_hostname", [True, False])
def test_tls_settings_of_a_redis_client_of_the_user_apply(folder: Path, port: int, check_hostname: bool) -> None:
    url = url_of("localhost", port, ssl_ca_certs=folder / "ca.pem", ssl_check_hostname=check_hostname)
    with redis.Redis.from_url(url) as client:
        store = RedisTokenStore(client, timeout=10)
        if check_hostname:
            with pytest.raises(TokenStoreError):
                store.read("key")
        else:
            assert store.read("key") is None


def test_host_name_is_verified_with_all_versions_of_redis_py() -> None:
    pool = RedisTokenStore("rediss://a.example")._redis.connection_pool
    assert pool.connection_kwargs["ssl_check_hostname"] is True
    assert "ssl_check_hostname" not in RedisTokenStore("redis://a.example")._redis.connection_pool.connection_kwargs
