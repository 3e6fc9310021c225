"""Takes the pictures of `docs/pictures` from Nordlys' story, at a time that stands still: script/screenshots."""

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from incident_tracker.services import calling
from tests.browser import story
from tests.browser.running import carry_in, give_sign_of_life, served, tracker_at
from tests.browser.story import Story
from tests.makers import HandClock

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "pictures"
LARGEST = 200_000
DESK: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
NIGHT = datetime(2026, 11, 23, 3, 47, tzinfo=UTC)
_NAMES = ("chromium", "chromium-browser", "google-chrome")


@contextmanager
def _page(browser: Browser, found: Story, address: str, who: str, size: ViewportSize, scheme: str) -> Iterator[Page]:
    context = browser.new_context(
        viewport=size,
        color_scheme="dark" if scheme == "dark" else "light",
        locale="da-DK",
        timezone_id="Europe/Copenhagen",
        reduced_motion="reduce",
    )
    carry_in(context, found.tracker, address, found.people[who])
    page = context.new_page()
    page.clock.set_fixed_time(found.clock.at)
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


def _evening(browser: Browser, found: Story, address: str) -> None:
    with _page(browser, found, address, "Ada", DESK, "light") as page:
        page.goto(address)
        _take(page, "board", whole=True)
        page.goto(f"{address}/incidents/{story.MAIN}")
        page.set_viewport_size({"width": 1440, "height": 1060})
        _take(page, "incident")
        page.goto(f"{address}/incidents/{story.MAIN}/report")
        page.locator(".question-missing").first.scroll_into_view_if_needed()
        page.set_viewport_size({"width": 1440, "height": 1100})
        _take(page, "report")
    with _page(browser, found, address, "Ben", PHONE, "light") as page:
        page.goto(f"{address}/incidents/new")
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


def _night(browser: Browser, found: Story, address: str) -> None:
    found.at(23, 3, 45)
    found.clock.set(NIGHT)
    give_sign_of_life(found.tracker)
    ben = found.actor("Ben")
    alert = next(one for one, of in calling.open_alerts(found.tracker.context, ben) if of == story.MAIN)
    with _page(browser, found, address, "Ben", {"width": 390, "height": 900}, "dark") as page:
        page.goto(f"{address}/alerts/{alert.id}")
        _take(page, "alert-phone")


def main() -> None:
    """Take every picture again."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    clock = HandClock(datetime(2026, 8, 31, 6, 0, tzinfo=UTC))
    executable = next(filter(None, map(shutil.which, _NAMES)), None)
    with tempfile.TemporaryDirectory() as folder, tracker_at(Path(folder), clock, postman=True) as tracker:
        found = story.begin(tracker, clock, "postman")
        story.tell(found)
        give_sign_of_life(tracker)
        with served(tracker) as address, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox", "--disable-gpu"])
            _evening(browser, found, address)
            _night(browser, found, address)
            browser.close()


if __name__ == "__main__":
    main()
