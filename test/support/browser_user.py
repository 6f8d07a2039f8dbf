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
        values = dict(attributes)
        if tag == "form":
            self.action = values.get("action") or ""
        elif tag == "input" and values.get("name"):
            self.fields[str(values["name"])] = values.get("value") or ""


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


class BrowserUser:
    """A user who signs in on the service's page and allows or denies access.

    decides: `allow` or `deny`
    is_elsewhere: whether the browser is on another machine and so cannot follow redirects to this one
    """

    def __init__(self, decides: str = "allow", *, is_elsewhere: bool = False) -> None:
        self._decides = decides
        handlers = [urllib.request.HTTPCookieProcessor(CookieJar()), *([_NoRedirects] if is_elsewhere else [])]
        self._browser = urllib.request.build_opener(*handlers)
        self.address = ""

    def open(self, url: str, form: bytes | None = None) -> str:
        """Open a page and return its content; `address` becomes its URL, or the target of a redirect not followed."""
        try:
            response = self._browser.open(url, form)
        except urllib.error.HTTPError as error:
            response = error
        with response:
            self.address = response.headers.get("Location") or response.url
            return str(response.read().decode())

    def sign_in(self, url: str) -> str:
        """Open the page, submit its form and return the content of the final page."""
        form, accounts = _Form(self.open(url)), Accounts()
        entered = {"username": accounts.username, "password": accounts.password, "decision": self._decides}
        return self.open(urljoin(self.address, form.action), urlencode({**form.fields, **entered}).encode())


if __name__ == "__main__":
    page = BrowserUser(os.environ.get("USER_DECISION", "allow")).sign_in(sys.argv[1])
    Path(os.environ["USER_PAGE_FILE"]).write_text(page)
