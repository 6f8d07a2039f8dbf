"""The service over HTTP: which path asks what, how answers and refusals are worded, and what was seen."""

from __future__ import annotations

import json
import logging
import re
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask import Flask, Response, g, redirect, render_template, request
from werkzeug.exceptions import HTTPException
from werkzeug.http import HTTP_STATUS_CODES

from .service import Refusal, Service

logger = logging.getLogger(__name__)

MASK = "***"
SECRETS = {"access_token", "client_secret", "code", "meetingPasscode", "password", "refresh_token"}
LONGEST_BODY = 1 << 20  # bytes
CONTENT_TYPE = "application/json; charset=UTF-8"


@dataclass(frozen=True)
class Seen:
    """One request that the sandbox answered. No secret is in it.

    seconds: from the request's head to the answer. request, response: the bodies, None where there was none.
    """

    method: str
    path: str
    grant: str | None
    status: int
    seconds: float
    request: Any = None
    response: Any = None

    def __str__(self) -> str:
        grant = f" {self.grant}" if self.grant else ""
        return f"{self.method} {self.path}{grant} -> {self.status} in {self.seconds * 1000:.0f} ms"


@dataclass
class Fault:
    """What the next `count` requests get in place of their answer.

    delay: seconds before it. drop: the connection is closed without an answer. body: what is sent as it is, in place
    of the service's wording of `message`.
    """

    count: int = 1
    status: int = 503
    message: str = "The sandbox was asked to fail."
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | None = None
    delay: float = 0.0
    drop: bool = False


class Controls:
    """What a program that uses the sandbox may ask of it: in its own process, or by POST /sandbox/<name>."""

    def __init__(self, service: Service, on_request: Callable[[Seen], None] | None = None) -> None:
        self.service = service
        self.closing = threading.Event()
        self._on_request = on_request
        self._seen: list[Seen] = []
        self._faults: deque[Fault] = deque()

    def requests(self) -> list[dict[str, Any]]:
        return [asdict(seen) for seen in list(self._seen)]

    def reset(self) -> None:
        self.service.reset()
        self._seen.clear()
        self._faults.clear()

    def advance(self, seconds: float) -> None:
        self.service.advance(seconds)

    def fail_next(self, count: int = 1, **fault: Any) -> None:
        self._faults.extend([Fault(**fault)] * count)

    def authorize(self, scope: str = "", redirect_uri: str | None = None, state: str | None = None) -> str:
        accounts = self.service.accounts
        asked = {
            "clientId": accounts.client_id,
            "redirectUri": redirect_uri or accounts.redirect_uris[0],
            "scope": scope,
            "state": state or "",
        }
        target = self.service.decide_authorization(asked, accounts.username, accounts.password, allow=True)
        return dict(parse_qsl(target.partition("?")[2]))["code"]

    def note(self, seen: Seen) -> None:
        self._seen.append(seen)
        if self._on_request is not None:
            self._on_request(seen)

    def next_fault(self) -> Fault | None:
        try:
            return self._faults.popleft()
        except IndexError:
            return None


def create_app(controls: Controls) -> Flask:
    """The service as a WSGI application."""
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = LONGEST_BODY
    service = controls.service

    @app.before_request
    def begin() -> Any:
        g.started = time.perf_counter()
        if request.path.startswith("/sandbox/"):
            return None
        fault = controls.next_fault()
        if fault is None:
            return None
        controls.closing.wait(fault.delay)
        if fault.drop:
            request.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
        if fault.body is not None:
            return Response(fault.body, fault.status, dict(fault.headers))
        return answer({"code": fault.status, "message": fault.message}, fault.status, fault.headers)

    @app.after_request
    def end(response: Response) -> Response:
        response.status = f"{response.status_code} {HTTP_STATUS_CODES.get(response.status_code, 'Unknown')}"
        if not request.path.startswith("/sandbox/"):
            query = urlencode([(k, shown(k, v)) for k, v in request.args.items(multi=True)], safe="*/:,")
            # A marker such as ?Client has no value, and shows without the equals sign.
            path = request.path + (f"?{re.sub('=(?=&|$)', '', query)}" if query else "")
            asked = g.get("body")
            grant = asked.get("grant_type") if asked else None
            controls.note(
                Seen(
                    request.method,
                    path,
                    grant if isinstance(grant, str) else None,
                    response.status_code,
                    time.perf_counter() - g.started,
                    redacted(asked),
                    redacted(response.get_json(silent=True)),
                )
            )
        return response

    @app.errorhandler(Refusal)
    def refuse(refusal: Refusal) -> Response:
        return answer({"code": refusal.status, "message": refusal.message}, refusal.status)

    @app.errorhandler(HTTPException)
    def refuse_http(error: HTTPException) -> Response:
        status = error.code or 500
        allow = {name: value for name, value in error.get_headers() if name == "Allow"}
        return answer({"code": status, "message": f"{error.name}."}, status, allow)

    @app.errorhandler(Exception)
    def fail(error: Exception) -> Response:
        # Its text may hold what the client sent.
        logger.error("%s while answering %s %s", type(error).__name__, request.method, request.path)
        return answer({"code": 500, "message": "The sandbox itself failed."}, 500)

    @app.get("/oauth2/authorize")
    def show_authorization() -> Any:
        asked = request.args.to_dict()
        try:
            service.check_authorization(asked)
        except Refusal as refusal:
            return render_template("refused.html", message=refusal.message), refusal.status
        return render_template("authorize.html", asked=asked, problem=None)

    @app.post("/oauth2/authorize")
    def decide_authorization() -> Any:
        asked = g.body = dict(parse_qsl(request.get_data(as_text=True), keep_blank_values=True))
        allow = asked.get("decision") == "allow"
        username, password = asked.pop("username", ""), asked.get("password", "")
        asked = {k: v for k, v in asked.items() if k not in ("password", "decision")}
        try:
            service.check_authorization(asked)
            return redirect(service.decide_authorization(asked, username, password, allow))
        except Refusal as refusal:
            if refusal.status == 401:
                return render_template("authorize.html", asked=asked, problem=refusal.message), refusal.status
            return render_template("refused.html", message=refusal.message), refusal.status

    @app.post("/oauth2/token")
    def grant() -> Response:
        return answer(service.grant(read_body()))

    @app.delete("/oauth2/token")
    def revoke() -> Response:
        service.revoke(read_token(), read_body())
        return Response(status=204)

    @app.get("/oauth2/tokenInfo")
    def token_info() -> Response:
        return answer(service.token_info(read_token()))

    @app.get("/v1/user/<int:user_id>")
    def user(user_id: int) -> Response:
        return answer(service.user(read_token(), user_id, request.path))

    @app.post("/sandbox/<name>")
    def control(name: str) -> Response:
        # A web page cannot send JSON here unasked, as it could a form.
        arguments = request.get_json()
        if name not in ("requests", "reset", "advance", "fail_next", "authorize"):
            raise Refusal(404, f"There is no control {name!r}.")
        return answer(getattr(controls, name)(**arguments))

    return app


def answer(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A response as the service words it."""
    return Response(json.dumps(content), status, dict(headers or {}), content_type=CONTENT_TYPE)


def read_body() -> dict[str, Any]:
    """The request's body: a JSON object whatever it calls itself, or a form."""
    text = request.get_data(as_text=True)
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        is_form = request.mimetype == "application/x-www-form-urlencoded"
        body = dict(parse_qsl(text, keep_blank_values=True)) if is_form else None
    if not isinstance(body, dict):
        raise Refusal(400, "The body is no JSON object.")
    g.body = body
    return body


def read_token() -> str | None:
    """The access token of the query or of the Authorization header, without its scheme."""
    value = request.args.get("access_token") or request.headers.get("Authorization", "")
    scheme, _, token = value.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else value


def redacted(content: Any) -> Any:
    """JSON without the values of secrets."""
    if isinstance(content, dict):
        return {name: shown(name, redacted(value)) for name, value in content.items()}
    return [redacted(item) for item in content] if isinstance(content, list) else content


def shown(name: str, value: Any) -> Any:
    of_error = name == "code" and isinstance(value, int)  # a status, and no authorization code
    return MASK if name in SECRETS and value not in ("", None) and not of_error else value
