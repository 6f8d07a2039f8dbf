"""A Flask application whose users sign in with BlueJeans."""

from __future__ import annotations

import hmac
import secrets
from typing import Any
from urllib.parse import urlencode

from flask import Flask, redirect, request, session

import BlueJeansMeetingsRestApi as bluejeans


def create_app(api: bluejeans.AuthenticationApi, client_id: str, client_secret: str, redirect_uri: str) -> Flask:
    app = Flask(__name__)
    app.secret_key = secrets.token_bytes()

    @app.get("/login")
    def login() -> Any:
        session["state"] = secrets.token_urlsafe()
        query = {"clientId": client_id, "redirectUri": redirect_uri, "state": session["state"], "responseType": "code"}
        return redirect(f"{api.api_client.configuration.host}/oauth2/authorize?{urlencode(query)}")

    @app.get("/callback")
    def callback() -> Any:
        state = session.pop("state", "")
        if "error" in request.args:  # The service returns errors without the state.
            return "You did not allow it. Sign in again when you want to.", 403
        if not state or not hmac.compare_digest(state.encode(), request.args.get("state", "").encode()):
            return "This answer is to no question of ours.", 400
        try:
            grant = api.get_token_by_code(
                bluejeans.GrantRequestCode(
                    client_id=client_id,
                    client_secret=client_secret,
                    redirect_uri=redirect_uri,
                    code=request.args.get("code", ""),
                )
            )
        except bluejeans.UnauthorizedError:
            return "That took too long. Sign in again.", 401
        return f"Welcome, user {grant.scope.user}."

    return app
