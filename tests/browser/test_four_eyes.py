"""Somebody outside decides in a real browser: the page sends no referrer, and the form still proves itself."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from incident_tracker.domain.access import SHELL
from incident_tracker.services import register
from tests.browser import eyes, story
from tests.browser.running import served, tracker_at
from tests.browser.story import Story
from tests.makers import HandClock

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]


@pytest.fixture
def found(tmp_path: Path) -> Iterator[Story]:
    clock = HandClock(datetime(2026, 11, 22, 18, 31, tzinfo=UTC))
    with tracker_at(tmp_path, clock) as tracker:
        yield story.begin(tracker, clock)


def test_the_link_is_opened_and_the_form_decides_once(browser: Browser, found: Story) -> None:
    reference = found.open("Ben", "Bærbar stjålet")
    found.aware("Ben", reference)
    path = eyes.values(found, reference, naughty="Disken var krypteret.")["/approve/<secret>"]
    with served(found.tracker) as address:
        context = browser.new_context(locale="da-DK")
        page = context.new_page()
        page.goto(address + path)
        expect(page.get_by_text("Disken var krypteret.")).to_be_visible()
        page.get_by_role("button", name="Afvis").click()
        expect(page.get_by_text("Skriv begrundelsen.")).to_be_visible()
        page.get_by_role("button", name="Godkend").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Du har godkendt")
        assert context.cookies() == []
        page.goto(address + path)
        expect(page.get_by_role("heading", level=1)).to_have_text("Linket er brugt")
        context.close()
    duties = register.overview(found.tracker.context, SHELL, reference).obligations
    assert {one.duty: str(how) for one, how in duties}["notify_people"] == "set_aside"
