"""FileTokenStore: the conformance suite, untrusted files, locks and failures of the file system."""

from __future__ import annotations

import json
import logging
import os
import pickle
import resource
import signal
import stat
import subprocess
import sys
import tempfile
import time
import traceback
from dataclasses import replace
from pathlib import Path

import filelock
import pytest
from cryptography.fernet import Fernet

from BlueJeansMeetingsRestApi.token_stores import FileTokenStore, MemoryTokenStore, TokenStoreError
from BlueJeansMeetingsRestApi.token_stores.conformance import KEY, LONG, OTHER_KEY, TOKEN, TokenStoreConformance


class TestFile(TokenStoreConformance):
    @pytest.fixture
    def store(self, tmp_path: Path) -> FileTokenStore:
        return FileTokenStore(tmp_path / "folder" / "tokens.json")


class TestEncryptedFile(TokenStoreConformance):
    @pytest.fixture
    def store(self, tmp_path: Path) -> FileTokenStore:
        return FileTokenStore(tmp_path / "tokens.json", encryption_key=Fernet.generate_key())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return the path of a file that contains a token."""
    path = tmp_path / "folder" / "tokens.json"
    FileTokenStore(path).save(KEY, TOKEN, LONG, 0)
    return path


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_only_the_owner_can_read_the_token_file_its_folder_and_its_locks(path: Path) -> None:
    with FileTokenStore(path).lock(KEY, LONG):
        assert {mode(file) for file in path.parent.iterdir()} == {0o600}
    assert mode(path.parent) == 0o700


def test_existing_folder_of_the_token_file_is_not_given_another_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    FileTokenStore(tmp_path / "tokens.json").save(KEY, TOKEN, LONG, 0)
    assert mode(tmp_path) == 0o755


def test_tilde_in_the_path_of_the_token_file_is_expanded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert FileTokenStore("~/tokens.json").path == str(tmp_path / "tokens.json")


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"{", id="truncated"),
        pytest.param(b"\xff\xfe", id="invalid UTF-8"),
        pytest.param(b"null", id="null"),
        pytest.param(b"[]", id="list"),
        pytest.param(b'{"tokens": 7}', id="tokens is a number"),
        pytest.param(b'{"tokens": {"k": "text"}}', id="entry is a string"),
        pytest.param(b'{"tokens": {"k": ["text", "soon"]}}', id="expiry is not a number"),
        pytest.param(b'{"another program": true}', id="file of another program"),
        pytest.param(b"[" * 100_000, id="deeply nested"),
    ],
)
def test_file_without_tokens_is_ignored_and_then_replaced(
    path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    path.write_bytes(content)
    store = FileTokenStore(path)
    assert store.load(KEY) is None
    assert set(caplog.messages) == {f"Ignoring {store!r}: it is not a token file"}
    store.save(KEY, TOKEN, LONG, 0)
    assert store.load(KEY) == TOKEN


def test_token_file_that_others_can_read_becomes_private(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path.chmod(0o644)
    store = FileTokenStore(path)
    assert store.load(KEY) == TOKEN
    assert caplog.messages == [f"Other users could read {store!r} (mode 644); changed its mode to 0600"]
    assert mode(path) == 0o600


@pytest.mark.parametrize("private_mode", [0o600, 0o400, 0o700, 0o711])
def test_mode_of_a_private_token_file_does_not_change(
    path: Path, private_mode: int, caplog: pytest.LogCaptureFixture
) -> None:
    path.chmod(private_mode)
    assert FileTokenStore(path).load(KEY) == TOKEN
    assert (mode(path), caplog.messages) == (private_mode, [])


def test_token_file_has_the_format_that_other_versions_read(path: Path) -> None:
    store = FileTokenStore(path)
    store.write(KEY, "unlimited", None, 0)
    assert json.loads(path.read_text()) == {"version": 1, "tokens": {KEY: ["unlimited", None]}}


def test_each_key_has_a_lock_file_next_to_the_token_file(path: Path) -> None:
    with FileTokenStore(path).lock(KEY, LONG):
        locks = {f"tokens.json{lock}" for lock in ("", ".lock", f".{KEY[:16]}.lock")}
        assert {file.name for file in path.parent.iterdir()} == locks


def test_file_store_does_not_use_the_temporary_folder(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/no/such/folder")
    assert FileTokenStore(path).save(OTHER_KEY, TOKEN, LONG, 0) is True


@pytest.mark.parametrize("open_mode", [0o620, 0o602, 0o666])
def test_token_file_that_others_can_write_is_not_trusted(
    path: Path, open_mode: int, caplog: pytest.LogCaptureFixture
) -> None:
    path.chmod(open_mode)
    store = FileTokenStore(path)
    assert store.load(KEY) is None
    assert set(caplog.messages) == {f"Ignoring {store!r}: other users can write to it"}
    store.save(OTHER_KEY, TOKEN, LONG, 0)
    assert (store.load(KEY), store.load(OTHER_KEY), mode(path)) == (None, TOKEN, 0o600)


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="requires root")
def test_token_file_of_another_user_is_not_trusted(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    os.chown(path, 65534, 65534)
    store = FileTokenStore(path)
    assert store.load(KEY) is None
    assert caplog.messages == [f"Ignoring {store!r}: it belongs to another user"]


def test_link_is_replaced_and_not_followed(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    target = path.rename(path.with_name("target"))
    before = target.read_bytes()
    path.symlink_to(target)
    store = FileTokenStore(path)
    assert store.load(KEY) is None
    assert caplog.messages == [f"Ignoring {store!r}: it is a link"]
    store.save(KEY, TOKEN, LONG, 0)
    assert (path.is_symlink(), target.read_bytes() == before) == (False, True)


@pytest.mark.skipif(not hasattr(os, "O_NOFOLLOW"), reason="requires O_NOFOLLOW")
def test_link_created_after_the_check_is_not_followed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.symlink_to(path.rename(path.with_name("target")))
    monkeypatch.setattr(os.path, "islink", lambda _: False)
    with pytest.raises(TokenStoreError, match="cannot be read"):
        FileTokenStore(path).load(KEY)


def test_pipe_instead_of_a_token_file_does_not_block(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path.unlink()
    os.mkfifo(path)
    store = FileTokenStore(path)
    assert store.load(KEY) is None
    assert caplog.messages == [f"Ignoring {store!r}: it is not a regular file"]


def test_folder_instead_of_a_token_file_raises_token_store_error(tmp_path: Path) -> None:
    (tmp_path / "tokens.json").mkdir()
    with pytest.raises(TokenStoreError, match="cannot be written"):
        FileTokenStore(tmp_path / "tokens.json").save(KEY, TOKEN, LONG, 0)


def test_reading_below_a_regular_file_raises_token_store_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(TokenStoreError, match="tokens.json'\\) cannot be read: Not a directory"):
        FileTokenStore(tmp_path / "file" / "tokens.json").load(KEY)


def test_folder_that_cannot_be_created_raises_token_store_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(TokenStoreError, match="cannot be locked"):
        FileTokenStore(tmp_path / "file" / "tokens.json").save(KEY, TOKEN, LONG, 0)


def test_failed_write_on_a_full_disk_does_not_change_the_token_file(path: Path) -> None:
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


def test_expired_values_are_deleted_by_the_next_write(path: Path) -> None:
    store = FileTokenStore(path)
    store.write(KEY, "expired", 0.0, 0)
    store.write(OTHER_KEY, "valid", LONG, 0)
    assert "expired" not in path.read_text()


def test_value_expires_exactly_when_its_ttl_is_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 1_800_000_000.0)
    monkeypatch.setattr(time, "monotonic", lambda: 1000.0)
    for store in (MemoryTokenStore(), FileTokenStore(tmp_path / "tokens.json")):
        store.write(KEY, "expired", 0.0, 0)
        assert store.read(KEY) is None
        store.write(OTHER_KEY, "another", LONG, 0)
    assert "expired" not in (tmp_path / "tokens.json").read_text()


def test_file_lock_of_a_killed_process_is_released(path: Path) -> None:
    program = (
        "import sys, time; from BlueJeansMeetingsRestApi import FileTokenStore\n"
        f"with FileTokenStore(sys.argv[1]).lock({KEY!r}, 9): print('locked', flush=True); time.sleep(99)"
    )
    with subprocess.Popen([sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"locked\n"
        with pytest.raises(TimeoutError), FileTokenStore(path).lock(KEY, 0):
            pass
        holder.kill()
        holder.wait()
        with FileTokenStore(path).lock(KEY, LONG):
            pass


def test_token_file_that_stays_locked_raises_token_store_error(path: Path) -> None:
    with filelock.FileLock(f"{path}.lock"), pytest.raises(TokenStoreError, match="Timed out waiting for the lock"):
        FileTokenStore(path).save(OTHER_KEY, TOKEN, LONG, 0)


def test_traceback_of_a_failed_write_contains_no_token(path: Path) -> None:
    path.unlink()
    path.mkdir()
    with pytest.raises(TokenStoreError) as caught:
        FileTokenStore(path).save(KEY, replace(TOKEN, access_token="canary"), LONG, 0)
    frames = traceback.TracebackException.from_exception(caught.value, capture_locals=True).stack
    ours = [frame for frame in frames if "BlueJeansMeetingsRestApi" in frame.filename]
    assert (len(ours) > 3, "canary" in str([frame.locals for frame in ours])) == (True, False)


def test_unpickled_file_store_uses_the_same_file_and_key(path: Path) -> None:
    key = Fernet.generate_key()
    store = FileTokenStore(path, encryption_key=key)
    store.save(OTHER_KEY, TOKEN, LONG, 0)
    assert pickle.loads(pickle.dumps(store)).load(OTHER_KEY) == TOKEN


def test_file_store_logs_no_token(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    store = FileTokenStore(tmp_path / "f")
    store.save(KEY, TOKEN, LONG, 0)
    store.load(KEY)
    assert TOKEN.refresh_token not in caplog.text
    assert TOKEN.access_token not in repr(TOKEN).replace("access_token", "")
