"""Behavior that all token stores share: encryption and optional packages."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from BlueJeansMeetingsRestApi.token_stores import FileTokenStore, RedisTokenStore, TokenStore
from BlueJeansMeetingsRestApi.token_stores.conformance import KEY, LONG, TOKEN


def test_encrypted_token_cannot_be_read_without_the_key(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "tokens.json"
    FileTokenStore(path, encryption_key=Fernet.generate_key()).save(KEY, TOKEN, LONG, 0)
    assert TOKEN.refresh_token not in path.read_text()
    assert FileTokenStore(path).load(KEY) is None
    store = FileTokenStore(path, encryption_key=Fernet.generate_key())
    assert store.load(KEY) is None
    message = f"{store!r} contains a token that its encryption_key cannot decrypt; ignoring the token"
    assert caplog.messages == [message]


def test_encryption_key_is_rotated_by_passing_the_new_key_first(tmp_path: Path) -> None:
    old, new = Fernet.generate_key(), Fernet.generate_key()
    FileTokenStore(tmp_path / "f", encryption_key=old).save(KEY, TOKEN, LONG, 0)
    both = FileTokenStore(tmp_path / "f", encryption_key=[new, old])
    assert both.load(KEY) == TOKEN
    both.save(KEY, TOKEN, LONG, 0)
    assert FileTokenStore(tmp_path / "f", encryption_key=new).load(KEY) == TOKEN


def test_error_about_an_invalid_encryption_key_does_not_contain_it(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="^encryption_key is not a valid Fernet key; create one with ") as caught:
        FileTokenStore(tmp_path / "f", encryption_key="canary-key")
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("make", "module", "what"),
    [
        (lambda: FileTokenStore("f"), "filelock", "FileTokenStore needs filelock"),
        (lambda: RedisTokenStore("redis://h"), "redis", "RedisTokenStore needs redis"),
        (lambda: FileTokenStore("f", encryption_key="k"), "cryptography.fernet", "encryption_key needs cryptography"),
    ],
    ids=["file", "redis", "encryption"],
)
def test_error_about_a_missing_extra_contains_the_pip_command(
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


def test_importing_the_stores_does_not_import_their_optional_packages() -> None:
    heavy = "{'filelock', 'redis', 'cryptography'}"
    program = f"import sys, BlueJeansMeetingsRestApi.token_stores; print({heavy} & {{*sys.modules}})"
    completed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert completed.stdout == "set()\n"
