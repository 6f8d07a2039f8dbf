"""A web application that signs in its users with the service and stores `state` in their sessions.

It listens on http://127.0.0.1:5000, or on the port in the environment variable PORT.
"""

import logging
import os
import secrets

import flask

import BlueJeansMeetingsRestApi as bluejeans
from settings import client, setting

port = int(os.environ.get("PORT", "5000"))
app = flask.Flask(__name__)
app.config.update(SECRET_KEY=secrets.token_bytes(), SESSION_COOKIE_SAMESITE="Lax")
flow = bluejeans.AuthorizationCodeFlow(
    setting("BLUEJEANS_CLIENT_ID"),
    setting("BLUEJEANS_CLIENT_SECRET"),
    redirect_uri=f"http://127.0.0.1:{port}/callback",
    scope="user_info",
    app_name="Example",
    api=bluejeans.AuthenticationApi(client()),
)
# By session, in the memory of this process: a token store has one sign-in for each application, not for each user.
signed_in: dict[str, bluejeans.RefreshTokenCredentials] = {}


@app.get("/")
def home() -> str:
    credentials = signed_in.get(flask.session.get("id", ""))
    if credentials is None:
        return '<a href="/sign-in">Sign in</a>'
    info = credentials.api.get_token_info(access_token=credentials.get_token().token)
    return f"You are user {info.user}"


@app.get("/sign-in")
def sign_in() -> flask.typing.ResponseReturnValue:
    flask.session["state"] = secrets.token_urlsafe()
    return flask.redirect(flow.authorization_url(flask.session["state"]))


@app.get("/callback")
def callback() -> flask.typing.ResponseReturnValue:
    try:
        # Remove `state` from the session, because a callback is valid only once.
        credentials = flow.exchange(flask.request.url, flask.session.pop("state", ""))
    except ValueError:
        return "This is no answer to a sign-in that was begun here", 400
    except bluejeans.ReauthenticationRequired:
        return "You did not allow it", 403
    flask.session["id"] = secrets.token_urlsafe()
    signed_in[flask.session["id"]] = credentials
    return flask.redirect("/")


if __name__ == "__main__":
    # Werkzeug logs the full URL of each request, which includes the code.
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    app.run(port=port)
