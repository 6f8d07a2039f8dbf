"""`bluejeans-auth doctor`: checks of the connection and the settings, with advice for each problem."""

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
from ..environment import VARIABLES, setting, setting_name
from ..exceptions import ApiConnectionError, ApiException
from ..sign_in.saved import SavedSignIns, default_store
from ..token_stores import FileTokenStore, TokenStoreError
from ..transport.proxies import proxy_for
from ..version import __version__
from . import NETWORK, REFUSED, format_error, inputs

_CLOCK_TOLERANCE = 30  # seconds
_CREDENTIALS = [name for name, variable in VARIABLES.items() if variable.used_for == "credentials"]
_PAIRS = (("CLIENT_ID", "CLIENT_SECRET"), ("USERNAME", "PASSWORD"))


class Check(NamedTuple):
    """A check and its result.

    subject: name of the check.
    result: value or state, for the user.
    problem: advice; "" if there is no problem.
    code: exit code for a problem.
    """

    subject: str
    result: str
    problem: str = ""
    code: int = REFUSED

    def __str__(self) -> str:
        line = f"{'problem' if self.problem else 'ok':8} {self.subject:12} {self.result}"
        return f"{line}: {self.problem}" if self.problem else line


def run(arguments: argparse.Namespace) -> int:
    """Print the checks and return the exit code."""
    codes = {0}
    for check in run_checks(arguments):
        print(check, flush=True)
        if check.problem:
            codes.add(check.code)
    return max(codes)


def run_checks(arguments: argparse.Namespace) -> Iterator[Check]:
    """Run the checks and yield the result of each."""
    versions = (
        f"{__version__}, Python {sys.version.split()[0]}, urllib3 {metadata.version('urllib3')}, {ssl.OPENSSL_VERSION}"
    )
    yield Check("version", versions)
    configuration = inputs.make_configuration(arguments)
    try:
        configuration.check()
    except ValueError as error:
        yield Check("host", "cannot be used", str(error))
    else:
        yield from _check_connection(configuration, arguments)
    yield from _check_credentials()
    yield from _check_store()
    yield _check_browser()


def _check_connection(configuration: Configuration, arguments: argparse.Namespace) -> Iterator[Check]:
    source = "--host" if arguments.host else setting_name("HOST") if setting("HOST") else "default"
    yield Check("host", f"{configuration.host} ({source})")
    try:
        proxy = proxy_for(configuration.base_url, configuration.proxy, configuration.trust_env)
    except ValueError as error:
        yield Check("proxy", "cannot be used", str(error))
        return
    yield Check("proxy", repr(proxy) if proxy else "none")
    before = time.time()
    try:
        with inputs.make_api(arguments) as api:
            # Without a token, the service refuses the request, but it responds.
            headers: Mapping[str, str] = api.get_token_info_with_http_info(_max_attempts=1)[2]
            status = 200
    except ApiConnectionError as error:
        yield Check("response", "none", format_error(error), NETWORK)
        return
    except ApiException as error:
        headers, status = error.headers or {}, error.status or 0
    took = time.time() - before
    expected = status in (200, 400, 401, 403)
    advice = "" if expected else "this may be another service; check the host"
    yield Check("response", f"HTTP {status} after {took * 1000:.0f} ms", advice)
    yield _check_tls(configuration)
    yield _check_clock(headers.get("Date"), before + took / 2)


def _check_tls(configuration: Configuration) -> Check:
    if urlsplit(configuration.host).scheme == "http":
        return Check("TLS", "none, to this machine")
    return Check("TLS", f"trusted by {configuration.ssl_ca_cert or 'the CA bundle of certifi'}")


def _check_clock(date: str | None, requested_at: float) -> Check:
    try:
        ahead = (
            requested_at - parsedate_to_datetime(date or "").timestamp() - 0.5
        )  # the header has no fractions of a second
    except (ValueError, TypeError):
        return Check("clock", "the response has no Date header")
    found = f"{abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} the service's"
    if abs(ahead) <= _CLOCK_TOLERANCE:
        return Check("clock", found)
    return Check("clock", found, "set the clock of this machine; certificates and saved tokens are checked against it")


def _check_credentials() -> Iterator[Check]:
    count = 0
    for name in _CREDENTIALS:
        variable = setting_name(name)
        path = os.environ.get(f"{variable}_FILE")
        try:
            value = setting(name)
        except ValueError as error:
            yield Check("credentials", variable, str(error))
            continue
        if value is None:
            if path:
                yield Check("credentials", f"{variable}_FILE", f"{path!r} is empty")
            continue
        count += 1
        yield _check_secret_file(path, name) if path else Check("credentials", f"{variable} is set")
    for identity, secret in _PAIRS:
        if _is_set(secret) and not _is_set(identity):
            advice = f"set {setting_name(identity)}, too"
            yield Check("credentials", f"{setting_name(secret)} is set without {setting_name(identity)}", advice)
    if not count:
        yield Check("credentials", "none in the environment")


def _is_set(name: str) -> bool:
    variable = setting_name(name)
    return bool(os.environ.get(variable) or os.environ.get(f"{variable}_FILE"))


def _check_secret_file(path: str, name: str) -> Check:
    problem = _permission_problem(path) if VARIABLES[name].is_secret else ""
    return Check("credentials", f"{setting_name(name)}_FILE is {path!r}", problem)


def _permission_problem(path: str) -> str:
    """Return advice if other users can read or change a file, or ""."""
    if os.name == "nt":
        return ""  # on Windows, the folder determines who may read the file
    status = os.stat(path)
    if status.st_uid not in (os.getuid(), 0):
        return "it belongs to another user; replace it with your own file"
    if stat.S_IMODE(status.st_mode) & 0o077:
        mode = "700" if stat.S_ISDIR(status.st_mode) else "600"
        return f"other users can read or change it (mode {stat.S_IMODE(status.st_mode):o}): chmod {mode} {path!r}"
    return ""


def _check_store() -> Iterator[Check]:
    try:
        store = default_store()
        check = Check("store", repr(store))
        if isinstance(store, FileTokenStore):  # before reading it, because that corrects its mode
            check = Check("store", repr(store.path), _file_problem(store.path))
        with store:
            count = len(list(SavedSignIns(store)))
    except (ImportError, ValueError, TokenStoreError) as error:
        yield Check("store", "cannot be used", str(error))
        return
    yield check
    yield Check("sign-ins", f"{count} saved" if count else "none saved; sign in with bluejeans-auth login")


def _file_problem(path: str) -> str:
    """Return advice about the token file and its folder, or "" if they have no problem or do not exist yet."""
    folder = os.path.dirname(path)
    if not os.path.isdir(folder):
        return ""
    if not os.access(folder, os.W_OK | os.X_OK):
        return f"its folder cannot be written to: chmod u+rwx {folder!r}, or set {setting_name('TOKEN_STORE')}"
    mode = os.stat(folder).st_mode
    # Users who can write to the folder could replace the file.
    if os.name != "nt" and mode & 0o022 and not mode & stat.S_ISVTX:
        return f"other users can write to its folder: chmod go-w {folder!r}"
    if os.path.islink(path):
        return "it is a link and thus ignored: remove it"
    return _permission_problem(path) if os.path.exists(path) else ""


def _check_browser() -> Check:
    import webbrowser

    try:
        webbrowser.get()
    except webbrowser.Error:
        return Check("browser", "none; bluejeans-auth login prints the URL and accepts a pasted response")
    return Check("browser", "available for bluejeans-auth login")
