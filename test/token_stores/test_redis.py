"""RedisTokenStore: the conformance suite, leases, fencing, timeouts and failures of the server."""

from __future__ import annotations

import pickle
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from cryptography.fernet import Fernet

from BlueJeansMeetingsRestApi.token_stores import RedisTokenStore, TokenStoreError
from BlueJeansMeetingsRestApi.token_stores.conformance import KEY, LONG, TOKEN, TokenStoreConformance
from support.redis_server import PASSWORD, RedisServer, redis_server

PATIENT = {"timeout": 10.0, "lease": 30.0}  # seconds; a slow machine does not reach these limits


@pytest.fixture(scope="module")
def running_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def server(running_redis: RedisServer) -> RedisServer:
    """Return a running Redis server without keys."""
    with running_redis.client as client:
        client.flushall()
    return running_redis


class TestRedis(TokenStoreConformance):
    @pytest.fixture
    def store(self, server: RedisServer) -> RedisTokenStore:
        return RedisTokenStore(server.url, **PATIENT)


class TestRedisOnAUnixSocket(TokenStoreConformance):
    @pytest.fixture
    def store(self, server: RedisServer) -> RedisTokenStore:
        client = redis.Redis(unix_socket_path=str(server.socket), password=PASSWORD)
        return RedisTokenStore(client, **PATIENT)


class TestEncryptedRedis(TokenStoreConformance):
    @pytest.fixture
    def store(self, server: RedisServer) -> RedisTokenStore:
        return RedisTokenStore(server.url, encryption_key=Fernet.generate_key().decode(), **PATIENT)


def wait_for_connections(server: RedisServer, name: str, count: int) -> bool:
    """Return whether the server has `count` connections with this client name before a generous deadline."""
    deadline = time.monotonic() + LONG
    with server.client as client:
        while time.monotonic() < deadline:
            if [connection["name"] for connection in client.client_list()].count(name) == count:
                return True
    return False


def test_close_closes_the_connections_of_a_redis_store(server: RedisServer) -> None:
    with RedisTokenStore(f"{server.url}?client_name=a-store", **PATIENT) as store:
        assert store.read(KEY) is None
        assert wait_for_connections(server, "a-store", 1)
    assert wait_for_connections(server, "a-store", 0)


def test_closed_redis_store_reconnects_when_it_is_used(server: RedisServer) -> None:
    store = RedisTokenStore(server.url, **PATIENT)
    store.close()
    assert store.write(KEY, "value", LONG, 1) is True
    store.close()
    assert store.read(KEY) == "value"


def test_close_leaves_the_client_of_the_caller_open(server: RedisServer) -> None:
    with redis.Redis(unix_socket_path=str(server.socket), password=PASSWORD) as client:
        client_id = client.client_id()
        with RedisTokenStore(client, **PATIENT) as store:
            store.read(KEY)
        assert client.client_id() == client_id


def test_close_does_not_interrupt_a_call_in_flight(server: RedisServer) -> None:
    store = RedisTokenStore(server.url, **PATIENT)
    with store.lock(KEY, LONG) as fence:
        connection = store._redis.connection_pool.get_connection()
        connection.send_command("PING")
        store.close()
        assert connection.read_response() == "PONG"
        store._redis.connection_pool.release(connection)
        assert store.write(KEY, "value", LONG, fence) is True


def test_encrypted_token_in_redis_cannot_be_read_without_the_key(server: RedisServer) -> None:
    RedisTokenStore(server.url, encryption_key=Fernet.generate_key(), **PATIENT).save(KEY, TOKEN, LONG, 1)
    with server.client as client:
        stored = client.hget(f"bluejeans:{{{KEY}}}", "text")
    assert "access_token" not in stored
    assert RedisTokenStore(server.url, **PATIENT).load(KEY) is None


def test_repr_of_a_redis_store_contains_its_location(server: RedisServer) -> None:
    assert repr(RedisTokenStore(server.url)) == f"RedisTokenStore at 127.0.0.1:{server.port}/0"
    assert repr(RedisTokenStore("redis://a.example/3")) == "RedisTokenStore at a.example:/3"
    client = redis.Redis(unix_socket_path=str(server.socket), password=PASSWORD)
    assert repr(RedisTokenStore(client)) == f"RedisTokenStore at {server.socket}"


def test_redis_key_expires_with_the_token(server: RedisServer) -> None:
    RedisTokenStore(server.url, **PATIENT).save(KEY, TOKEN, 60, 1)
    with server.client as client:
        assert client.keys() == [f"bluejeans:{{{KEY}}}"]
        assert 50_000 <= client.pttl(f"bluejeans:{{{KEY}}}") <= 60_000


def test_repr_and_errors_of_a_redis_store_contain_no_password(server: RedisServer) -> None:
    store = RedisTokenStore(server.url.replace(PASSWORD, f"wrong-{PASSWORD}"))
    with pytest.raises(TokenStoreError, match="cannot be used") as caught:
        store.read(KEY)
    assert PASSWORD not in f"{store} {store!r} {caught.value} {caught.value.__cause__}"
    assert f"127.0.0.1:{server.port}" in str(store)


@pytest.mark.parametrize(
    "url", [f"https://u:{PASSWORD}@h", "not a URL", f"redis://:{PASSWORD}/x@h", f"redis://h/0?{PASSWORD}=1"]
)
def test_error_about_an_invalid_redis_url_does_not_contain_it(url: str) -> None:
    with pytest.raises(ValueError, match="Invalid Redis URL") as caught:
        RedisTokenStore(url)
    assert str(caught.value) == (
        "Invalid Redis URL; expected for example rediss://user:password@host:6379/0, "
        "with / # ? and @ in a password percent-encoded"
    )


def test_redis_entries_have_the_format_that_other_versions_read(server: RedisServer) -> None:
    store = RedisTokenStore(server.url, **PATIENT)
    with server.client as client, store.lock(KEY, LONG) as fence:
        store.write(KEY, "text", None, fence)
        assert set(client.keys()) >= {f"bluejeans:{{{KEY}}}{ending}" for ending in ("", ":lock", ":fence")}
        assert client.hgetall(f"bluejeans:{{{KEY}}}") == {"fence": str(fence), "text": "text"}


def test_redis_client_without_timeouts_gets_the_timeouts_of_the_store(server: RedisServer) -> None:
    store = RedisTokenStore(redis.Redis(port=server.port, password=PASSWORD), timeout=0.2)
    with server.stopped(), pytest.raises(TokenStoreError):
        store.read(KEY)
    assert store.read(KEY) is None


def test_unavailable_redis_server_raises_token_store_error(tmp_path: Path) -> None:
    with redis_server(tmp_path) as server:
        store = RedisTokenStore(server.url)
        assert store.read(KEY) is None
        server.kill()
        for use in (lambda: store.read(KEY), lambda: store.remove(KEY), lambda: store.write(KEY, "t", 1, 1)):
            with pytest.raises(TokenStoreError, match="cannot be used"):
                use()
        with pytest.raises(TokenStoreError), store.lock(KEY, 1):
            pass


def test_holder_of_a_redis_lock_extends_its_lease(server: RedisServer) -> None:
    store = RedisTokenStore(server.url, timeout=10, lease=0.3)
    with store.lock(KEY, LONG):
        end = time.monotonic() + 1  # more than three leases
        while time.monotonic() < end:
            with pytest.raises(TimeoutError), store.lock(KEY, 0):
                pass


def test_redis_lock_of_a_killed_process_is_released_after_its_lease(server: RedisServer) -> None:
    program = (
        "import sys, time; from BlueJeansMeetingsRestApi import RedisTokenStore\n"
        f"with RedisTokenStore(sys.argv[1], lease=0.5).lock({KEY!r}, 9): print('locked', flush=True); time.sleep(99)"
    )
    with subprocess.Popen([sys.executable, "-c", program, server.url], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"locked\n"
        holder.kill()
        holder.wait()
    with RedisTokenStore(server.url, **PATIENT).lock(KEY, LONG):
        pass


def test_losing_a_redis_lock_stops_the_lease_thread_without_an_error(server: RedisServer) -> None:
    with RedisTokenStore(server.url, timeout=10, lease=0.2).lock(KEY, LONG):
        [lease_thread] = [thread for thread in threading.enumerate() if thread.name == "token lease"]
        with server.client as client:
            client.delete(f"bluejeans:{{{KEY}}}:lock")
        lease_thread.join(LONG)
        assert not lease_thread.is_alive()


def test_holder_without_a_lease_does_not_overwrite_a_later_value(server: RedisServer) -> None:
    suspended = RedisTokenStore(server.url, timeout=10, lease=0.2)
    with suspended.lock(KEY, LONG) as old:
        with server.client as client:
            client.delete(f"bluejeans:{{{KEY}}}:lock")  # as if the lease had expired
        with RedisTokenStore(server.url, **PATIENT).lock(KEY, LONG) as new:
            RedisTokenStore(server.url).write(KEY, "newer", LONG, new)
        assert suspended.write(KEY, "older", LONG, old) is False
    assert suspended.read(KEY) == "newer"


def test_fencing_token_increases_after_its_counter_has_expired(server: RedisServer) -> None:
    store = RedisTokenStore(server.url, **PATIENT)
    for _ in range(3):
        with store.lock(KEY, LONG) as fence:
            store.write(KEY, "value", None, fence)
    with server.client as client:
        client.delete(f"bluejeans:{{{KEY}}}:fence")  # as after a day without a refresh
    with store.lock(KEY, LONG) as later:
        assert later > fence
        assert store.write(KEY, "later", None, later) is True


@pytest.mark.slow
def test_lease_survives_a_short_pause_of_the_redis_server(server: RedisServer) -> None:
    store = RedisTokenStore(server.url, timeout=0.2, lease=2)
    with store.lock(KEY, LONG) as fence:
        with server.stopped():
            threading.Event().wait(1)  # longer than a third of the lease and than the timeout
        end = time.monotonic() + 2
        while time.monotonic() < end:
            with pytest.raises(TimeoutError), RedisTokenStore(server.url, **PATIENT).lock(KEY, 0):
                pass
        assert store.write(KEY, "mine", LONG, fence) is True


def test_redis_value_that_is_not_utf_8_is_ignored(server: RedisServer) -> None:
    with redis.Redis.from_url(server.url) as client:
        client.hset(f"bluejeans:{{{KEY}}}", mapping={"text": b"\xff\xfe", "fence": 1})
    assert RedisTokenStore(server.url, **PATIENT).load(KEY) is None


def test_redis_store_refuses_other_objects_than_redis_clients() -> None:
    with pytest.raises(TypeError, match="requires a URL or a client of redis-py for a single server, not object"):
        RedisTokenStore(object())  # type: ignore[arg-type]


def test_holder_without_a_lease_can_write_if_no_later_holder_has(server: RedisServer) -> None:
    store = RedisTokenStore(server.url, **PATIENT)
    with store.lock(KEY, LONG) as fence, server.client as client:
        client.delete(f"bluejeans:{{{KEY}}}:lock")
        assert store.write(KEY, "rotated", LONG, fence) is True


def test_redis_server_that_does_not_respond_is_tried_once_until_the_timeout() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        store = RedisTokenStore(f"redis://127.0.0.1:{silent.getsockname()[1]}", timeout=0.1)
        with pytest.raises(TokenStoreError, match="TimeoutError"):
            store.read(KEY)
        silent.setblocking(False)
        silent.accept()[0].close()
        with pytest.raises(BlockingIOError):  # the store made a single attempt
            silent.accept()


def test_unpickled_redis_store_uses_the_same_server_and_settings(server: RedisServer) -> None:
    store = RedisTokenStore(server.url, **PATIENT)
    store.save(KEY, TOKEN, LONG, 1)
    pickled = pickle.loads(pickle.dumps(store))
    assert pickled.load(KEY) == TOKEN
    assert pickled.__reduce__() == store.__reduce__()  # includes the timeout and the lease


def test_redis_store_created_with_a_client_cannot_be_pickled(server: RedisServer) -> None:
    with pytest.raises(TypeError, match="created with a client cannot be pickled; create it with a URL$"):
        pickle.dumps(RedisTokenStore(server.client))
