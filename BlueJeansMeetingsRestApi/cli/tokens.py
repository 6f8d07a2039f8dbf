"""The commands `token`, `exec`, `login`, `info` and `revoke`."""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import sys
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

from .. import credentials as kinds
from ..api.authentication_api import AuthenticationApi
from ..configuration import is_warning_due, warn_about_default_host
from ..environment import VARIABLES, setting, setting_name
from ..exceptions import BadRequestError, ReauthenticationRequired, UnauthorizedError
from ..sign_in.saved import SavedSignIn, SavedSignIns, default_store
from ..token_stores import TokenStore
from . import inputs, terminal


class _Grant(NamedTuple):
    """A kind of credentials, with the names of the settings for its first two parameters."""

    credentials: Callable[..., kinds.Credentials]
    identity: str
    secret: str


# In the order in which `token` looks for them.
_GRANTS = {
    "sign-in": _Grant(kinds.RefreshTokenCredentials, "CLIENT_ID", "CLIENT_SECRET"),
    "client": _Grant(kinds.ClientCredentials, "CLIENT_ID", "CLIENT_SECRET"),
    "password": _Grant(kinds.PasswordCredentials, "USERNAME", "PASSWORD"),
    "meeting": _Grant(kinds.MeetingCredentials, "MEETING_ID", "MEETING_PASSCODE"),
}
_WAITING = "Waiting for the service"
_CANNOT_BE_RUN, _NOT_FOUND = 126, 127  # the exit codes of shells


def print_token(arguments: argparse.Namespace) -> int:
    """Print an access token."""
    with _selected_credentials(arguments) as credentials, terminal.progress(_WAITING):
        access = credentials.get_token()
    expires_at = None if access.expires_at == math.inf else round(access.expires_at)
    if arguments.json:
        print(json.dumps({"access_token": access.token, "token_type": "Bearer", "expires_at": expires_at}))
    else:
        print(f"Authorization: Bearer {access.token}" if arguments.header else access.token)
    return 0


def execute(arguments: argparse.Namespace) -> int:
    """Replace this process by another program with an access token in its environment."""
    with _selected_credentials(arguments) as credentials:
        with terminal.progress(_WAITING):
            access = credentials.get_token()
        configuration = credentials.api.api_client.configuration
        host = configuration.base_url
    if is_warning_due(configuration, host):
        # The program gets the host in its environment, and thus does not warn.
        warn_about_default_host()
    try:
        return _run_program(arguments.program, _environment_for_program(access.token, host))
    except OSError as error:
        print(f"{arguments.program[0]}: {error.strerror}", file=sys.stderr)
        return _NOT_FOUND if isinstance(error, FileNotFoundError) else _CANNOT_BE_RUN


def _environment_for_program(access_token: str, host: str) -> dict[str, str]:
    """Return the environment with the token and the host, and without the service's secrets."""
    removed = [name for name, variable in VARIABLES.items() if variable.is_secret]
    if "://" in (setting("TOKEN_STORE") or ""):  # the URL may contain a password
        removed.append("TOKEN_STORE")
    hidden = {setting_name(name) + suffix for name in removed for suffix in ("", "_FILE")}
    hidden.add(f"{setting_name('HOST')}_FILE")
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    return {**environment, setting_name("ACCESS_TOKEN"): access_token, setting_name("HOST"): host}


def _run_program(program: list[str], environment: dict[str, str]) -> int:
    if os.name != "nt":
        import signal

        # Python ignores these signals, and the new program would inherit that.
        for ignored in (signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(ignored, signal.SIG_DFL)
        os.execvpe(program[0], program, environment)
    import subprocess

    return subprocess.run(program, env=environment, check=False).returncode


def log_in(arguments: argparse.Namespace) -> int:
    """Let the user sign in with a browser, and save the sign-in."""
    from ..sign_in.flow import AuthorizationCodeFlow

    client_id = inputs.get_identity(arguments, "CLIENT_ID")
    if not client_id:
        raise ValueError(f"The client ID is missing: use --client-id, or set {setting_name('CLIENT_ID')}")
    with default_store() as store:
        client_secret = inputs.require_secret(arguments, "CLIENT_SECRET")
        with inputs.make_api(arguments) as api:
            flow = AuthorizationCodeFlow(
                client_id,
                client_secret,
                arguments.redirect_uri,
                arguments.scope,
                arguments.app_name,
                arguments.app_logo_url,
                api=api,
                store=store,
            )
            credentials = flow.run(arguments.timeout, not arguments.no_browser and _open_browser)
            user = api.get_token_info(access_token=credentials.get_token().token).user
            host = api.api_client.configuration.base_url
            saved_secret = client_secret if arguments.keep_secret else ""
            # With the key of its tokens, the sign-in can be deleted without the secret.
            key, now = credentials._key, int(time.time())
            SavedSignIns(store).add(SavedSignIn(host, client_id, user, arguments.scope, now, key, saved_secret))
    terminal.notify(
        f"Signed in as user {user}. To print a token, run `bluejeans-auth token`; "
        "to sign out, run `bluejeans-auth revoke`."
    )
    return 0


def _open_browser(url: str) -> bool:
    import webbrowser

    terminal.notify(f"Opening a browser to sign in; press Ctrl-C to cancel. If no browser opens, go to:\n\n{url}\n")
    return webbrowser.open(url)


def list_sign_ins(arguments: argparse.Namespace) -> int:
    """Print the saved sign-ins."""
    with default_store() as store:
        sign_ins = list(SavedSignIns(store))
    if arguments.json:
        fields = ("host", "client_id", "user", "scope", "signed_in_at")
        listed = [
            {**{name: getattr(one, name) for name in fields}, "secret_is_kept": bool(one.client_secret)}
            for one in sign_ins
        ]
        print(json.dumps(listed, indent=2))
        return 0
    for one in sign_ins:
        since = time.strftime("%Y-%m-%d %H:%M", time.localtime(one.signed_in_at))
        scope, secret = one.scope or "all scopes", ", with client secret" if one.client_secret else ""
        print(f"{one.host}  client {one.client_id}  user {one.user}  {scope}  since {since}{secret}")
    if not sign_ins:
        terminal.notify("Not signed in. Run `bluejeans-auth login`.")
    return 0


def revoke(arguments: argparse.Namespace) -> int:
    """Revoke a sign-in and delete it."""
    with default_store() as store:
        sign_in = _select_sign_in(arguments, store)
        if not arguments.local:
            client_secret = sign_in.client_secret or inputs.require_secret(arguments, "CLIENT_SECRET")
            with inputs.make_api(arguments, sign_in.host) as api:
                credentials = kinds.RefreshTokenCredentials(sign_in.client_id, client_secret, store=store, api=api)
                if credentials._key != sign_in.key:
                    raise ValueError(
                        "The client secret is not the one of this sign-in; use --local to delete the sign-in without it"
                    )
                with terminal.progress(_WAITING):
                    _revoke_at_service(credentials)
        SavedSignIns(store).remove(sign_in)
    action = "Deleted" if arguments.local else "Revoked"
    terminal.notify(f"{action} the sign-in of user {sign_in.user} at {sign_in.host}.")
    return 0


def _revoke_at_service(credentials: kinds.RefreshTokenCredentials) -> None:
    """Revoke a sign-in, unless the service reports that it is not valid any longer."""
    with contextlib.suppress(ReauthenticationRequired):
        token = credentials.get_token().token
        try:
            credentials.revoke()
        except (UnauthorizedError, BadRequestError):
            # The service sends the same error for an invalid token and for an invalid client.
            if _is_valid(token, credentials.api):
                raise


def _is_valid(token: str, api: AuthenticationApi) -> bool:
    try:
        api.get_token_info(access_token=token)
    except UnauthorizedError:
        return False
    return True


@contextlib.contextmanager
def _selected_credentials(arguments: argparse.Namespace) -> Iterator[kinds.Credentials]:
    """Provide the credentials that the arguments and the environment select."""
    with contextlib.ExitStack() as stack:
        is_selected = any(getattr(arguments, grant.identity.lower()) for grant in _GRANTS.values())
        access_token = None if arguments.grant or is_selected else setting("ACCESS_TOKEN")
        if access_token:
            static = kinds.StaticToken(access_token)
            static.use(stack.enter_context(inputs.make_api(arguments)).api_client)
            yield static
            return
        store = None if arguments.no_store else _open_store_if_installed()
        if store is not None:
            stack.enter_context(store)
        name = arguments.grant or _find_grant(arguments, store)
        if name == "sign-in":
            if arguments.no_store:
                raise ValueError("--grant sign-in requires the token store; remove --no-store")
            store = store or default_store()  # raises an error about the missing extra
            sign_in = _select_sign_in(arguments, store)
            secret = sign_in.client_secret or inputs.require_secret(arguments, "CLIENT_SECRET")
            api = stack.enter_context(inputs.make_api(arguments, sign_in.host))
            yield kinds.RefreshTokenCredentials(sign_in.client_id, secret, store=store, api=api)
            return
        identity, optional_secret = _identity_and_secret(arguments, name)
        api = stack.enter_context(inputs.make_api(arguments))
        yield _GRANTS[name].credentials(identity, optional_secret, store=store, api=api)


def _identity_and_secret(arguments: argparse.Namespace, name: str) -> tuple[str, str | None]:
    grant = _GRANTS[name]
    identity = inputs.get_identity(arguments, grant.identity)
    if not identity:
        option, variable = grant.identity.lower().replace("_", "-"), setting_name(grant.identity)
        raise ValueError(f"The {VARIABLES[grant.identity].description} is missing: use --{option}, or set {variable}")
    # A meeting may have no passcode.
    read = inputs.read_secret if name == "meeting" else inputs.require_secret
    return identity, read(arguments, grant.secret)


def _find_grant(arguments: argparse.Namespace, store: TokenStore | None) -> str:
    """Return the first grant with an identity in the arguments or, if there is none, in the environment."""
    named = [name for name, grant in _GRANTS.items() if getattr(arguments, grant.identity.lower())]
    if store is not None and (not named or "sign-in" in named) and _find_sign_ins(arguments, store):
        return "sign-in"
    configured = [name for name, grant in _GRANTS.items() if inputs.get_identity(arguments, grant.identity)]
    for name in named or configured:
        if name != "sign-in":
            return name
    variables = " or ".join(setting_name(name) for name in ("CLIENT_ID", "USERNAME", "MEETING_ID"))
    detail = f"Sign in with `bluejeans-auth login`, or set {variables}."
    raise ReauthenticationRequired(0, "there is no sign-in, and there are no credentials", detail=detail)


def _find_sign_ins(arguments: argparse.Namespace, store: TokenStore) -> list[SavedSignIn]:
    return SavedSignIns(store).find(inputs.find_base_url(arguments), inputs.get_identity(arguments, "CLIENT_ID"))


def _select_sign_in(arguments: argparse.Namespace, store: TokenStore) -> SavedSignIn:
    sign_ins = _find_sign_ins(arguments, store)
    if not sign_ins:
        detail = "Sign in with `bluejeans-auth login`; `bluejeans-auth info` lists the saved sign-ins."
        raise ReauthenticationRequired(0, "no such sign-in is saved", detail=detail)
    if len(sign_ins) > 1:
        raise ValueError("Several sign-ins are saved: select one with --host and --client-id (see bluejeans-auth info)")
    return sign_ins[0]


def _open_store_if_installed() -> TokenStore | None:
    """Return the default store, or None if its extra is not installed: tokens do not require a store."""
    try:
        return default_store()
    except ImportError:
        if setting("TOKEN_STORE"):
            raise
        return None
