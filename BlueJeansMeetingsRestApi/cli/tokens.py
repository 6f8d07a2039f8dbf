"""The commands that are about tokens: `token`, `exec`, `login`, `info` and `revoke`."""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import sys
import time
from collections.abc import Callable, Iterator

from .. import credentials as kinds
from ..api.authentication_api import AuthenticationApi
from ..configuration import is_warning_due, warn_about_default_host
from ..environment import setting, setting_name
from ..exceptions import BadRequestError, ReauthenticationRequired, UnauthorizedError
from ..token_stores import TokenStore
from . import given, terminal
from .sign_ins import SignIn, SignIns, store

# Whose token a grant gives, and with which secret, in the order in which they are looked for.
_GRANTS: dict[str, tuple[Callable[..., kinds.Credentials], str, str]] = {
    "sign-in": (kinds.RefreshTokenCredentials, "CLIENT_ID", "CLIENT_SECRET"),
    "client": (kinds.ClientCredentials, "CLIENT_ID", "CLIENT_SECRET"),
    "password": (kinds.PasswordCredentials, "USERNAME", "PASSWORD"),
    "meeting": (kinds.MeetingCredentials, "MEETING_ID", "MEETING_PASSCODE"),
}
_CANNOT_BE_RUN, _NOT_FOUND = 126, 127  # as shells have it


def token(arguments: argparse.Namespace) -> int:
    """Print a token."""
    with _credentials(arguments) as credentials, terminal.waiting("Waiting for the service"):
        access = credentials.get_token()
    expires_at = None if access.expires_at == math.inf else round(access.expires_at)
    if arguments.json:
        print(json.dumps({"access_token": access.token, "token_type": "Bearer", "expires_at": expires_at}))
    else:
        print(f"Authorization: Bearer {access.token}" if arguments.header else access.token)
    return 0


def execute(arguments: argparse.Namespace) -> int:
    """Become another program, which has the token."""
    with _credentials(arguments) as credentials:
        with terminal.waiting("Waiting for the service"):
            access = credentials.get_token()
        configuration = credentials.api.api_client.configuration
        host = configuration.base_url
        if is_warning_due(configuration, host):
            # The program is given the host as if it had been set, and does not warn.
            warn_about_default_host()
    secret = {setting_name(name) + ending for name in given.SECRETS for ending in ("", "_FILE")}
    if "://" in (setting("TOKEN_STORE") or ""):  # such a URL may hold a password
        secret |= {setting_name("TOKEN_STORE"), f"{setting_name('TOKEN_STORE')}_FILE"}
    environment = {name: value for name, value in os.environ.items() if name not in secret}
    environment[setting_name("ACCESS_TOKEN")] = access.token
    environment[setting_name("HOST")] = host
    environment.pop(f"{setting_name('HOST')}_FILE", None)
    try:
        return _run(arguments.program, environment)
    except OSError as error:
        print(f"{arguments.program[0]}: {error.strerror}", file=sys.stderr)
        return _NOT_FOUND if isinstance(error, FileNotFoundError) else _CANNOT_BE_RUN


def _run(program: list[str], environment: dict[str, str]) -> int:
    if os.name != "nt":
        import signal

        # Python ignores them, and what it becomes would go on ignoring them.
        for ignored in (signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(ignored, signal.SIG_DFL)
        os.execvpe(program[0], program, environment)
    import subprocess

    return subprocess.run(program, env=environment, check=False).returncode


def login(arguments: argparse.Namespace) -> int:
    """Let the person sign in, and keep that."""
    from ..authorization_flow import AuthorizationCodeFlow

    client_id = given.identity(arguments, "CLIENT_ID")
    if not client_id:
        raise ValueError("The client's id is needed: give --client-id, or set BLUEJEANS_CLIENT_ID")
    kept = store()
    client_secret = given.needed(arguments, "CLIENT_SECRET")
    with given.api(arguments) as api:
        flow = AuthorizationCodeFlow(
            client_id,
            client_secret,
            arguments.redirect_uri,
            arguments.scope,
            arguments.app_name,
            arguments.app_logo_url,
            api=api,
            store=kept,
        )
        credentials = flow.run(arguments.timeout, not arguments.no_browser and _open_browser)
        user = api.get_token_info(access_token=credentials.get_token().token).user
        host = api.api_client.configuration.base_url
        secret = client_secret if arguments.keep_secret else ""
        # Under its key it can be forgotten without the secret.
        sign_in = SignIn(host, client_id, user, arguments.scope, int(time.time()), credentials._key, secret)
        SignIns(kept).keep(sign_in)
    terminal.say(f"Signed in as user {user}. `bluejeans-auth token` prints a token, `bluejeans-auth revoke` ends this.")
    return 0


def _open_browser(url: str) -> bool:
    import webbrowser

    terminal.say(f"A browser opens for you to sign in; Ctrl-C ends this. If none does, go to:\n\n{url}\n")
    return webbrowser.open(url)


def info(arguments: argparse.Namespace) -> int:
    """List the sign-ins."""
    sign_ins = list(SignIns(store()))
    if arguments.json:
        shown = ("host", "client_id", "user", "scope", "signed_in_at")
        listed = [
            {**{name: getattr(one, name) for name in shown}, "secret_is_kept": bool(one.client_secret)}
            for one in sign_ins
        ]
        print(json.dumps(listed, indent=2))
        return 0
    for one in sign_ins:
        since = time.strftime("%Y-%m-%d %H:%M", time.localtime(one.signed_in_at))
        scope, secret = one.scope or "all scopes", ", with the client's secret" if one.client_secret else ""
        print(f"{one.host}  client {one.client_id}  user {one.user}  {scope}  since {since}{secret}")
    if not sign_ins:
        terminal.say("No sign-in is kept: `bluejeans-auth login` makes one.")
    return 0


def revoke(arguments: argparse.Namespace) -> int:
    """End a sign-in."""
    kept = store()
    sign_in = _the_sign_in(arguments, kept)
    if not arguments.local:
        client_secret = sign_in.client_secret or given.needed(arguments, "CLIENT_SECRET")
        with given.api(arguments, sign_in.host) as api:
            credentials = kinds.RefreshTokenCredentials(sign_in.client_id, client_secret, store=kept, api=api)
            if credentials._key != sign_in.key:
                raise ValueError("The client's secret is not that of the sign-in; --local forgets it here without one")
            with terminal.waiting("Waiting for the service"):
                _end(credentials)
    SignIns(kept).forget(sign_in)
    terminal.say(
        f"The sign-in of user {sign_in.user} at {sign_in.host} is {'forgotten' if arguments.local else 'ended'}."
    )
    return 0


def _end(credentials: kinds.RefreshTokenCredentials) -> None:
    """Revoke a sign-in. One that the service has ended before is ended all the same."""
    with contextlib.suppress(ReauthenticationRequired):
        token = credentials.get_token().token
        try:
            credentials.revoke()
        except (UnauthorizedError, BadRequestError):
            # Said of a token that is not good any more, and also of a client that is not.
            if _is_good(token, credentials.api):
                raise


def _is_good(token: str, api: AuthenticationApi) -> bool:
    try:
        api.get_token_info(access_token=token)
    except UnauthorizedError:
        return False
    return True


@contextlib.contextmanager
def _credentials(arguments: argparse.Namespace) -> Iterator[kinds.Credentials]:
    """The credentials that are meant, for as long as they are used."""
    kept = None if arguments.no_store else _store_if_there_is_one()
    host, grant = None, arguments.grant
    chosen = any(getattr(arguments, of.lower()) for _, of, _ in _GRANTS.values())
    access_token = None if grant or chosen else setting("ACCESS_TOKEN")
    if access_token:
        with given.api(arguments) as api:
            static = kinds.StaticToken(access_token)
            static.use(api.api_client)
            yield static
        return
    grant = grant or _found(arguments, kept)
    kind, of, name = _GRANTS[grant]
    if grant == "sign-in":
        if arguments.no_store:
            raise ValueError("A sign-in is kept in the store, which --no-store leaves alone")
        kept = kept or store()  # which says what is missing
        sign_in = _the_sign_in(arguments, kept)
        host, whose = sign_in.host, sign_in.client_id
        secret: str | None = sign_in.client_secret or given.needed(arguments, name)
    else:
        whose = given.identity(arguments, of) or ""
        if not whose:
            option = of.lower().replace("_", "-")
            raise ValueError(f"Whose token? Give --{option}, or set {setting_name(of)}")
        secret = given.secret(arguments, name) if grant == "meeting" else given.needed(arguments, name)
    with given.api(arguments, host) as api:
        yield kind(whose, secret, store=kept, api=api)


def _found(arguments: argparse.Namespace, kept: TokenStore | None) -> str:
    """The first of the grants that there is something of: what arguments name before what the environment has."""
    named = [grant for grant, (_, of, _) in _GRANTS.items() if getattr(arguments, of.lower())]
    if kept is not None and (not named or "sign-in" in named) and _kept_sign_ins(arguments, kept):
        return "sign-in"
    for grant in named or [grant for grant, (_, of, _) in _GRANTS.items() if given.identity(arguments, of)]:
        if grant != "sign-in":
            return grant
    raise ReauthenticationRequired(
        0,
        "there is no sign-in, and there are no credentials",
        detail="Sign in with `bluejeans-auth login`, or set BLUEJEANS_CLIENT_ID, BLUEJEANS_USERNAME or "
        "BLUEJEANS_MEETING_ID.",
    )


def _kept_sign_ins(arguments: argparse.Namespace, kept: TokenStore) -> list[SignIn]:
    return SignIns(kept).of(given.base_url(arguments), given.identity(arguments, "CLIENT_ID"))


def _the_sign_in(arguments: argparse.Namespace, kept: TokenStore) -> SignIn:
    sign_ins = _kept_sign_ins(arguments, kept)
    if not sign_ins:
        detail = "Sign in with `bluejeans-auth login`; `bluejeans-auth info` lists those that are kept."
        raise ReauthenticationRequired(0, "no such sign-in is kept", detail=detail)
    if len(sign_ins) > 1:
        raise ValueError("Several sign-ins are kept: say which with --host and --client-id; `info` lists them")
    return sign_ins[0]


def _store_if_there_is_one() -> TokenStore | None:
    """The store, or None where what it needs is not installed: tokens are had without it, too."""
    try:
        return store()
    except ImportError:
        if setting("TOKEN_STORE"):
            raise
        return None
