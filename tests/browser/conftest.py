"""A real Chromium, at phone and desk width, light and dark, in Danish and English."""

import shutil
from collections.abc import Iterator
from typing import Literal, Protocol

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Route,
    ViewportSize,
    expect,
    sync_playwright,
)

from tests.loopback import is_here

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_ARGUMENTS = [
    "--no-sandbox",  # the sandbox does not start as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
]
_WIDTHS: dict[str, ViewportSize] = {"phone": {"width": 390, "height": 844}, "desk": {"width": 1440, "height": 900}}
_LOCALES = {"da": "da-DK", "en": "en-GB"}


class OpenPage(Protocol):
    """Makes a page in a window of its own: no cookies shared with another."""

    def __call__(
        self,
        *,
        width: Literal["phone", "desk"] = "desk",
        scheme: Literal["light", "dark"] = "light",
        language: Literal["da", "en"] = "da",
        scripts: bool = True,
    ) -> Page:
        """Open an empty page; `scripts=False` is a browser without JavaScript."""


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Start the Chromium of this machine; closed after these tests, for its event loop would meet others."""
    executable = next(filter(None, map(shutil.which, _NAMES)), None)
    if executable is None:
        pytest.fail("Chromium is not here: install it, or run script/test --without browser")
    expect.set_options(timeout=20_000)  # a busy machine answers late; waiting ends as soon as it is so
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=_ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[OpenPage]:
    """Make pages; afterwards fail if one raised, broke its own security policy or reached for the outside."""
    contexts: list[BrowserContext] = []
    troubles: list[str] = []

    def stay_here(route: Route) -> None:
        host = route.request.url.split("/")[2].rsplit(":", 1)[0].strip("[]")
        if is_here(host):
            route.fallback()
        else:
            troubles.append(f"reached for {route.request.url}")
            route.abort()

    def hear(message: ConsoleMessage) -> None:
        if message.type == "error" and "Content Security Policy" in message.text:
            troubles.append(message.text)

    def make(
        *,
        width: Literal["phone", "desk"] = "desk",
        scheme: Literal["light", "dark"] = "light",
        language: Literal["da", "en"] = "da",
        scripts: bool = True,
    ) -> Page:
        context = browser.new_context(
            viewport=_WIDTHS[width],
            color_scheme=scheme,
            locale=_LOCALES[language],
            timezone_id="Europe/Copenhagen",
            has_touch=width == "phone",
            is_mobile=width == "phone",
            java_script_enabled=scripts,
            reduced_motion="reduce",
        )
        context.set_default_timeout(10_000)
        context.route("**/*", stay_here)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("console", hear)
        return page

    yield make
    for context in contexts:
        context.close()
    if troubles:
        pytest.fail("in the browser: " + "; ".join(troubles))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let a browser leave a page before its last file has come: the test server then drops that file unclosed."""
    for item in items:
        if "browser" in item.nodeid.split("::")[0]:
            item.add_marker(pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning"))
            item.add_marker(pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"))
