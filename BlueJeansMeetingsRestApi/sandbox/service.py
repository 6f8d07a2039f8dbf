"""Clients, users, codes, tokens and rules of the imitated service, independent of HTTP.

This is a separate implementation of the API: it shares no code with the client, so that a mistake in one of them shows.
If the behavior of the live service is unknown, `Assumptions` decides; docs/SANDBOX.md lists each assumption.
"""

from __future__ import annotations

import hmac
import math
import re
import secrets
import string
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlencode, urlsplit

from .scopes import SCOPES, permissions


class Assumptions:
    """Behavior of the live service that is unknown; it is decided only here.

    To check that a program does not depend on an assumption, change it.
    """

    CLIENT_LIFETIME = 3600  # seconds; never recorded
    REFRESH_LIFETIME = math.inf  # lifetime of a refresh token, in seconds
    REFRESH_ROTATES = True  # a refresh invalidates the old access and refresh tokens
    REVOKE_ENDS_REFRESH_TOKEN = True
    LOOPBACK_TAKES_ANY_PORT = True  # for registered redirect URIs on 127.0.0.1 (RFC 8252, section 7.3)
    DENYING_NEEDS_SIGN_IN = False  # sign-in and consent are one page
    AUTHORIZE_REFUSED = 400  # status of the error page for an unknown client, scope or response type
    INCOMPLETE_BODY = 400  # status if a field of the body is missing or not a string
    WRONG_CREDENTIALS = (401, "The credentials are wrong.")
    WRONG_CODE = (401, "The authorization code is wrong, used, or older than 30 seconds.")
    WRONG_REFRESH_TOKEN = (401, "The refresh token is wrong or was used.")
    UNKNOWN_GRANT = (400, "The grant_type is missing or unknown.")
    REVOKED_BEFORE = (400, "The token was revoked before.")
    NOT_REVOCABLE = (400, "Only a token of the code grant can be revoked.")
    REDIRECT_NOT_REGISTERED = (400, "The redirectUri is not registered for the application.")
    NOT_ALLOWED = (403, "The access token does not allow this.")
    NOT_FOUND = (404, "There is nothing at this path.")
    SCOPES_IF_NONE_ASKED = ("list_meetings", "modify_meetings", "user_info")
    INFO_WITHOUT_USER: Mapping[str, Any] = {}  # tokenInfo of a token without a user
    GRANTS_THAT_READ_USERS = ("client", "password")  # in addition to code grants with the scope for it
    USER_FIELDS = ("id", "username", "firstName", "lastName", "emailId")


PASSWORD_LIFETIME, MEETING_LIFETIME, CODE_GRANT_LIFETIME = 1209600, 86400, 3600  # seconds
CODE_LIFETIME = 30  # seconds
INVALID_TOKEN = (401, "The access token is invalid or does not have permission.")
PARTITION = {"partitionName": "z2", "partition": {"id": 2, "name": "z2"}}


class Refusal(Exception):
    """A request was refused: HTTP status and message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(status, message)
        self.status = status
        self.message = message


@dataclass(frozen=True)
class Accounts:
    """Users, clients and meetings of the service. The values are for demonstration; they are not secret."""

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
    """An access token: its grant, its user, and its expiry on the service's clock."""

    grant: str
    expires_at: float
    user: int | None = None
    refresh_token: str = ""
    refreshable_until: float = -math.inf
    scopes: tuple[str, ...] = ()


@dataclass
class Service:
    """State and rules of the service. Its public methods are thread-safe.

    lifetime: lifetime of every access token, in seconds; None for the lifetime of its grant.
    """

    accounts: Accounts = field(default_factory=Accounts)
    clock: Callable[[], float] = time.monotonic
    lifetime: int | None = None

    def __post_init__(self) -> None:
        self._lock = threading.RLock()
        self.reset()

    def reset(self) -> None:
        """Delete all tokens and codes, and reset the clock."""
        with self._lock:
            self._ahead = 0.0
            self.refreshes_to_reject = 0
            self._codes: dict[str, tuple[float, tuple[str, ...]]] = {}
            self._tokens: dict[str, Token] = {}
            self._revoked: set[str] = set()

    def advance(self, seconds: float) -> None:
        """Advance the clock of the service by `seconds` seconds."""
        with self._lock:
            self._ahead += seconds

    def expire_tokens(self, token: str | None = None) -> None:
        """Expire every access token, or only `token`. Refresh tokens stay valid."""
        with self._lock:
            for held in self._select(token):
                self._tokens[held].expires_at = self._now()

    def revoke_tokens(self, token: str | None = None) -> None:
        """Revoke every access token, or only `token`, together with its refresh token."""
        with self._lock:
            for held in self._select(token):
                del self._tokens[held]
                self._revoked.add(held)

    def reject_next_refresh(self, count: int = 1) -> None:
        """Refuse the next `count` refresh grants, even with a valid refresh token."""
        with self._lock:
            self.refreshes_to_reject += count

    def count_valid_tokens(self) -> int:
        with self._lock:
            return sum(self._now() < token.expires_at for token in self._tokens.values())

    def _select(self, token: str | None) -> list[str]:
        if token is None:
            return list(self._tokens)
        if token not in self._tokens:
            raise Refusal(404, "There is no such token.")
        return [token]

    def _now(self) -> float:
        return self.clock() + self._ahead

    def check_authorization(self, request: Mapping[str, str]) -> tuple[str, ...]:
        """Return the requested scopes; raise Refusal if the page must not be shown."""
        if not _equals(request.get("clientId"), self.accounts.client_id):
            raise Refusal(Assumptions.AUTHORIZE_REFUSED, "The clientId is unknown.")
        if not self._is_registered(request.get("redirectUri", "")):
            raise Refusal(*Assumptions.REDIRECT_NOT_REGISTERED)
        if request.get("responseType", "code") != "code":
            raise Refusal(Assumptions.AUTHORIZE_REFUSED, "The responseType must be code.")
        requested = tuple(filter(None, request.get("scope", "").split(",")))
        unknown = set(requested) - set(SCOPES)
        if unknown:
            raise Refusal(Assumptions.AUTHORIZE_REFUSED, f"Unknown scope: {', '.join(sorted(unknown))}.")
        return requested or Assumptions.SCOPES_IF_NONE_ASKED

    def decide_authorization(self, request: Mapping[str, str], username: str, password: str, allow: bool) -> str:
        """Return the URL to which the browser is redirected after sign-in and decision."""
        scopes = self.check_authorization(request)
        if allow or Assumptions.DENYING_NEEDS_SIGN_IN:
            self._check_user(username, password)
        if not allow:
            # Without `state`, as recorded from the live service.
            response = {"error": "401", "error_description": "User rejects the grant to client application"}
        else:
            code = secrets.token_hex(16)
            with self._lock:
                self._codes[code] = (self._now() + CODE_LIFETIME, scopes)
            response = {"code": code, **({"state": request["state"]} if request.get("state") else {})}
        target = request["redirectUri"]
        return f"{target}{'&' if urlsplit(target).query else '?'}{urlencode(response)}"

    def grant(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return the response of the token endpoint. Only the body's `grant_type` selects the grant."""
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
            response = grants[grant_type](body)
        if self.lifetime is not None:
            response["expires_in"] = self.lifetime
        return response

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
        moderator = _equals(number, accounts.meeting_numeric_id) and _equals(passcode, accounts.moderator_passcode)
        attendee = _equals(number, accounts.meeting_numeric_id) and _equals(passcode, accounts.attendee_passcode)
        is_open = _equals(number, accounts.open_meeting_numeric_id) and not passcode
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
        response = self._code_grant(scopes)
        response["scope"]["clientId"] = self.accounts.client_id
        return response

    def _refresh(self, body: Mapping[str, Any]) -> dict[str, Any]:
        self._check_client(body)
        refresh_token = _text(body, "refresh_token")
        if self.refreshes_to_reject:
            self.refreshes_to_reject -= 1
            raise Refusal(*Assumptions.WRONG_REFRESH_TOKEN)
        used = next(
            (v for v, t in self._tokens.items() if t.refresh_token and _equals(t.refresh_token, refresh_token)), None
        )
        if used is None or self._now() >= self._tokens[used].refreshable_until:
            raise Refusal(*Assumptions.WRONG_REFRESH_TOKEN)
        scopes = self._tokens[used].scopes
        if Assumptions.REFRESH_ROTATES:
            del self._tokens[used]
        return self._code_grant(scopes)

    def _code_grant(self, scopes: tuple[str, ...]) -> dict[str, Any]:
        user, refresh_token = self.accounts.user_id, secrets.token_hex(16)
        until = self._now() + Assumptions.REFRESH_LIFETIME
        refreshable = {"refresh_token": refresh_token, "refreshable_until": until, "scopes": scopes}
        token = self._issue("code", CODE_GRANT_LIFETIME, user=user, **refreshable)
        scope = {
            "user": user,
            "appPermissions": [{"method": m, "allowedRegex": r} for m, r in permissions(user, scopes)],
            **PARTITION,
            "bearerPermissions": ",".join(scopes),
        }
        lifetime = CODE_GRANT_LIFETIME
        return {"access_token": token, "refresh_token": refresh_token, "expires_in": lifetime, "scope": scope}

    def revoke(self, token: str | None, body: Mapping[str, Any]) -> None:
        """Revoke a token of the code grant together with its refresh token."""
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
        """Return the owner of a token."""
        user = self._valid(token).user
        return dict(Assumptions.INFO_WITHOUT_USER) if user is None else {"user": user}

    def user(self, token: str | None, user_id: int, path: str) -> dict[str, Any]:
        """Return a user's profile if the token permits it."""
        held = self._valid(token)
        if user_id != self.accounts.user_id:
            raise Refusal(*Assumptions.NOT_FOUND)
        allowed = held.grant in Assumptions.GRANTS_THAT_READ_USERS or any(
            method == "GET" and re.fullmatch(pattern, path) for method, pattern in permissions(user_id, held.scopes)
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
        known = _equals(_text(body, "client_id"), self.accounts.client_id)
        if not (_equals(_text(body, "client_secret"), self.accounts.client_secret) and known):
            raise Refusal(*Assumptions.WRONG_CREDENTIALS)

    def _check_user(self, username: str, password: str) -> None:
        known = _equals(username, self.accounts.username)
        if not (_equals(password, self.accounts.password) and known):
            raise Refusal(*Assumptions.WRONG_CREDENTIALS)

    def _is_registered(self, uri: str) -> bool:
        """Return whether the URI is registered or is under a registered URI."""
        try:
            requested = urlsplit(uri)
        except ValueError:  # for example an unclosed bracket
            return False
        if requested.username is not None or requested.fragment or ".." in unquote(unquote(requested.path)).split("/"):
            return False
        for known in map(urlsplit, self.accounts.redirect_uris):
            loopback = known.scheme == "http" and known.hostname == requested.hostname == "127.0.0.1"
            any_port = loopback and Assumptions.LOOPBACK_TAKES_ANY_PORT
            same_host = any_port or requested.netloc == known.netloc
            below = requested.path == known.path or requested.path.startswith(known.path.rstrip("/") + "/")
            if requested.scheme == known.scheme and same_host and below:
                return True
        return False


def _text(body: Mapping[str, Any], *names: str, default: str | None = None) -> str:
    """Return the first field in `names` that the body contains; raise Refusal if it is missing or not a string."""
    value = next((body[name] for name in names if body.get(name) is not None), default)
    if not isinstance(value, str):
        raise Refusal(Assumptions.INCOMPLETE_BODY, f"{names[0]} is missing or not a string.")
    return value


def _digits(body: Mapping[str, Any], name: str, default: str | None = None) -> str:
    """Return a field that some programs send as a number."""
    value = body.get(name)
    return str(value) if type(value) is int else _text(body, name, default=default)


def _equals(value: str | None, known: str) -> bool:
    # JSON may contain half of a surrogate pair, which no encoding accepts.
    return hmac.compare_digest((value or "").encode(errors="surrogatepass"), known.encode())
