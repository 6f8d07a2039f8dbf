"""`bluejeans-auth doctor`: each line is a check, and says what to do where it found a problem."""

from __future__ import annotations

import argparse
import os
import ssl
import stat
import sys
import time
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from importlib import metadata
from typing import NamedTuple
from urllib.parse import urlsplit

from ..configuration import Configuration
from ..environment import setting, setting_name
from ..exceptions import ApiConnectionError, ApiException
from ..token_stores import FileTokenStore, TokenStoreError
from ..transport.proxies import proxy_for
from ..version import __version__
from . import NETWORK, REFUSED, given, in_a_line
from .sign_ins import SignIns, store

# Seconds by which a clock may differ from the service's.
_CLOCK_TOLERANCE = 30
_VARIABLES = ("CLIENT_ID", "CLIENT_SECRET", "USERNAME", "PASSWORD", "MEETING_ID", "MEETING_PASSCODE", "ACCESS_TOKEN")
_PAIRS = (("CLIENT_ID", "CLIENT_SECRET"), ("USERNAME", "PASSWORD"))


class Check(NamedTuple):
    """What was looked at and found. problem: what to do; "" if all is well. code: what the command then ends with."""

    what: str
    found: str
    problem: str = ""
    code: int = REFUSED

    def __str__(self) -> str:
        said = f"{'problem' if self.problem else 'ok':8} {self.what:12} {self.found}"
        return f"{said}: {self.problem}" if self.problem else said


def run(arguments: argparse.Namespace) -> int:
    """Make and print the checks, and return the exit code."""
    codes = {0}
    for check in checks(arguments):
        print(check, flush=True)
        if check.problem:
            codes.add(check.code)
    return max(codes)


def checks(arguments: argparse.Namespace) -> Iterator[Check]:
    """All checks, each made when it is asked for."""
    versions = (
        f"{__version__}, Python {sys.version.split()[0]}, urllib3 {metadata.version('urllib3')}, {ssl.OPENSSL_VERSION}"
    )
    yield Check("version", versions)
    configuration = given.configuration(arguments)
    try:
        configuration.check()
    except ValueError as error:
        yield Check("host", "cannot be used", str(error))
    else:
        yield from _way_to(configuration, arguments)
    yield from _credentials()
    yield from _kept()
    yield _browser()


def _way_to(configuration: Configuration, arguments: argparse.Namespace) -> Iterator[Check]:
    named = "--host" if arguments.host else setting_name("HOST") if setting("HOST") else "default"
    yield Check("host", f"{configuration.host} ({named})")
    try:
        proxy = proxy_for(configuration.base_url, configuration.proxy, configuration.trust_env)
    except ValueError as error:
        yield Check("proxy", "cannot be used", str(error))
        return
    yield Check("proxy", repr(proxy) if proxy else "none")
    before = time.time()
    try:
        with given.api(arguments) as api:
            # Without a token it is refused; what matters is that somebody answers.
            headers: Mapping[str, str] = api.get_token_info_with_http_info(_max_attempts=1)[2]
            status = 200
    except ApiConnectionError as error:
        yield Check("answer", "none", in_a_line(error), NETWORK)
        return
    except ApiException as error:
        headers, status = error.headers or {}, error.status or 0
    took = time.time() - before
    expected = status in (200, 400, 401, 403)
    advice = "" if expected else "what answers there may be another service: check the host"
    yield Check("answer", f"HTTP {status} after {took * 1000:.0f} ms", advice)
    yield _tls(configuration)
    yield _clock(headers.get("Date"), before + took / 2)


def _tls(configuration: Configuration) -> Check:
    if urlsplit(configuration.host).scheme == "http":
        return Check("TLS", "none, to this machine")
    return Check("TLS", f"trusted, by {configuration.ssl_ca_cert or 'the authorities of certifi'}")


def _clock(date: str | None, asked_at: float) -> Check:
    try:
        ahead = asked_at - parsedate_to_datetime(date or "").timestamp() - 0.5  # it is told in whole seconds
    except (ValueError, TypeError):
        return Check("clock", "the service does not tell the time")
    found = f"{abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} the service's"
    if abs(ahead) <= _CLOCK_TOLERANCE:
        return Check("clock", found)
    return Check("clock", found, "set this machine's clock; certificates and kept tokens are checked against it")


def _credentials() -> Iterator[Check]:
    found = 0
    for name in _VARIABLES:
        variable = setting_name(name)
        path = os.environ.get(f"{variable}_FILE")
        try:
            there = setting(name)
        except ValueError as error:
            yield Check("credentials", variable, str(error))
            continue
        if there is None:
            if path:
                yield Check("credentials", f"{variable}_FILE", f"{path!r} is empty")
            continue
        found += 1
        yield _file(path, variable, name) if path else Check("credentials", f"{variable} is set")
    for of, secret in _PAIRS:
        if (os.environ.get(setting_name(secret)) or os.environ.get(f"{setting_name(secret)}_FILE")) and not (
            os.environ.get(setting_name(of)) or os.environ.get(f"{setting_name(of)}_FILE")
        ):
            yield Check("credentials", f"{setting_name(secret)} is set alone", f"set {setting_name(of)} too")
    if not found:
        yield Check("credentials", "none in the environment")


def _file(path: str, variable: str, name: str) -> Check:
    found = f"{variable}_FILE names {path!r}"
    return Check("credentials", found, _open_to_others(path) if name in given.SECRETS else "")


def _open_to_others(path: str) -> str:
    """What to do about a file that others may read or change; "" if they may not."""
    if os.name == "nt":
        return ""  # who may read it follows from the folder
    status = os.stat(path)
    if status.st_uid not in (os.getuid(), 0):
        return "it belongs to another user; make one of your own in its place"
    if stat.S_IMODE(status.st_mode) & 0o077:
        mode = "700" if stat.S_ISDIR(status.st_mode) else "600"
        return f"others may read or change it (mode {stat.S_IMODE(status.st_mode):o}): chmod {mode} {path!r}"
    return ""


def _kept() -> Iterator[Check]:
    try:
        kept = store()
        check = Check("store", repr(kept))
        if isinstance(kept, FileTokenStore):  # before it is read, which mends its mode
            check = Check("store", repr(kept.path), _about_store(kept.path))
        number = len(list(SignIns(kept)))
    except (ImportError, ValueError, TokenStoreError) as error:
        yield Check("store", "cannot be used", str(error))
        return
    yield check
    yield Check("sign-ins", f"{number} kept" if number else "none kept: bluejeans-auth login makes one")


def _about_store(path: str) -> str:
    """What to do about the file of tokens, or its folder; "" if all is well, or they are not made yet."""
    folder = os.path.dirname(path)
    if not os.path.isdir(folder):
        return ""
    if not os.access(folder, os.W_OK | os.X_OK):
        return f"its folder cannot be written to: chmod u+rwx {folder!r}, or set {setting_name('TOKEN_STORE')}"
    mode = os.stat(folder).st_mode
    # Whoever may write to it could put another file in the place of this one.
    if os.name != "nt" and mode & 0o022 and not mode & stat.S_ISVTX:
        return f"others may change its folder: chmod go-w {folder!r}"
    if os.path.islink(path):
        return "it is a link, and counts as no file: remove it"
    return _open_to_others(path) if os.path.exists(path) else ""


def _browser() -> Check:
    import webbrowser

    try:
        webbrowser.get()
    except webbrowser.Error:
        return Check("browser", "none here: bluejeans-auth login prints the address and takes what is pasted")
    return Check("browser", "there is one for bluejeans-auth login")
