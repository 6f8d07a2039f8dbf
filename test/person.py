"""A browser with a person in front of it: `python person.py URL` opens the page, fills in its form, and goes on.

PERSON_DECIDES is `allow` or `deny`; PERSON_SEES names the file that what is shown at the end goes to. It is run as the
command in BROWSER, and imported by tests that need no process for it.
"""

from __future__ import annotations

import html.parser
import os
import sys
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlencode, urljoin

from BlueJeansMeetingsRestApi.sandbox import Accounts


class _Form(html.parser.HTMLParser):
    """The first form of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        of = dict(attributes)
        if tag == "form":
            self.action = of.get("action") or ""
        elif tag == "input" and of.get("name"):
            self.fields[str(of["name"])] = of.get("value") or ""


def sign_in(url: str, decision: str = "allow") -> str:
    """Sign in on the page, and return what is shown at the end."""
    accounts = Accounts()
    form = _Form(_shown(url))
    filled = {**form.fields, "username": accounts.username, "password": accounts.password, "decision": decision}
    return _shown(urljoin(url, form.action), urlencode(filled).encode())


def address_at_the_end(url: str, decision: str = "allow") -> str:
    """Sign in on the page, and return the address that the browser is sent to, as one on another machine is."""

    class Stays(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_: object) -> None:
            return None

    opener = urllib.request.build_opener(Stays)
    accounts, form = Accounts(), _Form(_shown(url))
    filled = {**form.fields, "username": accounts.username, "password": accounts.password, "decision": decision}
    try:
        opener.open(urljoin(url, form.action), urlencode(filled).encode())
    except urllib.error.HTTPError as redirect:
        with redirect:
            return str(redirect.headers["Location"])
    raise AssertionError("the service did not send the browser on")


def _shown(url: str, form: bytes | None = None) -> str:
    try:
        with urllib.request.urlopen(url, form) as page:
            return str(page.read().decode())
    except urllib.error.HTTPError as error:
        with error:
            return error.read().decode()


if __name__ == "__main__":
    Path(os.environ["PERSON_SEES"]).write_text(sign_in(sys.argv[1], os.environ.get("PERSON_DECIDES", "allow")))
