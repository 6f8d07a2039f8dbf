"""Proxies between OAuth 2.0 as it is written and as the service speaks it. `DIFFERENCES` lists what they translate.

`ServiceAsWritten` stands before the sandbox, for clients that speak by the book. `ServersDialect` stands before a
server that does, for our client. What is not listed goes through as it came.
"""

from __future__ import annotations

import json
import threading
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote_plus, urlencode

import urllib3
from flask import Flask, Response, jsonify, request
from werkzeug.serving import make_server


class Difference(NamedTuple):
    """One thing that the service does in its own way."""

    where: str
    as_written: str
    by_service: str


DIFFERENCES = (
    Difference("authorize", "client_id, redirect_uri, response_type", "clientId, redirectUri, responseType"),
    Difference("authorize", "scope: delimited by spaces", "scope: delimited by commas"),
    Difference("authorize, denied", "error=access_denied, and the state", "error=401, and no state"),
    Difference("token, request", "client_secret_basic (section 2.3.1)", "client_id and client_secret in the body"),
    Difference("token, request", "a form", "JSON; the service takes forms too"),
    Difference("token, request", "redirect_uri", "redirectUri; the service takes redirect_uri too"),
    Difference("token, answer", "token_type: Bearer", "no token_type"),
    Difference("token, answer", "scope: text", "scope: an object, with the scopes in bearerPermissions"),
    Difference("refusals", "error, error_description", "code, message"),
    Difference("refusals", "a wrong code or refresh token: 400, unlike a wrong secret", "401, as for a wrong secret"),
    Difference("revoke", "POST with the token in the form (RFC 7009)", "DELETE, authorized by the token"),
    Difference("revoke", "200, also for a token that was revoked before", "204, and 400 for such a token"),
    Difference("whose token it is", "POST, active and sub (RFC 7662)", "GET, user, or 401"),
)

NAMES = {"client_id": "clientId", "redirect_uri": "redirectUri", "response_type": "responseType"}
NAMES_BY_SERVICE = {theirs: written for written, theirs in NAMES.items()}
ERRORS = {400: "invalid_request", 401: "invalid_client"}
STATUSES_BY_SERVICE = {"invalid_client": 401, "invalid_grant": 401}
DENIED = {"error": "access_denied", "error_description": "The user denied."}
DENIED_BY_SERVICE = {"error": "401", "error_description": "User rejects the grant to client application"}
INVALID_TOKEN = {"code": 401, "message": "The access token is invalid or does not have permission."}


class Proxy:
    """A server on loopback that hands what it is asked to another, in a `with` block. `url` is where it is."""

    def __init__(self, behind: str) -> None:
        self.behind = behind
        self.app = Flask(__name__)
        self.app.add_url_rule("/<path:path>", view_func=self.hand_on, methods=["GET", "POST"])
        self._http = urllib3.PoolManager()

    def __enter__(self) -> Proxy:
        self._server = make_server("127.0.0.1", 0, self.app, threaded=True)
        self.url = f"http://127.0.0.1:{self._server.port}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._http.clear()

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> urllib3.BaseHTTPResponse:
        return self._http.request(method, self.behind + path, body=body, headers=headers, redirect=False)

    def ask_form(self, path: str, **fields: str) -> urllib3.BaseHTTPResponse:
        body = urlencode(fields).encode()
        return self.ask("POST", path, body, **{"Content-Type": "application/x-www-form-urlencoded"})

    def hand_on(self, path: str) -> Response:
        """What is asked, and what comes of it, with the browser sent on as `sent_on` says."""
        kept = {name: value for name, value in request.headers.items() if name in ("Host", "Cookie", "Content-Type")}
        answer = self.ask(request.method, self.translated(f"/{path}"), request.get_data(), **kept)
        response = Response(answer.data, answer.status, content_type=answer.headers.get("Content-Type"))
        for cookie in answer.headers.getlist("Set-Cookie"):
            response.headers.add("Set-Cookie", cookie)
        if "Location" in answer.headers:
            response.headers["Location"] = self.sent_on(answer.headers["Location"])
        return response

    def translated(self, path: str) -> str:
        raise NotImplementedError

    def sent_on(self, location: str) -> str:
        raise NotImplementedError


class ServiceAsWritten(Proxy):
    """Before the sandbox: RFC 6749, RFC 7009 and RFC 7662."""

    def __init__(self, behind: str) -> None:
        super().__init__(behind)
        self.app.add_url_rule("/.well-known/oauth-authorization-server", view_func=self.metadata)
        self.app.add_url_rule("/oauth2/token", view_func=self.token, methods=["POST"])
        self.app.add_url_rule("/oauth2/revoke", view_func=self.revoke, methods=["POST"])
        self.app.add_url_rule("/oauth2/introspect", view_func=self.introspect, methods=["POST"])

    def metadata(self) -> Response:
        endpoints = ("authorization", "authorize"), ("token", "token"), ("revocation", "revoke")
        addresses = {f"{name}_endpoint": f"{self.url}/oauth2/{path}" for name, path in endpoints}
        addresses["introspection_endpoint"] = f"{self.url}/oauth2/introspect"
        return jsonify({"issuer": self.url, "response_types_supported": ["code"], **addresses})

    def translated(self, path: str) -> str:
        fields = {NAMES.get(name, name): value for name, value in request.args.items()}
        if "scope" in fields:
            fields["scope"] = fields["scope"].replace(" ", ",")
        return f"{path}?{urlencode(fields)}"

    def sent_on(self, location: str) -> str:
        target, _, query = location.partition("?")
        if dict(parse_qsl(query)) == DENIED_BY_SERVICE:
            return f"{target}?{urlencode({**DENIED, 'state': request.form['state']})}"
        return location

    def token(self) -> Any:
        answer = self.ask_form("/oauth2/token", **request.form, **self.client())
        content = answer.json()
        if answer.status == 200:
            scopes = content["scope"].get("bearerPermissions", "").replace(",", " ")
            return {**content, "token_type": "Bearer", "scope": scopes}
        return self.refusal(answer.status, content["message"])

    def client(self) -> dict[str, str]:
        """Who asks, from the header."""
        if request.authorization is None:
            return {}
        identity = (request.authorization.username, request.authorization.password)
        return dict(zip(("client_id", "client_secret"), (unquote_plus(part or "") for part in identity)))

    def refusal(self, status: int, message: str) -> Any:
        grant = request.form.get("grant_type")
        if status == 401 and grant in ("authorization_code", "refresh_token"):
            return {"error": "invalid_grant", "error_description": message}, 400
        return {"error": ERRORS[status], "error_description": message}, status

    def revoke(self) -> Any:
        query = urlencode({"access_token": request.form["token"]})
        answer = self.ask("DELETE", f"/oauth2/token?Revoke&{query}", json.dumps(self.client()).encode())
        is_none = answer.status == 400 or (answer.status == 401 and answer.json() == INVALID_TOKEN)
        return "" if answer.status == 204 or is_none else self.refusal(answer.status, answer.json()["message"])

    def introspect(self) -> Any:
        answer = self.ask("GET", f"/oauth2/tokenInfo?{urlencode({'access_token': request.form['token']})}")
        return {"active": True, "sub": str(answer.json()["user"])} if answer.status == 200 else {"active": False}


class ServersDialect(Proxy):
    """Before a server that goes by the book: the service's dialect.

    authorize, token, revoke, introspect: the server's paths.
    """

    def __init__(self, behind: str, client_id: str, client_secret: str, **paths: str) -> None:
        super().__init__(behind)
        self._paths = paths
        self._client = {"client_id": client_id, "client_secret": client_secret}
        self.app.add_url_rule("/oauth2/token", view_func=self.token, methods=["POST"])
        self.app.add_url_rule("/oauth2/token", endpoint="revoke", view_func=self.revoke, methods=["DELETE"])
        self.app.add_url_rule("/oauth2/tokenInfo", view_func=self.token_info)

    def translated(self, path: str) -> str:
        if path != "/oauth2/authorize":
            return f"{path}?{request.query_string.decode()}"
        fields = {NAMES_BY_SERVICE.get(name, name): value for name, value in request.args.items()}
        fields["scope"] = fields.get("scope", "").replace(",", " ")
        return f"{self._paths['authorize']}?{urlencode({'response_type': 'code', **fields})}"

    def sent_on(self, location: str) -> str:
        target, _, query = location.partition("?")
        fields = dict(parse_qsl(query))
        if fields.get("error") == "access_denied":
            return f"{target}?{urlencode(DENIED_BY_SERVICE)}"
        return location

    def token(self) -> Any:
        body = {NAMES_BY_SERVICE.get(name, name): value for name, value in request.get_json().items()}
        answer = self.ask_form(self._paths["token"], **body)
        content = answer.json()
        if answer.status != 200:
            return self.refusal(content)
        scopes = content.get("scope", "").replace(" ", ",")
        del content["token_type"]
        return {**content, "scope": {"bearerPermissions": scopes}}

    def refusal(self, content: dict[str, str]) -> Any:
        status = STATUSES_BY_SERVICE.get(content["error"], 400)
        return {"code": status, "message": content.get("error_description", content["error"])}, status

    def revoke(self) -> Any:
        token = request.args.get("access_token", "")
        if not self._introspected(token)["active"]:
            return {"code": 400, "message": "The token was revoked before."}, 400
        answer = self.ask_form(self._paths["revoke"], token=token, **request.get_json())
        return Response(status=204) if answer.status == 200 else self.refusal(answer.json())

    def token_info(self) -> Any:
        content = self._introspected(request.args.get("access_token", ""))
        return {"user": int(content["sub"])} if content["active"] else (INVALID_TOKEN, 401)

    def _introspected(self, token: str) -> Any:
        return self.ask_form(self._paths["introspect"], token=token, **self._client).json()
