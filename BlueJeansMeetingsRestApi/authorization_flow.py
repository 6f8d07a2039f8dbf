"""Signing in with a browser: the page's address, the answer that comes back, and the credentials made of it.

On a person's machine `AuthorizationCodeFlow.run()` does all of it (RFC 8252). A web application sends the browser to
`authorization_url(...)` and gives what comes back to `exchange(...)`.

An answer counts if it brings back the `state` that was sent. The service's denial comes without one, and counts in
exactly its own words, if the person sees what comes of it. So the most that another site can do is to end a sign-in in
front of the person, who begins it again. It can never bring in a code of its own.
"""

from __future__ import annotations

import contextlib
import hmac
import os
import queue
import secrets
import select
import sys
import threading
import time
import webbrowser
from collections.abc import Iterator
from typing import TYPE_CHECKING, Callable, NamedTuple, TypedDict
from urllib.parse import parse_qs, urlencode, urlsplit

from . import models
from .api.authentication_api import AUTHORIZATION_PATH, AuthenticationApi, authorization_query
from .configuration import Configuration, seconds, split_url, text
from .credentials import CredentialsOptions, RefreshTokenCredentials, origin, sign_in_again
from .exceptions import ApiException, ApiResponseError, ApiTimeoutError, ReauthenticationRequired, UnauthorizedError
from .redaction import leaves_no_variables

if TYPE_CHECKING:
    from typing_extensions import Unpack

# Where people sign in to the live service, which programs call at another host.
_LIVE, _ITS_PAGES = ("https", "api.bluejeans.com", 443), "https://bluejeans.com"
_ON_THIS_MACHINE = "http://127.0.0.1/callback"
_TELLING_TAKES = 2.0  # seconds at most


def authorization_url(
    client_id: str,
    redirect_uri: str,
    state: str,
    *,
    scope: str | None = None,
    response_type: str = "code",
    app_name: str | None = None,
    app_logo_url: str | None = None,
    configuration: Configuration | None = None,
) -> str:
    """The address of the page on which a user signs in and approves an application (RFC 6749 section 4.1.1).

    It is https://bluejeans.com/oauth2/authorize for the live service, and at `Configuration.host` for any other.

    state: a value that cannot be guessed, kept for `exchange`; `secrets.token_urlsafe()` makes one.
    configuration: the settings that name the host; a new `Configuration` if None.
    The others: see `AuthenticationApi.get_authorization_code`. Raises ValueError for an empty `state`.
    """
    if not state:
        raise ValueError("state must be a value that cannot be guessed: secrets.token_urlsafe() makes one")
    query = authorization_query(
        client_id=client_id,
        redirect_uri=redirect_uri,
        state=state,
        scope=scope,
        response_type=response_type,
        app_name=app_name,
        app_logo_url=app_logo_url,
    )
    host = (configuration or Configuration()).base_url
    pages = _ITS_PAGES if origin(host) == _LIVE and not urlsplit(host).path else host
    return f"{pages}{AUTHORIZATION_PATH}?{urlencode(query)}"


class Answer(NamedTuple):
    """What came back: a code, or the error that is there in place of one."""

    code: str = ""
    error: ApiException | None = None

    def __repr__(self) -> str:
        return f"Answer(error={self.error!r})"


def answer_in(url: str, state: str, *, is_seen: bool = True) -> Answer:
    """The answer in the address that the browser was sent to; ValueError if it is not one to the request with `state`.

    is_seen: whether the person sees what comes of it; only then a denial without `state` is one.
    """
    fields = parse_qs(urlsplit(url).query, keep_blank_values=True)

    def only(name: str) -> str:
        values = fields.get(name, [])
        return values[0] if len(values) == 1 else ""  # RFC 6749 section 3.1: none comes twice

    error = only("error")
    as_the_service_denies = is_seen and error == "401" and not fields.keys() & {"state", "code"}
    if not hmac.compare_digest(only("state").encode(), state.encode()) and not as_the_service_denies:
        raise ValueError("This is no answer to the request that was made: its `state` is missing or another one")
    if error in ("access_denied", "401"):
        return Answer(error=ReauthenticationRequired(0, "access was denied", detail="Begin again with a new sign-in."))
    if error:
        said = "".join(c for c in f"{error}: {only('error_description')}" if c.isprintable())
        return Answer(error=ApiResponseError(0, "the browser came back with an error", detail=said))
    if not only("code"):
        return Answer(error=ApiResponseError(0, "the browser came back without a code"))
    return Answer(only("code"))


class Brought:
    """An answer, and what came of it: `settled` once that is known, `shown` once the person has been told."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.worked = False
        self.settled, self.shown = threading.Event(), threading.Event()


class Inbox:
    """Takes the one answer to a request, from whoever brings it, until a `with` block is left.

    What is raised in that block, or not, is what came of the answer.
    """

    def __init__(self, state: str) -> None:
        self._state = state
        self._lock = threading.Lock()
        self._brought: Brought | None = None
        self._ended = False
        self._came: queue.SimpleQueue[Brought | Exception | None] = queue.SimpleQueue()

    def __enter__(self) -> Inbox:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with self._lock:
            self._ended = True
        if self._brought is not None:
            self._brought.worked = kind is None
            self._brought.settled.set()
            self._brought.shown.wait(_TELLING_TAKES)

    def take(self, url: str, *, is_seen: bool = True) -> Brought | None:
        """Take the answer that is in an address; None if it comes too late. ValueError as `answer_in`."""
        brought = Brought(answer_in(url, self._state, is_seen=is_seen))
        with self._lock:
            if self._ended or self._brought is not None:
                return None
            self._brought = brought
        self._came.put(brought)
        return brought

    def open(self, open_browser: Callable[[str], object], url: str) -> None:
        """Open a browser, and note if none opens, or what goes wrong."""
        try:
            if open_browser(url) is False:
                self._came.put(None)
        except webbrowser.Error:
            self._came.put(None)
        except Exception as error:
            self._came.put(error)

    def wait(self, until: float) -> Answer | None:
        """The answer, or None if no browser opens; ApiTimeoutError if nothing comes until then (monotonic)."""
        try:
            came = self._came.get(timeout=max(until - time.monotonic(), 0.0))
        except queue.Empty:
            raise ApiTimeoutError(0, "nobody signed in in the time that was given", detail="Begin again.") from None
        if isinstance(came, Exception):
            raise came
        return None if came is None else came.answer


class _Asked(TypedDict):
    scope: str | None
    app_name: str | None
    app_logo_url: str | None


class AuthorizationCodeFlow:
    """Signs a person in with a browser, and gives credentials that renew themselves (RFC 6749 section 4.1).

    client_id, client_secret: of the application, as it is registered.
    redirect_uri: a URI that is registered for it, or below one. `run` listens at its port on 127.0.0.1, at any that is
        free if it has none; http://127.0.0.1/callback if None.
    scope: the permissions to ask for, comma-delimited; None for all that the application is registered for.
    app_name, app_logo_url: shown to the person.
    options: what `RefreshTokenCredentials` takes, such as `api=` and `store=`.
    """

    @leaves_no_variables
    def __init__(
        self,
        client_id: str,
        client_secret: str,
        redirect_uri: str | None = None,
        scope: str | None = None,
        app_name: str | None = None,
        app_logo_url: str | None = None,
        **options: Unpack[CredentialsOptions],
    ) -> None:
        self.redirect_uri = redirect_uri or _ON_THIS_MACHINE
        split_url("redirect_uri", self.redirect_uri.partition("?")[0])
        self._client_id, self._client_secret = text("client_id", client_id), text("client_secret", client_secret)
        self._asked: _Asked = {"scope": scope, "app_name": app_name, "app_logo_url": app_logo_url}
        self._options = options
        self._state = ""

    def __repr__(self) -> str:
        return f"AuthorizationCodeFlow({self._client_id!r}, ..., redirect_uri={self.redirect_uri!r})"

    def authorization_url(self, state: str | None = None) -> str:
        """The page's address for this application.

        state: a value that cannot be guessed, which a web application keeps in the user's session; if None, one is
            made, and the next `exchange` without a `state` expects it.
        """
        if state is None:
            state = self._state = secrets.token_urlsafe()
        return self._url(self.redirect_uri, state)

    def _url(self, redirect_uri: str, state: str) -> str:
        api = self._options.get("api")
        configuration = None if api is None else api.api_client.configuration
        return authorization_url(self._client_id, redirect_uri, state, configuration=configuration, **self._asked)

    @leaves_no_variables
    def exchange(self, answered_url: str, state: str | None = None) -> RefreshTokenCredentials:
        """Credentials for the code in the address that the browser was sent back to, within 30 seconds.

        state: what was sent, from the user's session. None for what this object's `authorization_url()` made, once.

        Raises ValueError where the answer is not one to that request, ReauthenticationRequired where the user denied
        the access or the code is refused, ApiResponseError for another error or no code, and what `get_token_by_code`
        raises.
        """
        if state is None:
            state, self._state = self._state, ""
        if not state:
            raise ValueError("exchange needs the `state` that was sent with the request, which comes once")
        return self._credentials(answer_in(answered_url, state), self.redirect_uri)

    def _credentials(self, answer: Answer, redirect_uri: str) -> RefreshTokenCredentials:
        if answer.error is not None:
            raise answer.error
        request = models.GrantRequestCode(
            client_id=self._client_id, client_secret=self._client_secret, code=answer.code, redirect_uri=redirect_uri
        )
        api, clock = self._options.get("api"), self._options.get("clock")
        asked_at = time.time() if clock is None else clock.wall()
        # What it connects with by itself is closed again: the credentials make their own.
        with contextlib.nullcontext(api) if api is not None else AuthenticationApi() as exchanging:
            try:
                grant = exchanging.get_token_by_code(request)
            except UnauthorizedError as error:
                raise sign_in_again(error, "the code was refused") from error
        return RefreshTokenCredentials.of_grant(self._client_id, self._client_secret, grant, asked_at, **self._options)

    @leaves_no_variables
    def run(
        self, timeout: float = 120.0, open_browser: Callable[[str], object] | bool = True
    ) -> RefreshTokenCredentials:
        """Let the person at this machine sign in, and return their credentials.

        timeout: seconds that the person has.
        open_browser: whether to open the person's browser; or a function that is given the page's address, in a thread
            of its own, and returns False if it cannot show it.

        Where no browser opens, the address is printed on standard error. On a terminal the address that a browser ends
        at, on whichever machine, may be pasted; so it is where the redirect URI leads to another machine.

        Raises ApiTimeoutError if nobody comes in time; OSError if the port of the redirect URI is taken; ValueError for
        a redirect URI of another machine without a terminal to paste on; and what `exchange` raises.
        """
        # Not for web applications, which have a server already.
        from .loopback_receiver import LoopbackReceiver, can_be_received

        until = time.monotonic() + seconds("timeout", timeout)
        state, redirect_uri, is_here = secrets.token_urlsafe(), self.redirect_uri, can_be_received(self.redirect_uri)
        if not is_here and not _has_terminal():
            raise ValueError(
                f"{redirect_uri!r} cannot be listened at, as http://127.0.0.1 can, and no terminal is there to paste on"
            )
        inbox = Inbox(state)
        with contextlib.ExitStack() as leaving:
            if is_here:
                receiver = leaving.enter_context(LoopbackReceiver(redirect_uri, inbox, self._asked["app_name"]))
                redirect_uri = receiver.redirect_uri
            # Left before the receiver: the person is told what came of it.
            leaving.enter_context(inbox)
            url = self._url(redirect_uri, state)
            if open_browser:
                opens = webbrowser.open if open_browser is True else open_browser
                threading.Thread(target=inbox.open, args=(opens, url), name="browser", daemon=True).start()
            answer = inbox.wait(until) if open_browser and is_here else None
            if answer is None:
                leaving.enter_context(pasting(url, inbox))
                while answer is None:
                    answer = inbox.wait(until)
            return self._credentials(answer, redirect_uri)


@contextlib.contextmanager
def pasting(url: str, inbox: Inbox) -> Iterator[None]:
    """Print the page's address, and take on a terminal the address that a browser has ended at."""
    print(f"To sign in, open this address in a browser:\n\n{url}\n", file=sys.stderr, flush=True)
    if not _has_terminal():
        yield
        return
    ended = threading.Event()
    reader = threading.Thread(target=_read_pasted, args=(inbox, ended), name="pasted address", daemon=True)
    with _without_echo(sys.stdin.fileno()):
        ask = "If the browser cannot show the page that it ends at, paste that page's address here. It does not show: "
        print(ask, end="", file=sys.stderr, flush=True)
        reader.start()
        try:
            yield
        finally:
            ended.set()
            print(file=sys.stderr, flush=True)


def _has_terminal() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()


def _read_pasted(inbox: Inbox, ended: threading.Event) -> None:
    terminal = sys.stdin.fileno()
    while not ended.is_set():
        # Windows cannot wait for a terminal: there the thread reads on until the program ends.
        if os.name != "nt" and not select.select([terminal], [], [], 0.1)[0]:
            continue
        line = os.read(terminal, 1 << 14)
        if not line:
            return
        try:
            brought = inbox.take(line.decode("utf-8", "replace").strip())
            if brought is not None:
                brought.shown.set()  # by what the program says
            return
        except ValueError:
            again = "\nThat is not the address of the page that this sign-in ended at. Paste it again: "
            print(again, end="", file=sys.stderr, flush=True)


@contextlib.contextmanager
def _without_echo(terminal: int) -> Iterator[None]:
    """The code is not to stay on the screen."""
    try:
        import termios
    except ImportError:  # Windows
        yield
        return
    before = termios.tcgetattr(terminal)
    silent = [*before[:3], before[3] & ~termios.ECHO, *before[4:]]
    termios.tcsetattr(terminal, termios.TCSADRAIN, silent)
    try:
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)
