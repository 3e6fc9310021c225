"""A newcomer sets the tracker up, prints the sheet, puts someone on call, signs out and in again."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from incident_tracker.services import first_run
from tests.browser.conftest import OpenPage
from tests.browser.running import served, tracker_at
from tests.makers import PASSWORD, HandClock

pytestmark = pytest.mark.browser


def _fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


@pytest.mark.parametrize(("width", "scripts"), [("phone", False), ("desk", True)])
def test_a_newcomer_gets_from_the_link_to_a_second_person_on_call(
    tmp_path: Path, open_page: OpenPage, width: str, *, scripts: bool
) -> None:
    with tracker_at(tmp_path, HandClock()) as tracker, served(tracker) as address:
        link = first_run.ensure_link(tracker.context)
        assert link is not None
        page = open_page(width=width, language="en", scripts=scripts)  # type: ignore[arg-type] # from the list above
        page.goto(f"{address}/first-run/{link.rsplit('/', 1)[1]}")
        page.get_by_label("Your name").fill("Ada")
        page.get_by_label("Your e-mail").fill("ada@example.dk")
        page.get_by_label("Choose a password").fill("short")
        page.get_by_label("Name of the organisation").fill("Nordlys ApS")
        page.get_by_label("Called first: name").fill("Ben")
        page.get_by_label("Called first: mobile phone").fill("34 41 23 45")
        page.get_by_role("button", name="Set it up").click()
        expect(page.get_by_role("alert")).to_contain_text("Use at least 12 signs")
        expect(page.get_by_label("Name of the organisation")).to_have_value("Nordlys ApS")
        assert _fits(page)
        page.get_by_label("Choose a password").fill(PASSWORD)
        page.get_by_role("button", name="Set it up").click()
        page.get_by_role("button", name="Show the recovery sheet").click()
        key = tracker.settings.master_key_file.read_text().strip()
        expect(page.get_by_text(key)).to_be_visible()
        assert _fits(page)

        page.goto(f"{address}/on-call")
        page.get_by_label("Name", exact=True).fill("Clara")
        page.get_by_label("Mobile phone", exact=True).fill("32 12 34 56")
        page.get_by_role("button", name="Put on call").click()
        expect(page.get_by_text("Clara is on call.")).to_be_visible()
        page.get_by_role("button", name="Earlier Clara").click()
        expect(page.get_by_role("row").nth(1)).to_contain_text("Clara")

        if width == "phone":
            page.get_by_text("More", exact=True).click()
        page.get_by_role("button", name="Sign out").locator("visible=true").click()
        page.get_by_label("E-mail").fill("ada@example.dk")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.goto(f"{address}/settings")
        expect(page.get_by_role("heading", name="Settings", exact=True)).to_be_visible()
