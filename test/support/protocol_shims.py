"""Proxies that translate between OAuth 2.0 and the dialect of the service. `DIFFERENCES` lists what they translate.

`StandardServiceProxy` makes the sandbox usable for clients that follow the RFCs. `ServiceDialectProxy` makes a server
that follows the RFCs usable for the SDK. Both forward everything else unchanged.
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
    """A difference between the RFCs and the service."""

    where: str
    in_standard: str
    in_service: str


DIFFERENCES = (
    Difference("authorize", "client_id, redirect_uri, response_type", "clientId, redirectUri, responseType"),
    Difference("authorize", "scope: delimited by spaces", "scope: delimited by commas"),
    Difference("authorize, denied", "error=access_denied, and the state", "error=401, and no state"),
    Difference("token, request", "client_secret_basic (section 2.3.1)", "client_id and client_secret in the body"),
    Difference("token, request", "a form", "JSON; the service takes forms too"),
    Difference("token, request", "redirect_uri", "redirectUri; the service takes redirect_uri too"),
    Difference("token, response", "token_type: Bearer", "no token_type"),
    Difference("token, response", "scope: text", "scope: an object, with the scopes in bearerPermissions"),
    Difference("refusals", "error, error_description", "code, message"),
    Difference("refusals", "a wrong code or refresh token: 400, unlike a wrong secret", "401, as for a wrong secret"),
    Difference("revoke", "POST with the token in the form (RFC 7009)", "DELETE, authorized by the token"),
    Difference("revoke", "200, also for a token that was revoked before", "204, and 400 for such a token"),
    Difference("whose token it is", "POST, active and sub (RFC 7662)", "GET, user, or 401"),
)

NAMES = {"client_id": "clientId", "redirect_uri": "redirectUri", "response_type": "responseType"}
STANDARD_NAMES = {service: standard for standard, service in NAMES.items()}
ERRORS = {400: "invalid_request", 401: "invalid_client"}
SERVICE_STATUSES = {"invalid_client": 401, "invalid_grant": 401}
DENIED = {"error": "access_denied", "error_description": "The user denied."}
SERVICE_DENIED = {"error": "401", "error_description": "User rejects the grant to client application"}
INVALID_TOKEN = {"code": 401, "message": "The access token is invalid or does not have permission."}


class Proxy:
    """A proxy on loopback that forwards requests to `upstream` during a `with` block. `url` is its URL."""

    def __init__(self, upstream: str) -> None:
        self.upstream = upstream
        self.app = Flask(__name__)
        self.app.add_url_rule("/<path:path>", view_func=self.forward, methods=["GET", "POST"])
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

    def send(self, method: str, path: str, body: bytes | None = None, **headers: str) -> urllib3.BaseHTTPResponse:
        return self._http.request(method, self.upstream + path, body=body, headers=headers, redirect=False)

    def send_form(self, path: str, **fields: str) -> urllib3.BaseHTTPResponse:
        body = urlencode(fields).encode()
        return self.send("POST", path, body, **{"Content-Type": "application/x-www-form-urlencoded"})

    def forward(self, path: str) -> Response:
        """Forward a request and its response, with the redirect that `translated_redirect` returns."""
        headers = {name: value for name, value in request.headers.items() if name in ("Host", "Cookie", "Content-Type")}
        upstream_response = self.send(request.method, self.translated(f"/{path}"), request.get_data(), **headers)
        response = Response(
            upstream_response.data, upstream_response.status, content_type=upstream_response.headers.get("Content-Type")
        )
        for cookie in upstream_response.headers.getlist("Set-Cookie"):
            response.headers.add("Set-Cookie", cookie)
        if "Location" in upstream_response.headers:
            response.headers["Location"] = self.translated_redirect(upstream_response.headers["Location"])
        return response

    def translated(self, path: str) -> str:
        raise NotImplementedError

    def translated_redirect(self, location: str) -> str:
        raise NotImplementedError


class StandardServiceProxy(Proxy):
    """A proxy for the sandbox that follows RFC 6749, RFC 7009 and RFC 7662."""

    def __init__(self, upstream: str) -> None:
        super().__init__(upstream)
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

    def translated_redirect(self, location: str) -> str:
        target, _, query = location.partition("?")
        if dict(parse_qsl(query)) == SERVICE_DENIED:
            return f"{target}?{urlencode({**DENIED, 'state': request.form['state']})}"
        return location

    def token(self) -> Any:
        response = self.send_form("/oauth2/token", **request.form, **self.client())
        content = response.json()
        if response.status == 200:
            scopes = content["scope"].get("bearerPermissions", "").replace(",", " ")
            return {**content, "token_type": "Bearer", "scope": scopes}
        return self.refusal(response.status, content["message"])

    def client(self) -> dict[str, str]:
        """Return the client credentials of the Authorization header."""
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
        response = self.send("DELETE", f"/oauth2/token?Revoke&{query}", json.dumps(self.client()).encode())
        is_invalid = response.status == 400 or (response.status == 401 and response.json() == INVALID_TOKEN)
        return "" if response.status == 204 or is_invalid else self.refusal(response.status, response.json()["message"])

    def introspect(self) -> Any:
        response = self.send("GET", f"/oauth2/tokenInfo?{urlencode({'access_token': request.form['token']})}")
        return {"active": True, "sub": str(response.json()["user"])} if response.status == 200 else {"active": False}


class ServiceDialectProxy(Proxy):
    """A proxy for a server that follows the RFCs; clients use the dialect of the service.

    authorize, token, revoke, introspect: paths of the server
    """

    def __init__(self, upstream: str, client_id: str, client_secret: str, **paths: str) -> None:
        super().__init__(upstream)
        self._paths = paths
        self._client = {"client_id": client_id, "client_secret": client_secret}
        self.app.add_url_rule("/oauth2/token", view_func=self.token, methods=["POST"])
        self.app.add_url_rule("/oauth2/token", endpoint="revoke", view_func=self.revoke, methods=["DELETE"])
        self.app.add_url_rule("/oauth2/tokenInfo", view_func=self.token_info)

    def translated(self, path: str) -> str:
        if path != "/oauth2/authorize":
            return f"{path}?{request.query_string.decode()}"
        fields = {STANDARD_NAMES.get(name, name): value for name, value in request.args.items()}
        fields["scope"] = fields.get("scope", "").replace(",", " ")
        return f"{self._paths['authorize']}?{urlencode({'response_type': 'code', **fields})}"

    def translated_redirect(self, location: str) -> str:
        target, _, query = location.partition("?")
        fields = dict(parse_qsl(query))
        if fields.get("error") == "access_denied":
            return f"{target}?{urlencode(SERVICE_DENIED)}"
        return location

    def token(self) -> Any:
        body = {STANDARD_NAMES.get(name, name): value for name, value in request.get_json().items()}
        response = self.send_form(self._paths["token"], **body)
        content = response.json()
        if response.status != 200:
            return self.refusal(content)
        scopes = content.get("scope", "").replace(" ", ",")
        del content["token_type"]
        return {**content, "scope": {"bearerPermissions": scopes}}

    def refusal(self, content: dict[str, str]) -> Any:
        status = SERVICE_STATUSES.get(content["error"], 400)
        return {"code": status, "message": content.get("error_description", content["error"])}, status

    def revoke(self) -> Any:
        token = request.args.get("access_token", "")
        if not self._introspected(token)["active"]:
            return {"code": 400, "message": "The token was revoked before."}, 400
        response = self.send_form(self._paths["revoke"], token=token, **request.get_json())
        return Response(status=204) if response.status == 200 else self.refusal(response.json())

    def token_info(self) -> Any:
        content = self._introspected(request.args.get("access_token", ""))
        return {"user": int(content["sub"])} if content["active"] else (INVALID_TOKEN, 401)

    def _introspected(self, token: str) -> Any:
        return self.send_form(self._paths["introspect"], token=token, **self._client).json()
