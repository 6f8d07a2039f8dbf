"""A browser whose user signs in: `python browser_user.py URL` opens the page and submits its form.

USER_DECISION is `allow` or `deny`; USER_PAGE_FILE is the file to which the last page is written. Tests use it as the
command in BROWSER, or import it if they need no separate process.
"""

from __future__ import annotations

import html.parser
import os
import sys
import urllib.error
import urllib.request
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
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


class _Stays(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


class BrowserUser:
    """Signs in on the service's page, and allows it or denies. is_elsewhere: not on this machine."""

    def __init__(self, decides: str = "allow", *, is_elsewhere: bool = False) -> None:
        self._decides = decides
        handlers = [urllib.request.HTTPCookieProcessor(CookieJar()), *([_Stays] if is_elsewhere else [])]
        self._browser = urllib.request.build_opener(*handlers)
        self.address = ""

    def open(self, url: str, form: bytes | None = None) -> str:
        """What a page shows. `address` is where it is, or where the browser was sent and could not go."""
        try:
            answer = self._browser.open(url, form)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            self.address = answer.headers.get("Location") or answer.url
            return str(answer.read().decode())

    def sign_in(self, url: str) -> str:
        """Go to the page, fill in its form, and return what is shown at the end."""
        form, accounts = _Form(self.open(url)), Accounts()
        typed = {"username": accounts.username, "password": accounts.password, "decision": self._decides}
        return self.open(urljoin(self.address, form.action), urlencode({**form.fields, **typed}).encode())


if __name__ == "__main__":
    seen = BrowserUser(os.environ.get("USER_DECISION", "allow")).sign_in(sys.argv[1])
    Path(os.environ["USER_PAGE_FILE"]).write_text(seen)
