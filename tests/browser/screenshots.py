"""Takes the pictures of `docs/pictures` from the demo world, at a time that stands still: script/screenshots."""

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from incident_tracker import bootstrap
from incident_tracker.cli import demo
from incident_tracker.domain.access import SHELL
from incident_tracker.services import accounts, calling, notices, register
from incident_tracker.settings import Settings
from incident_tracker.store import heartbeats
from tests.browser.running import NODE, carry_in, give_sign_of_life, served
from tests.makers import PASSWORD, HandClock

if TYPE_CHECKING:
    from incident_tracker.bootstrap import Tracker

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "pictures"
LARGEST = 200_000
DESK: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
NOW = datetime(2026, 11, 22, 18, 31, tzinfo=UTC)
_NAMES = ("chromium", "chromium-browser", "google-chrome")


@dataclass
class Demo:
    """The demo world, and where to find things in it."""

    tracker: "Tracker"
    address: str
    people: dict[str, int]
    references: dict[str, str]

    def of(self, words: str) -> str:
        """Return the reference of the incident with these words in its title."""
        return next(reference for title, reference in self.references.items() if words in title)


@contextmanager
def _page(browser: Browser, found: Demo, who: str, size: ViewportSize, scheme: str = "light") -> Iterator[Page]:
    context = browser.new_context(
        viewport=size,
        color_scheme="dark" if scheme == "dark" else "light",
        locale="da-DK",
        timezone_id="Europe/Copenhagen",
        reduced_motion="reduce",
    )
    if who:
        carry_in(context, found.tracker, found.address, found.people[who])
    page = context.new_page()
    page.clock.set_fixed_time(NOW)
    yield page
    context.close()


def _take(page: Page, name: str, *, whole: bool = False) -> None:
    page.evaluate("document.fonts.ready")
    file = FOLDER / f"{name}.png"
    page.screenshot(path=file, full_page=whole, animations="disabled")
    size = file.stat().st_size
    print(f"{file.relative_to(FOLDER.parents[1])}: {size // 1000} kB")  # noqa: T201 - this is a tool
    if size > LARGEST:
        sys.exit(f"{file.name} is larger than {LARGEST // 1000} kB")


def _at_the_desk(browser: Browser, found: Demo) -> None:
    with _page(browser, found, "Ada", DESK) as page:
        page.goto(found.address)
        _take(page, "board", whole=True)
        page.goto(f"{found.address}/incidents/{found.of('kan gættes')}")
        page.set_viewport_size({"width": 1440, "height": 1060})
        _take(page, "incident")
        page.goto(f"{found.address}/incidents/{found.of('forkert person')}/report")
        page.locator(".question-missing").first.scroll_into_view_if_needed()
        page.set_viewport_size({"width": 1440, "height": 1100})
        _take(page, "report")
        page.goto(f"{found.address}/incidents/{found.of('uden kryptering')}/notices/1")
        page.set_viewport_size({"width": 1440, "height": 1100})
        _take(page, "notice")


def _on_the_phone(browser: Browser, found: Demo) -> None:
    with _page(browser, found, "Ben", PHONE) as page:
        page.goto(f"{found.address}/incidents/new")
        page.locator("#what_happened").fill(
            "Et nyhedsbrev er sendt ud, så alle kan se hinandens adresser i Cc-feltet."
        )
        page.locator("#detected_at").fill("i dag 18.40")
        page.locator("#detected_at-understood span").wait_for()
        page.locator("#where").fill("Nyhedsbrevssystemet")
        page.get_by_text("Nej", exact=True).click()
        page.locator("#people").fill("200-400")
        page.locator("#people-understood span").wait_for()
        page.locator("h1").click()
        page.set_viewport_size({"width": 390, "height": 1100})
        _take(page, "log")
    context = found.tracker.context
    reference = found.of("uden kryptering")
    public = notices.of_incident(context, SHELL, reference)[0].public_reference
    with _page(browser, found, "", PHONE) as page:
        page.goto(f"{found.address}/notice/{public}")
        page.set_viewport_size({"width": 390, "height": 1100})
        _take(page, "public-notice")
    alert = next(one for one, of in calling.open_alerts(context, SHELL) if of == found.of("ransomware"))
    with _page(browser, found, "Ben", {"width": 390, "height": 900}, "dark") as page:
        page.goto(f"{found.address}/alerts/{alert.id}")
        _take(page, "alert-phone")


def main() -> None:
    """Take every picture again."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    executable = next(filter(None, map(shutil.which, _NAMES)), None)
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings.model_validate({"data": {"dir": folder}})
        demo.make(settings, HandClock(NOW), PASSWORD)
        tracker = bootstrap.build(settings, now=HandClock(NOW))
        with tracker.context.database.writing() as session:
            heartbeats.start(session, NODE, "0", NOW)
        give_sign_of_life(tracker)
        with served(tracker) as address, sync_playwright() as playwright:
            people = {one.name: one.id for one in accounts.listing(tracker.context, SHELL)}
            references = {one.title: one.reference for one in register.listing(tracker.context, SHELL)}
            found = Demo(tracker, address, people, references)
            browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox", "--disable-gpu"])
            _at_the_desk(browser, found)
            _on_the_phone(browser, found)
            browser.close()
        tracker.close()


if __name__ == "__main__":
    main()
