"""Somebody who signs in: a browser without scripts."""

from __future__ import annotations

import re

import mechanicalsoup
import requests


class Browser:
    """Fills in what pages ask for, with cookies and redirects as browsers have them."""

    def __init__(self, username: str, password: str) -> None:
        self._fields = {None: username, "text": username, "password": password}  # by the type of an input

    def sign_in(self, url: str, allow: bool = True) -> requests.Response:
        """Go there, sign in, and allow what is asked for or deny it; returns where that leads in the end."""
        with mechanicalsoup.StatefulBrowser(soup_config={"features": "html.parser"}) as browser:
            answer = browser.open(url)
            while browser.page is not None and browser.page.form:
                form = browser.select_form()
                deny = browser.page.find(string=DENY).parent
                if deny.name == "a" and not allow:
                    answer = browser.open_relative(deny["href"])
                    continue
                for field in form.form.find_all("input"):
                    if field.get("type") in self._fields:
                        form.set(field["name"], self._fields[field.get("type")])
                form.choose_submit(form.form.find("button") if allow else deny)
                answer = browser.submit_selected()
            return answer


DENY = re.compile(r"^\W*(Deny|Cancel)\W*$")  # on the sandbox's page, and on oidc-provider's
