"""A real Chromium, driven by Selenium, and what the tests do with it."""

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

PATIENCE = 20  # seconds; a machine may be busy
OPTIONS = (
    "--headless=new",
    "--no-sandbox",  # which Chromium refuses to run in as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--no-proxy-server",
    # What Chromium asks of its maker by itself.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def find_chromium() -> tuple[str, str]:
    """The paths of the browser and of its driver. Raises FileNotFoundError where one is missing."""
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    driver = shutil.which("chromedriver")
    if not (browser and driver):
        raise FileNotFoundError("chromium and chromedriver: Debian's packages chromium and chromium-driver")
    return browser, driver


class Browser:
    """One window of a Chromium with a profile of its own."""

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

    def forget(self) -> None:
        """Leave the page, and what was logged of it."""
        self.show_as()
        self.driver.get("about:blank")
        self.driver.get_log("browser")
        self.driver.get_log("performance")

    def show_as(self, scheme: str = "light", width: int = 1280, height: int = 900) -> None:
        """Be a window of this size in CSS pixels, whose user prefers this colour scheme."""
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
        """What the page shows."""
        return self.find("body").text

    def find(self, selector: str) -> WebElement:
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def find_all(self, selector: str) -> list[WebElement]:
        """The elements that are to be seen."""
        return [found for found in self.driver.find_elements(By.CSS_SELECTOR, selector) if found.is_displayed()]

    def click(self, text: str) -> None:
        """Press the button with this text."""
        self.driver.find_element(By.XPATH, f"//button[normalize-space()='{text}']").click()

    def press(self, *keys: str) -> None:
        """Press keys by their names (TAB, ENTER, SPACE), or type text, wherever the focus is."""
        self.focused.send_keys(*(getattr(Keys, key, key) for key in keys))

    @property
    def focused(self) -> WebElement:
        return self.driver.switch_to.active_element

    def run(self, script: str) -> Any:
        return self.driver.execute_script(script)

    def wait_for(self, what: Callable[[], T]) -> T:
        """The first true value that `what` returns."""
        return WebDriverWait(self.driver, PATIENCE, poll_frequency=0.05).until(lambda _: what())

    def sign_in(self, username: str, password: str, decision: str = "Allow") -> None:
        """Fill in the sandbox's page, press Allow or Deny, and wait for the page that follows."""
        form = self.find("form")
        for name, value in (("username", username), ("password", password)):
            field = self.find(f"#{name}")
            field.clear()
            field.send_keys(value)
        self.click(decision)
        self.wait_for(lambda: form not in self.driver.find_elements(By.CSS_SELECTOR, "form"))

    def accessibility_violations(self) -> list[str]:
        """What axe-core finds wrong with the page, in its words."""
        axe = Axe(self.driver)
        axe.inject()
        return [f"{found['id']}: {node['html']}" for found in axe.run()["violations"] for node in found["nodes"]]

    def policy_violations(self) -> list[str]:
        """What the Content-Security-Policy stopped, and what failed in a script, since the last call."""
        said = [entry["message"] for entry in self.driver.get_log("browser")]
        return [message for message in said if "Failed to load resource" not in message]

    def requested_hosts(self) -> set[str]:
        """The hosts that were asked for anything since the last call."""
        events = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        urls = [e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"]
        return {host for host in (urlsplit(url).hostname for url in urls) if host}

    def picture(self, name: str) -> None:
        """Keep a picture of the window in the folder that the environment variable SCREENSHOTS names, if it is set."""
        folder = os.environ.get("SCREENSHOTS")
        if folder:
            self.driver.save_screenshot(str(Path(folder) / f"{name}.png"))
