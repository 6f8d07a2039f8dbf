"""Serve the sandbox over HTTP: routes, response bodies, errors, and the journal of requests."""

from __future__ import annotations

import contextlib
import json
import logging
import re
import socket
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException
from werkzeug.http import HTTP_STATUS_CODES

from .controls import Controls, ReceivedRequest
from .pages import JOURNAL, belongs_to_sandbox, create_pages
from .service import Refusal

logger = logging.getLogger(__name__)

MASK = "***"
SECRETS = {"access_token", "client_secret", "code", "meetingPasscode", "password", "refresh_token"}
LONGEST_BODY = 1 << 20  # bytes
CONTENT_TYPE = "application/json; charset=UTF-8"
LOOPBACK = ("127.0.0.1", "::1", "localhost")


def create_app(controls: Controls) -> Flask:
    """Return the service as a WSGI application."""
    app = Flask(__name__, static_url_path=f"{JOURNAL}/static")
    app.config["MAX_CONTENT_LENGTH"] = LONGEST_BODY
    app.register_blueprint(create_pages(controls))

    @app.before_request
    def begin() -> Any:
        g.started, g.journal = time.perf_counter(), controls.journal
        if belongs_to_sandbox(request.path):
            check_host(request.headers.get("Host", ""))
            return None
        fault = g.fault = controls.next_fault()
        if fault is None:
            return None
        with contextlib.suppress(Refusal, HTTPException):
            read_body()  # so that the journal contains it
        controls.closing.wait(fault.delay)
        if fault.status is None:
            return None
        if fault.body is not None:
            return Response(fault.body, fault.status, dict(fault.headers))
        return json_response({"code": fault.status, "message": fault.message}, fault.status, fault.headers)

    @app.after_request
    def end(response: Response) -> Response:
        response.status = f"{response.status_code} {HTTP_STATUS_CODES.get(response.status_code, 'Unknown')}"
        if belongs_to_sandbox(request.path):
            return response
        query = urlencode([(k, mask_secret(k, v)) for k, v in request.args.items(multi=True)], safe="*/:,")
        # A marker such as ?Client has no value; show it without the equals sign.
        path = request.path + (f"?{re.sub('=(?=&|$)', '', query)}" if query else "")
        body = g.get("body")
        grant = body.get("grant_type") if body else None
        fault = g.get("fault")
        dropped = fault is not None and fault.drop
        controls.record(
            ReceivedRequest(
                request.method,
                path,
                grant if isinstance(grant, str) else None,
                0 if dropped else response.status_code,
                time.perf_counter() - g.started,
                redacted(body),
                None if dropped else redacted(response.get_json(silent=True)),
                at=time.time(),
                fault=fault is not None,
            ),
            g.journal,
        )
        if dropped:
            with contextlib.suppress(OSError):  # the client may have closed the connection already
                request.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
        elif fault is not None and fault.drip:
            content = response.get_data()
            response.response = controls.drip(content, fault.drip)
            response.content_length = len(content)
        return response

    add_error_handlers(app)
    add_routes(app, controls)
    return app


def add_error_handlers(app: Flask) -> None:
    """Respond to every error with a JSON body in the format of the service."""

    @app.errorhandler(Refusal)
    def refuse(refusal: Refusal) -> Response:
        return json_response({"code": refusal.status, "message": refusal.message}, refusal.status)

    @app.errorhandler(HTTPException)
    def refuse_http(error: HTTPException) -> Response:
        status = error.code or 500
        allow = {name: value for name, value in error.get_headers() if name == "Allow"}
        return json_response({"code": status, "message": f"{error.name}."}, status, allow)

    @app.errorhandler(Exception)
    def fail(error: Exception) -> Response:
        # Omit the text of the error because it may contain data from the request.
        logger.error("%s while processing %s %s", type(error).__name__, request.method, request.path)
        return json_response({"code": 500, "message": "The sandbox failed with an internal error."}, 500)


def add_routes(app: Flask, controls: Controls) -> None:
    """Add the endpoints of the service, and the controls."""
    service = controls.service

    @app.post("/oauth2/token")
    def grant() -> Response:
        return json_response(service.grant(read_body()))

    @app.delete("/oauth2/token")
    def revoke() -> Response:
        service.revoke(read_token(), read_body())
        return Response(status=204, content_type="application/json")

    @app.get("/oauth2/tokenInfo")
    def token_info() -> Response:
        return json_response(service.token_info(read_token()))

    @app.get("/v1/user/<int:user_id>")
    def user(user_id: int) -> Response:
        return json_response(service.user(read_token(), user_id, request.path))

    @app.post("/sandbox/<name>")
    def control(name: str) -> Response:
        # Accept JSON only: a page of another origin can send a form here without permission, but not JSON.
        arguments = request.get_json()
        try:
            return json_response(controls.call(name, arguments))
        except (TypeError, ValueError) as error:
            raise Refusal(400, f"Invalid arguments for {name}: {error}") from error


def check_host(host: str) -> None:
    """Refuse a Host header with another name: the name of a web page may resolve to this machine (DNS rebinding)."""
    try:
        name = urlsplit(f"//{host}").hostname
    except ValueError:
        name = None
    if name not in LOOPBACK:
        raise Refusal(403, f"The sandbox's pages and controls accept only these hosts: {', '.join(LOOPBACK)}.")


def json_response(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a JSON response in the format of the service."""
    return Response(json.dumps(content), status, dict(headers or {}), content_type=CONTENT_TYPE)


def read_body() -> dict[str, Any]:
    """Return the JSON object in the request's body, whatever its Content-Type, or the fields of a form."""
    text = request.get_data(as_text=True)
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        is_form = request.mimetype == "application/x-www-form-urlencoded"
        body = dict(parse_qsl(text, keep_blank_values=True)) if is_form else None
    if not isinstance(body, dict):
        raise Refusal(400, "The body is not a JSON object.")
    g.body = body
    return body


def read_token() -> str | None:
    """Return the access token from the query or the Authorization header (`Bearer` scheme only), or None."""
    in_query = request.args.get("access_token")
    scheme, _, token = (in_query or request.headers.get("Authorization", "")).partition(" ")
    return token.strip() if scheme.lower() == "bearer" else in_query


def redacted(content: Any) -> Any:
    """Return a copy of JSON data with the values of secrets masked."""
    if isinstance(content, dict):
        return {name: mask_secret(name, redacted(value)) for name, value in content.items()}
    return [redacted(item) for item in content] if isinstance(content, list) else content


def mask_secret(name: str, value: Any) -> Any:
    is_status = name == "code" and isinstance(value, int)  # the status in an error body, not an authorization code
    return MASK if name in SECRETS and value not in ("", None) and not is_status else value
