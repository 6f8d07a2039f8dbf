"""A real Chromium that the tests control with Selenium."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from axe_selenium_python import Axe
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

T = TypeVar("T")

TIMEOUT = 20  # seconds; the machine may be busy
OPTIONS = (
    "--headless=new",
    "--no-sandbox",  # Chromium refuses to run as root with its sandbox.
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--no-proxy-server",
    # Disable Chromium's own requests to its vendor.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def find_chromium() -> tuple[str, str]:
    """Return the paths of the browser and its driver. Raise FileNotFoundError if one is missing."""
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    driver = shutil.which("chromedriver")
    if not (browser and driver):
        raise FileNotFoundError("chromium and chromedriver: Debian's packages chromium and chromium-driver")
    return browser, driver


class Browser:
    """A window of a Chromium with its own profile."""

    def __init__(self, profile: Path) -> None:
        binary, driver = find_chromium()
        options = webdriver.ChromeOptions()
        options.binary_location = binary
        for option in (*OPTIONS, f"--user-data-dir={profile}"):
            options.add_argument(option)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(options, webdriver.ChromeService(driver))

    def close(self) -> None:
        self.driver.quit()

    def reset(self) -> None:
        """Leave the page and clear its logs."""
        self.show_as()
        self.driver.get("about:blank")
        self.driver.get_log("browser")
        self.driver.get_log("performance")

    def show_as(self, scheme: str = "light", width: int = 1280, height: int = 900) -> None:
        """Emulate a window of this size in CSS pixels and a user who prefers this color scheme."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def open(self, url: str) -> None:
        self.driver.get(url)

    @property
    def url(self) -> str:
        return str(self.driver.current_url)

    @property
    def text(self) -> str:
        """The visible text of the page."""
        return self.find("body").text

    def find(self, selector: str) -> WebElement:
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def find_all(self, selector: str) -> list[WebElement]:
        """Return the visible elements that match the selector."""
        return [found for found in self.driver.find_elements(By.CSS_SELECTOR, selector) if found.is_displayed()]

    def click(self, text: str) -> None:
        """Press the button with this text."""
        self.driver.find_element(By.XPATH, f"//button[normalize-space()='{text}']").click()

    def press(self, *keys: str) -> None:
        """Press keys by their names (TAB, ENTER, SPACE) or type text into the focused element."""
        self.focused.send_keys(*(getattr(Keys, key, key) for key in keys))

    @property
    def focused(self) -> WebElement:
        return self.driver.switch_to.active_element

    def run(self, script: str) -> Any:
        return self.driver.execute_script(script)

    def wait_for(self, condition: Callable[[], T]) -> T:
        """Call `condition` until it returns a true value, and return that value."""
        return WebDriverWait(self.driver, TIMEOUT, poll_frequency=0.05).until(lambda _: condition())

    def sign_in(self, username: str, password: str, decision: str = "Allow") -> None:
        """Fill in the authorization form of the sandbox, press Allow or Deny, and wait for the next page."""
        form = self.find("form")
        for name, value in (("username", username), ("password", password)):
            field = self.find(f"#{name}")
            field.clear()
            field.send_keys(value)
        self.click(decision)
        self.wait_for(lambda: form not in self.driver.find_elements(By.CSS_SELECTOR, "form"))

    def accessibility_violations(self) -> list[str]:
        """Return the violations that axe-core finds on the page."""
        axe = Axe(self.driver)
        axe.inject()
        return [f"{found['id']}: {node['html']}" for found in axe.run()["violations"] for node in found["nodes"]]

    def policy_violations(self) -> list[str]:
        """Return the violations of the Content-Security-Policy and the script errors since the last call."""
        messages = [entry["message"] for entry in self.driver.get_log("browser")]
        return [message for message in messages if "Failed to load resource" not in message]

    def requested_hosts(self) -> set[str]:
        """Return the hosts to which the browser sent requests since the last call."""
        events = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        urls = [e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"]
        return {host for host in (urlsplit(url).hostname for url in urls) if host}

    def save_screenshot(self, name: str) -> None:
        """Save a screenshot in the folder in the environment variable SCREENSHOTS, if that is set."""
        folder = os.environ.get("SCREENSHOTS")
        if folder:
            self.driver.save_screenshot(str(Path(folder) / f"{name}.png"))
