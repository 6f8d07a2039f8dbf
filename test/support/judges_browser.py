"""A browser without JavaScript whose user signs in."""

from __future__ import annotations

import re

import mechanicalsoup
import requests


class Browser:
    """A browser with cookies and redirects that fills in the forms of the pages."""

    def __init__(self, username: str, password: str) -> None:
        self._fields = {None: username, "text": username, "password": password}  # by the type of the input element

    def sign_in(self, url: str, allow: bool = True) -> requests.Response:
        """Open a page, sign in, allow or deny access, and return the final response."""
        with mechanicalsoup.StatefulBrowser(soup_config={"features": "html.parser"}) as browser:
            response = browser.open(url)
            while browser.page is not None and browser.page.form:
                form = browser.select_form()
                deny = browser.page.find(string=DENY).parent
                if deny.name == "a" and not allow:
                    response = browser.open_relative(deny["href"])
                    continue
                for field in form.form.find_all("input"):
                    if field.get("type") in self._fields:
                        form.set(field["name"], self._fields[field.get("type")])
                form.choose_submit(form.form.find("button") if allow else deny)
                response = browser.submit_selected()
            return response


DENY = re.compile(r"^\W*(Deny|Cancel)\W*$")  # on the pages of the sandbox and of oidc-provider
