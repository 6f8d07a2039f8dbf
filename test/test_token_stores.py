"""The stores: all do what the conformance suite says, and each has failures of its own."""

from __future__ import annotations

import json
import logging
import os
import pickle
import resource
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import filelock
import pytest
import redis
from cryptography.fernet import Fernet

from BlueJeansMeetingsRestApi.token_store_conformance import KEY, LONG, OTHER_KEY, TOKEN, TokenStoreConformance
from BlueJeansMeetingsRestApi.token_stores import (
    FileTokenStore,
    MemoryTokenStore,
    RedisTokenStore,
    TokenStore,
    TokenStoreError,
)
from support.redis_server import PASSWORD, RedisServer, redis_server

PATIENT = {"timeout": 10.0, "lease": 30.0}  # seconds, so that a slow machine is not taken for a dead one


@pytest.fixture(scope="module")
def running_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def server(running_redis: RedisServer) -> RedisServer:
    with running_redis.client as client:
        client.flushall()
    return running_redis


class TestMemory(TokenStoreConformance):
    @pytest.fixture
    def store(self) -> TokenStore:
        return MemoryTokenStore()

    def test_a_pickle_of_it_is_empty(self, store: TokenStore) -> None:
        store.save(KEY, TOKEN, LONG, 1)
        assert pickle.loads(pickle.dumps(store)).load(KEY) is None


class TestFile(TokenStoreConformance):
    @pytest.fixture
    def store(self, tmp_path: Path) -> FileTokenStore:
        return FileTokenStore(tmp_path / "folder" / "tokens.json")


class TestEncryptedFile(TokenStoreConformance):
    @pytest.fixture
    def store(self, tmp_path: Path) -> FileTokenStore:
        return FileTokenStore(tmp_path / "tokens.json", encryption_key=Fernet.generate_key())


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


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file that has a token."""
    path = tmp_path / "folder" / "tokens.json"
    FileTokenStore(path).save(KEY, TOKEN, LONG, 0)
    return path


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


class TestTheFile:
    def test_it_is_for_its_owner_alone_and_so_are_its_folder_and_locks(self, path: Path) -> None:
        with FileTokenStore(path).lock(KEY, LONG):
            assert {mode(file) for file in path.parent.iterdir()} == {0o600}
        assert mode(path.parent) == 0o700

    def test_a_folder_that_is_there_keeps_its_mode(self, tmp_path: Path) -> None:
        tmp_path.chmod(0o755)
        FileTokenStore(tmp_path / "tokens.json").save(KEY, TOKEN, LONG, 0)
        assert mode(tmp_path) == 0o755

    def test_a_home_is_found(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("HOME", str(tmp_path))
        assert FileTokenStore("~/tokens.json").path == str(tmp_path / "tokens.json")

    @pytest.mark.parametrize(
        "content",
        [
            pytest.param(b"", id="empty"),
            pytest.param(b"{", id="cut"),
            pytest.param(b"\xff\xfe", id="no UTF-8"),
            pytest.param(b"null", id="null"),
            pytest.param(b"[]", id="list"),
            pytest.param(b'{"tokens": 7}', id="tokens are a number"),
            pytest.param(b'{"tokens": {"k": "text"}}', id="an entry is a text"),
            pytest.param(b'{"tokens": {"k": ["text", "soon"]}}', id="an end is no time"),
            pytest.param(b'{"another program": true}', id="another program's"),
            pytest.param(b"[" * 100_000, id="nested deep"),
        ],
    )
    def test_what_holds_no_tokens_counts_as_no_file(
        self, path: Path, content: bytes, caplog: pytest.LogCaptureFixture
    ) -> None:
        path.write_bytes(content)
        store = FileTokenStore(path)
        assert store.load(KEY) is None
        assert set(caplog.messages) == {f"{store!r} counts as no file: it holds something else"}
        store.save(KEY, TOKEN, LONG, 0)
        assert store.load(KEY) == TOKEN

    def test_one_that_others_can_read_is_closed_to_them(self, path: Path, caplog: pytest.LogCaptureFixture) -> None:
        path.chmod(0o644)
        store = FileTokenStore(path)
        assert store.load(KEY) == TOKEN
        assert caplog.messages == [f"{store!r} could be read by others (mode 644); it is 0600 now"]
        assert mode(path) == 0o600

    @pytest.mark.parametrize("closed", [0o600, 0o400, 0o700, 0o711])
    def test_one_that_others_can_neither_read_nor_write_is_left_as_it_is(
        self, path: Path, closed: int, caplog: pytest.LogCaptureFixture
    ) -> None:
        path.chmod(closed)
        assert FileTokenStore(path).load(KEY) == TOKEN
        assert (mode(path), caplog.messages) == (closed, [])

    def test_its_content_is_what_other_versions_read(self, path: Path) -> None:
        store = FileTokenStore(path)
        store.write(KEY, "for ever", None, 0)
        assert json.loads(path.read_text()) == {"version": 1, "tokens": {KEY: ["for ever", None]}}

    def test_each_key_has_a_lock_and_so_has_the_file(self, path: Path) -> None:
        with FileTokenStore(path).lock(KEY, LONG):
            locks = {f"tokens.json{lock}" for lock in ("", ".lock", f".{KEY[:16]}.lock")}
            assert {file.name for file in path.parent.iterdir()} == locks

    def test_it_needs_no_other_folder(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(tempfile, "tempdir", "/no/such/folder")
        assert FileTokenStore(path).save(OTHER_KEY, TOKEN, LONG, 0) is True

    @pytest.mark.parametrize("writable", [0o620, 0o602, 0o666])
    def test_one_that_others_can_write_is_not_believed(
        self, path: Path, writable: int, caplog: pytest.LogCaptureFixture
    ) -> None:
        path.chmod(writable)
        store = FileTokenStore(path)
        assert store.load(KEY) is None
        assert set(caplog.messages) == {f"{store!r} counts as no file: others may write to it"}
        store.save(OTHER_KEY, TOKEN, LONG, 0)
        assert (store.load(KEY), store.load(OTHER_KEY), mode(path)) == (None, TOKEN, 0o600)

    @pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root can give a file away")
    def test_another_users_is_not_believed(self, path: Path, caplog: pytest.LogCaptureFixture) -> None:
        os.chown(path, 65534, 65534)
        store = FileTokenStore(path)
        assert store.load(KEY) is None
        assert caplog.messages == [f"{store!r} counts as no file: it belongs to another user"]

    def test_a_link_is_not_followed_and_is_replaced(self, path: Path, caplog: pytest.LogCaptureFixture) -> None:
        elsewhere = path.rename(path.with_name("elsewhere"))
        before = elsewhere.read_bytes()
        path.symlink_to(elsewhere)
        store = FileTokenStore(path)
        assert store.load(KEY) is None
        assert caplog.messages == [f"{store!r} counts as no file: it is a link, and might lead anywhere"]
        store.save(KEY, TOKEN, LONG, 0)
        assert (path.is_symlink(), elsewhere.read_bytes() == before) == (False, True)

    @pytest.mark.skipif(not hasattr(os, "O_NOFOLLOW"), reason="the system follows links always")
    def test_a_link_that_came_just_now_is_not_followed(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path.symlink_to(path.rename(path.with_name("elsewhere")))
        monkeypatch.setattr(os.path, "islink", lambda _: False)
        with pytest.raises(TokenStoreError, match="cannot be read"):
            FileTokenStore(path).load(KEY)

    def test_a_pipe_is_not_waited_for(self, path: Path, caplog: pytest.LogCaptureFixture) -> None:
        path.unlink()
        os.mkfifo(path)
        store = FileTokenStore(path)
        assert store.load(KEY) is None
        assert caplog.messages == [f"{store!r} counts as no file: it is no regular file"]

    def test_a_folder_in_its_place_is_a_store_that_cannot_be_used(self, tmp_path: Path) -> None:
        (tmp_path / "tokens.json").mkdir()
        with pytest.raises(TokenStoreError, match="cannot be written"):
            FileTokenStore(tmp_path / "tokens.json").save(KEY, TOKEN, LONG, 0)

    def test_a_folder_that_is_none_is_a_store_that_cannot_be_used(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(TokenStoreError, match="tokens.json'\\) cannot be read: Not a directory"):
            FileTokenStore(tmp_path / "file" / "tokens.json").load(KEY)

    def test_a_folder_that_cannot_be_made_is_a_store_that_cannot_be_used(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(TokenStoreError, match="cannot be locked"):
            FileTokenStore(tmp_path / "file" / "tokens.json").save(KEY, TOKEN, LONG, 0)

    def test_on_a_full_disk_it_stays_whole(self, path: Path) -> None:
        before = path.read_bytes()
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) // 2, limits[1]))
        try:
            with pytest.raises(TokenStoreError, match="cannot be written"):
                FileTokenStore(path).save(OTHER_KEY, TOKEN, LONG, 0)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
            signal.signal(signal.SIGXFSZ, handler)
        assert path.read_bytes() == before
        assert [file.name for file in path.parent.iterdir() if not file.name.endswith(".lock")] == ["tokens.json"]

    def test_ended_texts_are_dropped_when_another_is_written(self, path: Path) -> None:
        store = FileTokenStore(path)
        store.write(KEY, "ended", 0.0, 0)
        store.write(OTHER_KEY, "lives", LONG, 0)
        assert "ended" not in path.read_text()

    def test_a_lock_ends_with_its_holder_whom_kill_ends(self, path: Path) -> None:
        program = (
            "import sys, time; from BlueJeansMeetingsRestApi import FileTokenStore\n"
            f"with FileTokenStore(sys.argv[1]).lock({KEY!r}, 9): print('held', flush=True); time.sleep(99)"
        )
        with subprocess.Popen([sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE) as holder:
            assert holder.stdout is not None
            assert holder.stdout.readline() == b"held\n"
            with pytest.raises(TimeoutError), FileTokenStore(path).lock(KEY, 0):
                pass
            holder.kill()
            holder.wait()
            with FileTokenStore(path).lock(KEY, LONG):
                pass

    def test_a_file_that_somebody_keeps_locked_is_a_store_that_cannot_be_used(self, path: Path) -> None:
        with filelock.FileLock(f"{path}.lock"), pytest.raises(TokenStoreError, match="was not free in time"):
            FileTokenStore(path).save(OTHER_KEY, TOKEN, LONG, 0)

    def test_what_cannot_be_written_is_in_no_traceback_with_variables(self, path: Path) -> None:
        path.unlink()
        path.mkdir()
        with pytest.raises(TokenStoreError) as caught:
            FileTokenStore(path).save(KEY, replace(TOKEN, access_token="canary"), LONG, 0)
        frames = traceback.TracebackException.from_exception(caught.value, capture_locals=True).stack
        ours = [frame for frame in frames if "BlueJeansMeetingsRestApi" in frame.filename]
        assert (len(ours) > 3, "canary" in str([frame.locals for frame in ours])) == (True, False)

    def test_a_pickle_of_it_leads_to_the_same_file(self, path: Path) -> None:
        key = Fernet.generate_key()
        store = FileTokenStore(path, encryption_key=key)
        store.save(OTHER_KEY, TOKEN, LONG, 0)
        assert pickle.loads(pickle.dumps(store)).load(OTHER_KEY) == TOKEN


class TestEncryption:
    def test_nothing_can_be_read_without_the_key(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        path = tmp_path / "tokens.json"
        FileTokenStore(path, encryption_key=Fernet.generate_key()).save(KEY, TOKEN, LONG, 0)
        assert TOKEN.refresh_token not in path.read_text()
        assert FileTokenStore(path).load(KEY) is None
        store = FileTokenStore(path, encryption_key=Fernet.generate_key())
        assert store.load(KEY) is None
        assert caplog.messages == [f"{store!r} holds a token that its encryption_key does not open; it counts as none"]

    def test_a_new_key_is_put_before_the_old_ones(self, tmp_path: Path) -> None:
        old, new = Fernet.generate_key(), Fernet.generate_key()
        FileTokenStore(tmp_path / "f", encryption_key=old).save(KEY, TOKEN, LONG, 0)
        both = FileTokenStore(tmp_path / "f", encryption_key=[new, old])
        assert both.load(KEY) == TOKEN
        both.save(KEY, TOKEN, LONG, 0)
        assert FileTokenStore(tmp_path / "f", encryption_key=new).load(KEY) == TOKEN

    def test_a_key_that_is_none_is_not_shown(self, tmp_path: Path) -> None:
        made = r"^encryption_key is no key that cryptography\.fernet\.Fernet\.generate_key\(\) made$"
        with pytest.raises(ValueError, match=made):
            FileTokenStore(tmp_path / "f", encryption_key="canary-key")


@pytest.mark.parametrize(
    ("make", "module", "what"),
    [
        (lambda: FileTokenStore("f"), "filelock", "FileTokenStore needs filelock"),
        (lambda: RedisTokenStore("redis://h"), "redis", "RedisTokenStore needs redis"),
        (lambda: FileTokenStore("f", encryption_key="k"), "cryptography.fernet", "encryption_key needs cryptography"),
    ],
    ids=["file", "redis", "encryption"],
)
def test_what_is_not_installed_is_said_with_the_line_that_mends_it(
    monkeypatch: pytest.MonkeyPatch,
    make: Callable[[], TokenStore],
    module: str,
    what: str,
    request: pytest.FixtureRequest,
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError) as caught:
        make()
    extra = request.node.callspec.id
    line = f'pip install "BlueJeansMeetingsRestApi[{extra}]"'
    assert str(caught.value) == f"{what}, which is not installed: {line}"


def test_a_text_is_gone_at_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not a moment later, in those stores whose clock is ours."""
    monkeypatch.setattr(time, "time", lambda: 1_800_000_000.0)
    monkeypatch.setattr(time, "monotonic", lambda: 1000.0)
    for store in (MemoryTokenStore(), FileTokenStore(tmp_path / "tokens.json")):
        store.write(KEY, "ended", 0.0, 0)
        assert store.read(KEY) is None
        store.write(OTHER_KEY, "another", LONG, 0)
    assert "ended" not in (tmp_path / "tokens.json").read_text()


class TestTheRedis:
    def test_with_a_key_it_holds_nothing_that_can_be_read(self, server: RedisServer) -> None:
        RedisTokenStore(server.url, encryption_key=Fernet.generate_key(), **PATIENT).save(KEY, TOKEN, LONG, 1)
        with server.client as client:
            held = client.hget(f"bluejeans:{{{KEY}}}", "text")
        assert "access_token" not in held
        assert RedisTokenStore(server.url, **PATIENT).load(KEY) is None

    def test_its_text_says_where_it_is(self, server: RedisServer) -> None:
        assert repr(RedisTokenStore(server.url)) == f"RedisTokenStore at 127.0.0.1:{server.port}/0"
        assert repr(RedisTokenStore("redis://a.example/3")) == "RedisTokenStore at a.example:/3"
        client = redis.Redis(unix_socket_path=str(server.socket), password=PASSWORD)
        assert repr(RedisTokenStore(client)) == f"RedisTokenStore at {server.socket}"

    def test_a_key_shows_no_id_and_lasts_as_long_as_the_token(self, server: RedisServer) -> None:
        RedisTokenStore(server.url, **PATIENT).save(KEY, TOKEN, 60, 1)
        with server.client as client:
            assert client.keys() == [f"bluejeans:{{{KEY}}}"]
            assert 50_000 <= client.pttl(f"bluejeans:{{{KEY}}}") <= 60_000

    def test_its_text_and_its_errors_show_no_password(self, server: RedisServer) -> None:
        store = RedisTokenStore(server.url.replace(PASSWORD, f"wrong-{PASSWORD}"))
        with pytest.raises(TokenStoreError, match="cannot be used") as caught:
            store.read(KEY)
        assert PASSWORD not in f"{store} {store!r} {caught.value} {caught.value.__cause__}"
        assert f"127.0.0.1:{server.port}" in str(store)

    @pytest.mark.parametrize(
        "url", [f"https://u:{PASSWORD}@h", "no URL", f"redis://:{PASSWORD}/x@h", f"redis://h/0?{PASSWORD}=1"]
    )
    def test_a_url_that_is_none_is_not_shown(self, url: str) -> None:
        with pytest.raises(ValueError, match="is no URL of a Redis") as caught:
            RedisTokenStore(url)
        assert str(caught.value) == (
            "That is no URL of a Redis, such as rediss://user:password@host:6379/0, "
            "with / # ? and @ in a password percent-encoded"
        )

    def test_later_versions_find_what_this_one_has_stored(self, server: RedisServer) -> None:
        store = RedisTokenStore(server.url, **PATIENT)
        with server.client as client, store.lock(KEY, LONG) as fence:
            store.write(KEY, "text", None, fence)
            assert set(client.keys()) >= {f"bluejeans:{{{KEY}}}{ending}" for ending in ("", ":lock", ":fence")}
            assert client.hgetall(f"bluejeans:{{{KEY}}}") == {"fence": str(fence), "text": "text"}

    def test_a_client_without_time_limits_gets_some(self, server: RedisServer) -> None:
        store = RedisTokenStore(redis.Redis(port=server.port, password=PASSWORD), timeout=0.2)
        with server.stopped(), pytest.raises(TokenStoreError):
            store.read(KEY)
        assert store.read(KEY) is None

    def test_one_that_is_down_cannot_be_used(self, tmp_path: Path) -> None:
        with redis_server(tmp_path) as server:
            store = RedisTokenStore(server.url)
            assert store.read(KEY) is None
            server.kill()
            for use in (lambda: store.read(KEY), lambda: store.remove(KEY), lambda: store.write(KEY, "t", 1, 1)):
                with pytest.raises(TokenStoreError, match="cannot be used"):
                    use()
            with pytest.raises(TokenStoreError), store.lock(KEY, 1):
                pass

    def test_who_holds_a_lock_keeps_its_lease(self, server: RedisServer) -> None:
        store = RedisTokenStore(server.url, timeout=10, lease=0.3)
        with store.lock(KEY, LONG):
            ends = time.monotonic() + 1  # more than three leases
            while time.monotonic() < ends:
                with pytest.raises(TimeoutError), store.lock(KEY, 0):
                    pass

    def test_the_lock_of_a_holder_that_was_killed_is_free_after_its_lease(self, server: RedisServer) -> None:
        program = (
            "import sys, time; from BlueJeansMeetingsRestApi import RedisTokenStore\n"
            f"with RedisTokenStore(sys.argv[1], lease=0.5).lock({KEY!r}, 9): print('held', flush=True); time.sleep(99)"
        )
        with subprocess.Popen([sys.executable, "-c", program, server.url], stdout=subprocess.PIPE) as holder:
            assert holder.stdout is not None
            assert holder.stdout.readline() == b"held\n"
            holder.kill()
            holder.wait()
        with RedisTokenStore(server.url, **PATIENT).lock(KEY, LONG):
            pass

    def test_who_loses_a_lock_is_not_disturbed(self, server: RedisServer) -> None:
        with RedisTokenStore(server.url, timeout=10, lease=0.2).lock(KEY, LONG):
            [keeper] = [thread for thread in threading.enumerate() if thread.name == "lease of a token"]
            with server.client as client:
                client.delete(f"bluejeans:{{{KEY}}}:lock")
            keeper.join(LONG)
            assert not keeper.is_alive()

    def test_who_slept_past_the_lease_does_not_overwrite_what_came_after(self, server: RedisServer) -> None:
        sleeper = RedisTokenStore(server.url, timeout=10, lease=0.2)
        with sleeper.lock(KEY, LONG) as old:
            with server.client as client:
                client.delete(f"bluejeans:{{{KEY}}}:lock")  # as its end would
            with RedisTokenStore(server.url, **PATIENT).lock(KEY, LONG) as new:
                RedisTokenStore(server.url).write(KEY, "newer", LONG, new)
            assert sleeper.write(KEY, "older", LONG, old) is False
        assert sleeper.read(KEY) == "newer"

    def test_a_fence_grows_also_where_its_counter_was_forgotten(self, server: RedisServer) -> None:
        store = RedisTokenStore(server.url, **PATIENT)
        for _ in range(3):
            with store.lock(KEY, LONG) as fence:
                store.write(KEY, "kept", None, fence)
        with server.client as client:
            client.delete(f"bluejeans:{{{KEY}}}:fence")  # as after a day without a renewal
        with store.lock(KEY, LONG) as later:
            assert later > fence
            assert store.write(KEY, "later", None, later) is True

    def test_a_short_silence_does_not_cost_the_lease(self, server: RedisServer) -> None:
        store = RedisTokenStore(server.url, timeout=0.2, lease=2)
        with store.lock(KEY, LONG) as fence:
            with server.stopped():
                threading.Event().wait(1)  # longer than a third of the lease, and than one answer may take
            ends = time.monotonic() + 2
            while time.monotonic() < ends:
                with pytest.raises(TimeoutError), RedisTokenStore(server.url, **PATIENT).lock(KEY, 0):
                    pass
            assert store.write(KEY, "mine", LONG, fence) is True

    def test_what_is_no_text_is_no_token(self, server: RedisServer) -> None:
        with redis.Redis.from_url(server.url) as client:
            client.hset(f"bluejeans:{{{KEY}}}", mapping={"text": b"\xff\xfe", "fence": 1})
        assert RedisTokenStore(server.url, **PATIENT).load(KEY) is None

    def test_a_client_of_another_kind_is_refused(self) -> None:
        with pytest.raises(TypeError, match="takes a URL or a client of one Redis, not a object"):
            RedisTokenStore(object())  # type: ignore[arg-type]

    def test_who_slept_and_was_not_overtaken_keeps_what_it_got(self, server: RedisServer) -> None:
        store = RedisTokenStore(server.url, **PATIENT)
        with store.lock(KEY, LONG) as fence, server.client as client:
            client.delete(f"bluejeans:{{{KEY}}}:lock")
            assert store.write(KEY, "rotated", LONG, fence) is True

    def test_a_server_that_takes_connections_and_says_nothing_is_left_in_time(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            store = RedisTokenStore(f"redis://127.0.0.1:{silent.getsockname()[1]}", timeout=0.1)
            with pytest.raises(TokenStoreError, match="TimeoutError"):
                store.read(KEY)
            silent.setblocking(False)
            silent.accept()[0].close()
            with pytest.raises(BlockingIOError):  # it was tried once
                silent.accept()

    def test_a_pickle_of_it_leads_to_the_same_server(self, server: RedisServer) -> None:
        store = RedisTokenStore(server.url, **PATIENT)
        store.save(KEY, TOKEN, LONG, 1)
        pickled = pickle.loads(pickle.dumps(store))
        assert pickled.load(KEY) == TOKEN
        assert pickled.__reduce__() == store.__reduce__()  # its time limits and its lease

    def test_one_made_of_a_client_cannot_be_pickled(self, server: RedisServer) -> None:
        with pytest.raises(
            TypeError, match="^A client of redis-py cannot be pickled: make the RedisTokenStore of a URL$"
        ):
            pickle.dumps(RedisTokenStore(server.client))


def test_no_store_logs_a_token(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    store = FileTokenStore(tmp_path / "f")
    store.save(KEY, TOKEN, LONG, 0)
    store.load(KEY)
    assert TOKEN.refresh_token not in caplog.text
    assert TOKEN.access_token not in repr(TOKEN).replace("access_token", "")


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_lock_of_a_thread_that_a_fork_left_behind_is_free_in_the_child() -> None:
    store = MemoryTokenStore()
    held, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with store.lock(KEY, LONG):
            held.set()
            leave.wait(LONG)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(LONG)
    pid = os.fork()
    if pid == 0:
        with store.lock(KEY, 5):
            os._exit(0)
    leave.set()
    thread.join()
    assert os.waitpid(pid, 0)[1] == 0


def test_the_module_loads_no_store_that_is_not_used() -> None:
    heavy = "{'filelock', 'redis', 'cryptography'}"
    program = f"import sys, BlueJeansMeetingsRestApi.token_stores; print({heavy} & {{*sys.modules}})"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stdout == "set()\n"
