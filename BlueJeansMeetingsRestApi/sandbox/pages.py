"""Render the pages: sign-in and consent for users, and the journal of requests for developers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from flask import Blueprint, Response, g, redirect, render_template, request

from .controls import Controls
from .scopes import SCOPES
from .service import Refusal

JOURNAL = "/sandbox"
FIELDS = ("clientId", "redirectUri", "state", "scope", "responseType", "appName", "appLogoUrl")
HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
POLICY = {
    "default-src": "'none'",
    "base-uri": "'none'",
    "connect-src": "'self'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
    "img-src": "'self'",
    "script-src": "'self'",
    "style-src": "'self'",
    "require-trusted-types-for": "'script'",
}


def belongs_to_sandbox(path: str) -> bool:
    """Return whether `path` belongs to the sandbox and not to the service."""
    return path in ("/", JOURNAL) or path.startswith(f"{JOURNAL}/")


def create_pages(controls: Controls) -> Blueprint:
    """Return the blueprint of the pages."""
    pages = Blueprint("pages", __name__)
    service = controls.service

    @pages.get("/")
    def redirect_to_journal() -> Any:
        return redirect(JOURNAL)

    @pages.get(JOURNAL)
    def show_journal() -> Response:
        return page("journal.html", url=request.host_url.rstrip("/"))

    @pages.get(f"{JOURNAL}/events")
    def send_events() -> Response:
        """Stream the journal as server-sent events: the requests so far, then each new one."""

        def lines() -> Iterator[str]:
            for name, data in controls.follow():
                yield f"event: {name}\ndata: {json.dumps(data)}\n\n"

        return Response(lines(), content_type="text/event-stream", headers=HEADERS)

    @pages.get("/oauth2/authorize")
    def show_authorization() -> Response:
        return authorization_page(request.args)

    @pages.post("/oauth2/authorize")
    def decide_authorization() -> Any:
        sent = g.body = dict(parse_qsl(request.get_data(as_text=True), keep_blank_values=True))
        username, allow = sent.get("username", ""), sent.get("decision") == "allow"
        try:
            target = service.decide_authorization(sent, username, sent.get("password", ""), allow)
        except Refusal as refusal:
            if refusal.status == 401:
                return authorization_page(sent, username, refusal)
            return refusal_page(refusal)
        response = redirect(target)
        response.headers.update(HEADERS)
        return response

    def authorization_page(sent: Mapping[str, str], username: str = "", problem: Refusal | None = None) -> Response:
        try:
            scopes = service.check_authorization(sent)
        except Refusal as refusal:
            return refusal_page(refusal)
        target = urlsplit(sent["redirectUri"])
        logo, logo_host = logo_of(sent.get("appLogoUrl", ""), target.hostname)
        name = sent.get("appName") or "An application"
        policy = {
            # Chromium applies this to every redirect after a form, and the application may redirect the browser from
            # its redirect URI to any URL.
            "form-action": " ".join(["'self'", *sorted({"http:", "https:", f"{target.scheme}:"})]),
            "img-src": f"'self' {logo_host}" if logo else "'self'",
        }
        return page(
            "authorize.html",
            problem.status if problem else 200,
            policy,
            fields={field: sent[field] for field in FIELDS if field in sent},
            initials="".join(word[0] for word in re.findall(r"\w+", name)[:2]).upper(),
            logo=logo,
            logo_host=logo_host,
            name=name,
            problem=problem.message if problem else "",
            scopes=[(scope, SCOPES[scope]) for scope in scopes],
            target=target.netloc or f"{target.scheme}:",
            username=username,
        )

    def refusal_page(refusal: Refusal) -> Response:
        return page("refused.html", refusal.status, message=refusal.message)

    return pages


def page(template: str, status: int = 200, policy: Mapping[str, str] | None = None, **values: Any) -> Response:
    """Return a page with its security headers. `policy` replaces directives of the Content-Security-Policy."""
    parts = {**POLICY, **(policy or {})}
    headers = {**HEADERS, "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in parts.items())}
    return Response(render_template(template, **values), status, headers)


def logo_of(url: str, host: str | None) -> tuple[str, str]:
    """Return the URL of the logo, or "" if the page must not load it, and the logo's origin.

    Anyone can make a URL of this page with any logo, and the logo's host would learn who is about to sign in.
    Therefore, the logo must be on the host of the redirect URI, which is registered.
    """
    try:
        asked = urlsplit(url)
        port = f":{asked.port}" if asked.port else ""
    except ValueError:
        return "", ""
    if asked.scheme not in ("http", "https") or not asked.hostname or asked.username is not None:
        return "", ""
    origin = f"{asked.scheme}://{asked.hostname}{port}"
    return (url if asked.hostname == host else ""), origin
