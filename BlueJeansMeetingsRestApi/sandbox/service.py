"""What the service knows and decides, apart from HTTP.

This is a reading of the API of its own: it shares no code with the client, so that a mistake in one shows against the
other. Where nobody knows what the live service does, `Assumptions` decides; docs/SANDBOX.md lists each.
"""

from __future__ import annotations

import hmac
import math
import re
import secrets
import string
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlencode, urlsplit


class Assumptions:
    """What is nobody's knowledge about the live service, decided here and nowhere else.

    A program that must not depend on one of them can be tried with another.
    """

    CLIENT_LIFETIME = 3600  # seconds; never recorded
    REFRESH_LIFETIME = math.inf  # seconds for which a refresh token is good
    REFRESH_ROTATES = True  # the old access and refresh token end with the refresh
    REVOKE_ENDS_REFRESH_TOKEN = True
    LOOPBACK_TAKES_ANY_PORT = True  # of a registered redirect URI on 127.0.0.1, as RFC 8252 section 7.3 has it
    DENYING_NEEDS_SIGN_IN = False  # sign-in and consent are one page
    AUTHORIZE_REFUSED = 400  # the status of the page that says that there is no such application, scope or type
    INCOMPLETE_BODY = 400  # the status where a body has no field of this name, or no text in it
    WRONG_CREDENTIALS = (401, "The credentials are wrong.")
    WRONG_CODE = (401, "The authorization code is wrong, used, or older than 30 seconds.")
    WRONG_REFRESH_TOKEN = (401, "The refresh token is wrong or was used.")
    UNKNOWN_GRANT = (400, "The grant_type is missing or not known.")
    REVOKED_BEFORE = (400, "The token was revoked before.")
    NOT_REVOCABLE = (400, "Only a token of the code grant can be revoked.")
    REDIRECT_NOT_REGISTERED = (400, "The redirectUri is not registered for the application.")
    NOT_ALLOWED = (403, "The access token does not allow this.")
    NOT_FOUND = (404, "There is nothing at this path.")
    SCOPES_IF_NONE_ASKED = ("list_meetings", "modify_meetings", "user_info")
    INFO_WITHOUT_USER: Mapping[str, Any] = {}  # tokenInfo of a token that belongs to no user
    GRANTS_THAT_READ_USERS = ("client", "password")  # beside the code grant, where its scopes say so
    USER_FIELDS = ("id", "username", "firstName", "lastName", "emailId")


PASSWORD_LIFETIME, MEETING_LIFETIME, CODE_GRANT_LIFETIME = 1209600, 86400, 3600  # seconds
CODE_LIFETIME = 30  # seconds, in which a code works once
SCOPES = {  # and what the page says of each
    "list_meetings": "See your personal and scheduled meetings",
    "modify_meetings": "Schedule, change and cancel your meetings",
    "user_info": "See your profile, room and billing category",
    "meeting_history": "See your past meetings",
    "modify_user_info": "Change your profile",
}
INVALID_TOKEN = (401, "The access token is invalid or does not have permission.")
PARTITION = {"partitionName": "z2", "partition": {"id": 2, "name": "z2"}}


class Refusal(Exception):
    """The service says no: an HTTP status, and why."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(status, message)
        self.status = status
        self.message = message


@dataclass(frozen=True)
class Accounts:
    """Who and what the service knows. The values are for demonstration and no secrets."""

    client_id: str = "0123456789abcdef0123456789abcdef"
    client_secret: str = "fedcba9876543210fedcba9876543210"
    username: str = "demo.user"
    password: str = "demo-password"
    user_id: int = 1442589
    enterprise_id: int = 12345
    meeting_numeric_id: str = "494435558"
    moderator_passcode: str = "3691"
    attendee_passcode: str = "2580"
    open_meeting_numeric_id: str = "271828182"
    redirect_uris: tuple[str, ...] = ("https://app.example/callback", "http://127.0.0.1/callback")


@dataclass
class Token:
    """An access token: which grant gave it, whose it is, and until when it is good."""

    grant: str
    expires_at: float
    user: int | None = None
    refresh_token: str = ""
    refreshable_until: float = -math.inf
    scopes: tuple[str, ...] = ()


@dataclass
class Service:
    """The state of the service, and its rules. Every public method may be called by many threads at once.

    lifetime: seconds that every access token is good for; None for what the service gives for its grant.
    """

    accounts: Accounts = field(default_factory=Accounts)
    clock: Callable[[], float] = time.monotonic
    lifetime: int | None = None

    def __post_init__(self) -> None:
        self._lock = threading.RLock()
        self.reset()

    def reset(self) -> None:
        """Forget every token and code."""
        with self._lock:
            self._ahead = 0.0
            self.refreshes_to_reject = 0
            self._codes: dict[str, tuple[float, tuple[str, ...]]] = {}
            self._tokens: dict[str, Token] = {}
            self._revoked: set[str] = set()

    def advance(self, seconds: float) -> None:
        """Let time pass, for the service alone."""
        with self._lock:
            self._ahead += seconds

    def expire_tokens(self, token: str | None = None) -> None:
        """End the time of every access token, or of this one. What can be refreshed still can be."""
        with self._lock:
            for held in self._held(token):
                self._tokens[held].expires_at = self._now()

    def revoke_tokens(self, token: str | None = None) -> None:
        """Take back every access token, or this one, and its refresh token with it."""
        with self._lock:
            for held in self._held(token):
                del self._tokens[held]
                self._revoked.add(held)

    def reject_next_refresh(self, count: int = 1) -> None:
        """Refuse the next refresh grants, whatever they bring."""
        with self._lock:
            self.refreshes_to_reject += count

    def count_valid_tokens(self) -> int:
        with self._lock:
            return sum(self._now() < token.expires_at for token in self._tokens.values())

    def _held(self, token: str | None) -> list[str]:
        if token is None:
            return list(self._tokens)
        if token not in self._tokens:
            raise Refusal(404, "There is no such token.")
        return [token]

    def _now(self) -> float:
        return self.clock() + self._ahead

    def check_authorization(self, request: Mapping[str, str]) -> tuple[str, ...]:
        """The scopes that an authorization request asks for; Refusal if the page must not be shown."""
        if not _same(request.get("clientId"), self.accounts.client_id):
            raise Refusal(Assumptions.AUTHORIZE_REFUSED, "The clientId is not known.")
        if not self._is_registered(request.get("redirectUri", "")):
            raise Refusal(*Assumptions.REDIRECT_NOT_REGISTERED)
        if request.get("responseType", "code") != "code":
            raise Refusal(Assumptions.AUTHORIZE_REFUSED, "The responseType has to be code.")
        asked = tuple(filter(None, request.get("scope", "").split(",")))
        unknown = set(asked) - set(SCOPES)
        if unknown:
            raise Refusal(Assumptions.AUTHORIZE_REFUSED, f"There is no scope {', '.join(sorted(unknown))}.")
        return asked or Assumptions.SCOPES_IF_NONE_ASKED

    def decide_authorization(self, request: Mapping[str, str], username: str, password: str, allow: bool) -> str:
        """Where the browser goes once the user has signed in and decided."""
        scopes = self.check_authorization(request)
        if allow or Assumptions.DENYING_NEEDS_SIGN_IN:
            self._check_user(username, password)
        if not allow:
            # As seen: without the state.
            answer = {"error": "401", "error_description": "User rejects the grant to client application"}
        else:
            code = secrets.token_hex(16)
            with self._lock:
                self._codes[code] = (self._now() + CODE_LIFETIME, scopes)
            answer = {"code": code, **({"state": request["state"]} if request.get("state") else {})}
        target = request["redirectUri"]
        return f"{target}{'&' if urlsplit(target).query else '?'}{urlencode(answer)}"

    def grant(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """The answer of the token endpoint. What the body calls its grant_type decides, and nothing else."""
        grants = {
            "client_credentials": self._client,
            "authorization_code": self._code,
            "meeting_passcode": self._meeting,
            "password": self._password,
            "refresh_token": self._refresh,
        }
        grant_type = body.get("grant_type")
        if not isinstance(grant_type, str) or grant_type not in grants:
            raise Refusal(*Assumptions.UNKNOWN_GRANT)
        with self._lock:
            answer = grants[grant_type](body)
        if self.lifetime is not None:
            answer["expires_in"] = self.lifetime
        return answer

    def _client(self, body: Mapping[str, Any]) -> dict[str, Any]:
        self._check_client(body)
        token = self._issue("client", Assumptions.CLIENT_LIFETIME)
        scope = {"enterprise": self.accounts.enterprise_id, **PARTITION}
        return {"access_token": token, "expires_in": Assumptions.CLIENT_LIFETIME, "scope": scope}

    def _password(self, body: Mapping[str, Any]) -> dict[str, Any]:
        self._check_user(_text(body, "username"), _text(body, "password"))
        token = self._issue("password", PASSWORD_LIFETIME, user=self.accounts.user_id)
        scope = {"user": self.accounts.user_id, **PARTITION}
        return {"access_token": token, "expires_in": PASSWORD_LIFETIME, "scope": scope, "refresh_token": ""}

    def _meeting(self, body: Mapping[str, Any]) -> dict[str, Any]:
        number, passcode = _digits(body, "meetingNumericId"), _digits(body, "meetingPasscode", default="")
        accounts = self.accounts
        moderator = _same(number, accounts.meeting_numeric_id) and _same(passcode, accounts.moderator_passcode)
        attendee = _same(number, accounts.meeting_numeric_id) and _same(passcode, accounts.attendee_passcode)
        is_open = _same(number, accounts.open_meeting_numeric_id) and not passcode
        if not (moderator or attendee or is_open):
            raise Refusal(*Assumptions.WRONG_CREDENTIALS)
        meeting = {
            "id": 123,
            "leaderId": accounts.user_id,
            "meetingNumericId": number,
            "meetingUri": f"/v1/user/{accounts.user_id}/live_meetings/{number}",
            "isModerator": moderator,
            "endpointUriSet": [],
            "meetingId": "72660",
        }
        token = self._issue("meeting", MEETING_LIFETIME)
        return {"access_token": token, "expires_in": MEETING_LIFETIME, "scope": {"meeting": meeting, **PARTITION}}

    def _code(self, body: Mapping[str, Any]) -> dict[str, Any]:
        self._check_client(body)
        code = _text(body, "code")
        if not self._is_registered(_text(body, "redirectUri", "redirect_uri")):
            raise Refusal(*Assumptions.REDIRECT_NOT_REGISTERED)
        expires_at, scopes = self._codes.pop(code, (float("-inf"), ()))
        if self._now() >= expires_at:
            raise Refusal(*Assumptions.WRONG_CODE)
        answer = self._code_grant(scopes)
        answer["scope"]["clientId"] = self.accounts.client_id
        return answer

    def _refresh(self, body: Mapping[str, Any]) -> dict[str, Any]:
        self._check_client(body)
        given = _text(body, "refresh_token")
        if self.refreshes_to_reject:
            self.refreshes_to_reject -= 1
            raise Refusal(*Assumptions.WRONG_REFRESH_TOKEN)
        spent = next((v for v, t in self._tokens.items() if t.refresh_token and _same(t.refresh_token, given)), None)
        if spent is None or self._now() >= self._tokens[spent].refreshable_until:
            raise Refusal(*Assumptions.WRONG_REFRESH_TOKEN)
        scopes = self._tokens[spent].scopes
        if Assumptions.REFRESH_ROTATES:
            del self._tokens[spent]
        return self._code_grant(scopes)

    def _code_grant(self, scopes: tuple[str, ...]) -> dict[str, Any]:
        user, refresh_token = self.accounts.user_id, secrets.token_hex(16)
        until = self._now() + Assumptions.REFRESH_LIFETIME
        refreshable = {"refresh_token": refresh_token, "refreshable_until": until, "scopes": scopes}
        token = self._issue("code", CODE_GRANT_LIFETIME, user=user, **refreshable)
        scope = {
            "user": user,
            "appPermissions": [{"method": m, "allowedRegex": r} for m, r in _permissions(user, scopes)],
            **PARTITION,
            "bearerPermissions": ",".join(scopes),
        }
        lifetime = CODE_GRANT_LIFETIME
        return {"access_token": token, "refresh_token": refresh_token, "expires_in": lifetime, "scope": scope}

    def revoke(self, token: str | None, body: Mapping[str, Any]) -> None:
        """End a token of the code grant, and its refresh token with it."""
        self._check_client(body)
        with self._lock:
            if token in self._revoked:
                raise Refusal(*Assumptions.REVOKED_BEFORE)
            held = self._valid(token)
            if held.grant != "code":
                raise Refusal(*Assumptions.NOT_REVOCABLE)
            held.expires_at = -math.inf
            if Assumptions.REVOKE_ENDS_REFRESH_TOKEN:
                held.refreshable_until = -math.inf
            self._revoked.add(token or "")

    def token_info(self, token: str | None) -> dict[str, Any]:
        """Whose token it is."""
        user = self._valid(token).user
        return dict(Assumptions.INFO_WITHOUT_USER) if user is None else {"user": user}

    def user(self, token: str | None, user_id: int, path: str) -> dict[str, Any]:
        """What the service tells of a user, to a token that may know."""
        held = self._valid(token)
        if user_id != self.accounts.user_id:
            raise Refusal(*Assumptions.NOT_FOUND)
        allowed = held.grant in Assumptions.GRANTS_THAT_READ_USERS or any(
            method == "GET" and re.fullmatch(pattern, path) for method, pattern in _permissions(user_id, held.scopes)
        )
        if not allowed:
            raise Refusal(*Assumptions.NOT_ALLOWED)
        name = self.accounts.username
        values = (user_id, name, "Demo", "User", f"{name}@example.com")
        return dict(zip(Assumptions.USER_FIELDS, values))

    def _valid(self, token: str | None) -> Token:
        with self._lock:
            held = self._tokens.get(token or "")
            if held is None or self._now() >= held.expires_at:
                raise Refusal(*INVALID_TOKEN)
            return held

    def _issue(self, grant: str, lifetime: int, **of: Any) -> str:
        value = secrets.token_hex(16)
        if grant == "meeting":
            value = "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(32)) + "@z2"
        if self.lifetime is not None:
            lifetime = self.lifetime
        self._tokens[value] = Token(grant, self._now() + lifetime, **of)
        return value

    def _check_client(self, body: Mapping[str, Any]) -> None:
        known = _same(_text(body, "client_id"), self.accounts.client_id)
        if not (_same(_text(body, "client_secret"), self.accounts.client_secret) and known):
            raise Refusal(*Assumptions.WRONG_CREDENTIALS)

    def _check_user(self, username: str, password: str) -> None:
        known = _same(username, self.accounts.username)
        if not (_same(password, self.accounts.password) and known):
            raise Refusal(*Assumptions.WRONG_CREDENTIALS)

    def _is_registered(self, uri: str) -> bool:
        """Whether the URI is registered, or lies below one that is."""
        try:
            asked = urlsplit(uri)
        except ValueError:  # such as of a bracket that is left open
            return False
        if asked.username is not None or asked.fragment or ".." in unquote(unquote(asked.path)).split("/"):
            return False
        for known in map(urlsplit, self.accounts.redirect_uris):
            loopback = known.scheme == "http" and known.hostname == asked.hostname == "127.0.0.1"
            any_port = loopback and Assumptions.LOOPBACK_TAKES_ANY_PORT
            same_host = any_port or asked.netloc == known.netloc
            below = asked.path == known.path or asked.path.startswith(known.path.rstrip("/") + "/")
            if asked.scheme == known.scheme and same_host and below:
                return True
        return False


def _permissions(user: int, scopes: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Method and pattern of the requests that scopes allow, in the order the service lists them."""
    own = rf"/v\d+/user/{user}"
    lists, modifies, info = (name in scopes for name in ("list_meetings", "modify_meetings", "user_info"))
    if lists:
        yield from (("GET", f"{own}/personal_meeting.*"), ("GET", f"{own}/scheduled_meeting.*"))
    if modifies:
        yield ("PUT", f"{own}/personal_meeting.*")
        yield from ((method, f"{own}/scheduled_meeting.*") for method in ("POST", "PUT", "DELETE"))
    if info:
        yield from (("GET", f"{own}/billing.*"), ("GET", f"{own}/room.*"), ("GET", f"{own}/?"))


def _text(body: Mapping[str, Any], *names: str, default: str | None = None) -> str:
    """The field of a body under the first of its names that is there; Refusal if it is missing or no text."""
    value = next((body[name] for name in names if body.get(name) is not None), default)
    if not isinstance(value, str):
        raise Refusal(Assumptions.INCOMPLETE_BODY, f"{names[0]} is missing or no text.")
    return value


def _digits(body: Mapping[str, Any], name: str, default: str | None = None) -> str:
    """A field that scripts in use send as a number too."""
    value = body.get(name)
    return str(value) if type(value) is int else _text(body, name, default=default)


def _same(given: str | None, known: str) -> bool:
    # JSON can spell half of a surrogate pair, which is in no encoding.
    return hmac.compare_digest((given or "").encode(errors="surrogatepass"), known.encode())
